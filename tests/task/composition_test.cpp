// Random compositions: trees of everything that runs coroutines beside or inside each other, with cancellations and failures
// at random moments. Each seed is a program; after each the books are checked:
//
//   - every task has ended;
//   - every error that was thrown has been delivered once: caught, grouped, dropped by name, or reported to the handler;
//   - who was cancelled, and swallowed nothing, has not ended as if nothing had happened;
//   - the main task's cancelling() is what it was, plus the requests from outside;
//   - the program took the same course on every backend.
//
// Time is passes of the loop: nothing sleeps. A failure names its seed; RONDO_COMPOSITION_SEEDS=n tries n of them.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/finally.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/shield.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>
#include <rondo/task/wait.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class random_numbers { // splitmix64
public:
    explicit random_numbers(std::uint64_t seed) noexcept : state_(seed) {}
    int below(int n) noexcept { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
    bool one_in(int n) noexcept { return below(n) == 0; }

private:
    std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::uint64_t state_;
};

enum class kind {
    passes,
    forever,
    failure,
    awaits_future,
    cancels_itself, // leaves up to here
    sequence,
    gathers,
    groups,
    starts,
    times_out,
    moves_on,
    scopes,
    shields,
    cleans_up,
    swallows_errors,
    swallows_cancellations,
    awaits_task,
    awaits_eager_task,
    spawns,
    waits,
    count
};
constexpr std::array names{"passes",         "forever",           "failure",         "awaits_future",
                           "cancels_itself", "sequence",          "gathers",         "groups",
                           "starts",         "times_out",         "moves_on",        "scopes",
                           "shields",        "cleans_up",         "swallows_errors", "swallows_cancellations",
                           "awaits_task",    "awaits_eager_task", "spawns",          "waits"};
static_assert(names.size() == static_cast<std::size_t>(kind::count));

/// A program. Every number is meant as each kind likes.
struct node {
    kind what{};
    int id = 0;
    int n = 0; // passes until something happens
    int choice = 0;
    std::vector<node> children;
    bool swallows = false; // a cancellation may end in here
};

/// "1 gathers(n, choice): [2 passes(0, 1), 3 failure(2, 0)]".
std::string description(const node& of) {
    std::string text = std::to_string(of.id) + " " + names[static_cast<std::size_t>(of.what)] + "(" +
                       std::to_string(of.n) + ", " + std::to_string(of.choice) + ")";
    if (of.children.empty()) return text;
    text += ": [";
    for (const node& child : of.children) text += (&child == &of.children.front() ? "" : ", ") + description(child);
    return text + "]";
}

class generator_of_programs {
public:
    explicit generator_of_programs(std::uint64_t seed) : random_(seed), left_(3 + random_.below(22)) {}
    node program() { return make(0); }
    int below(int n) { return random_.below(n); }

private:
    node make(int depth) {
        const bool leaf = depth >= 5 || left_ <= 0 || random_.one_in(4);
        const int leaves = static_cast<int>(kind::cancels_itself) + 1;
        node made;
        made.what = static_cast<kind>(leaf ? random_.below(leaves)
                                           : leaves + random_.below(static_cast<int>(kind::count) - leaves));
        made.id = ++last_id_;
        made.n = random_.below(4);
        made.choice = random_.below(4);
        --left_;
        if (!leaf) {
            const bool one = made.what == kind::times_out || made.what == kind::moves_on || made.what == kind::scopes ||
                             made.what == kind::shields;
            for (int i = one ? 1 : 1 + random_.below(3); i > 0; --i) made.children.push_back(make(depth + 1));
        }
        // An error may take the place of a cancellation: of cleanup, of a group.
        made.swallows = made.what == kind::swallows_cancellations || made.what == kind::swallows_errors;
        for (const node& child : made.children) made.swallows = made.swallows || child.swallows;
        return made;
    }
    random_numbers random_;
    int left_;
    int last_id_ = 0;
};

struct planned_error {
    int id;
};

class world {
public:
    explicit world(event_loop& loop) : loop_(loop) {}

    coro<> run(const node& of) {
        note(of, 'b');
        auto outcome = co_await as_result(body_of(of));
        note(of, outcome ? 'v' : outcome.cancelled() ? 'c' : 'e');
        outcome.value();
    }

    /// The whole of a seed.
    coro<> drive(const node& program, int cancel_after) {
        main_ = create_task([this, &program]() -> coro<> {
            auto outcome = co_await as_result(run(program));
            // What groups and timeouts asked of it, they have taken back.
            if (current_task().cancelling() != asked_of_main_)
                complain("the main task was cancelled " + std::to_string(asked_of_main_) +
                         " times, but its cancelling() is " + std::to_string(current_task().cancelling()));
            outcome.value();
        });
        if (cancel_after >= 0)
            later(cancel_after, [this, &program] {
                if (main_) ask(main_, program.swallows);
            });
        for (int i = 0; i < 400 && !main_.done(); ++i) co_await yield();
        for (int round = 0; round < 100; ++round) {
            bool alone = true;
            for (any_task t : all_tasks()) {
                if (t == current_task()) continue;
                alone = false;
                if (t == main_) ++asked_of_main_;
                t.cancel("the driver ends it");
            }
            if (alone) break;
            co_await pass_by(6);
        }
        if (all_tasks().size() != 1) complain("a task does not end");
        for (const auto& [t, must_not_succeed] : watched_) {
            if (must_not_succeed && t.state()->state() == detail::future_state::status::value)
                complain("a cancellation was lost");
        }
        watched_.clear();
        auto outcome = co_await as_result(std::exchange(main_, {}));
        consume(outcome.error());
    }

    void report(const error_context& what) { consume(what.exception); }
    void check_books() {
        for (std::size_t id = 0; id < errors_.size(); ++id) {
            if (errors_[id].thrown != errors_[id].seen)
                complain("error " + std::to_string(id) + " was thrown " + std::to_string(errors_[id].thrown) +
                         " times and seen " + std::to_string(errors_[id].seen) + " times");
        }
    }
    const std::vector<std::string>& complaints() const noexcept { return complaints_; }
    const std::string& course() const noexcept { return course_; }

private:
    struct account {
        int thrown = 0;
        int seen = 0;
    };

    void complain(std::string what) { complaints_.push_back(std::move(what)); }
    void note(const node& of, char what) { course_ += std::to_string(of.id) + what; }
    account& of_error(int id) {
        if (errors_.size() <= static_cast<std::size_t>(id)) errors_.resize(static_cast<std::size_t>(id) + 1);
        return errors_[static_cast<std::size_t>(id)];
    }
    planned_error plan() {
        const int id = static_cast<int>(errors_.size());
        ++of_error(id).thrown;
        return {id};
    }
    void consume(const std::exception_ptr& error) {
        if (!error) return;
        if (const auto* group = detail::exception_cast<exception_group>(error)) {
            for (const std::exception_ptr& member : group->exceptions()) consume(member);
        } else if (const auto* planned = detail::exception_cast<planned_error>(error)) {
            ++of_error(planned->id).seen;
        } else if (!detail::is_cancellation(error) && !detail::exception_cast<timeout_error>(error)) {
            complain("unplanned: " + detail::describe_exception(error));
        }
        consume(cause_of(error));
    }

    void later(int passes, std::function<void()> fn) {
        loop_.call_soon([this, passes, fn = std::move(fn)] {
            if (passes == 0) fn();
            else later(passes - 1, fn);
        });
    }
    void ask(any_task whom, bool may_swallow) {
        if (!whom.cancel("asked")) return;
        if (whom == main_) ++asked_of_main_;
        watched_.emplace_back(whom, !may_swallow);
    }

    task<> start(const node& of, bool eagerly = false) {
        return create_task({.eager_start = eagerly}, [this, &of]() -> coro<> { co_await run(of); });
    }
    std::vector<task<>> start_all(const node& of) {
        std::vector<task<>> tasks;
        for (const node& child : of.children) tasks.push_back(start(child));
        return tasks;
    }
    /// The error itself, one of its group, or what failed before it, as when a cancellation came in between.
    static bool holds(const std::exception_ptr& whole, const std::exception_ptr& part) {
        if (!whole || whole == part) return whole == part;
        const auto* group = detail::exception_cast<exception_group>(whole);
        return (group && std::ranges::any_of(group->exceptions(), [&](const auto& m) { return holds(m, part); })) ||
               holds(cause_of(whole), part);
    }
    /// Waits until they have ended, whatever comes, and sees their errors but those that `seen` holds.
    coro<> drop(std::vector<task<>> tasks, std::exception_ptr seen) {
        std::exception_ptr cancellation;
        while (std::ranges::any_of(tasks, [](const task<>& t) { return !t.done(); })) {
            auto waited = co_await as_result(wait(tasks));
            if (!waited) {
                for (auto& t : tasks) t.cancel();
                cancellation = waited.error();
            }
        }
        for (const auto& t : tasks) {
            const std::exception_ptr error = t.cancelled() ? nullptr : t.exception();
            if (error && !holds(seen, error)) consume(error);
        }
        if (cancellation) std::rethrow_exception(cancellation);
    }

    /// Scopes do not reach in: their cancellation must not take the place of one from outside.
    coro<> drop_all(std::vector<task<>> tasks, std::exception_ptr seen) {
        cancel_scope protection({.shield = true});
        co_await protection.run([&] { return drop(std::move(tasks), seen); });
    }

    coro<> run_children(const node& of) {
        for (const node& child : of.children) co_await run(child);
    }

    coro<> body_of(const node& of) {
        switch (of.what) {
        case kind::passes: co_await pass_by(of.n); break;
        case kind::forever: co_await sleep_forever(); break;
        case kind::failure: co_await pass_by(of.n); throw plan();
        case kind::awaits_future: co_await future_body(of); break;
        case kind::cancels_itself: {
            any_task self = current_task();
            if (self == main_) ++asked_of_main_;
            self.cancel("myself");
            co_await pass_by(of.n);
            break;
        }
        case kind::sequence: co_await run_children(of); break;
        case kind::gathers: co_await gather_body(of); break;
        case kind::groups:
        case kind::starts: co_await group_body(of); break;
        case kind::times_out:
            co_await timeout(of.choice < 2 ? delay(duration::zero()) : delay(no_timeout), run(of.children[0]));
            break;
        case kind::moves_on:
            co_await move_on_after(of.choice < 2 ? delay(duration::zero()) : delay(no_timeout), run(of.children[0]));
            break;
        case kind::scopes: co_await scope_body(of); break;
        case kind::shields: co_await shield(start(of.children[0])); break;
        case kind::cleans_up: co_await finally_body(of); break;
        case kind::swallows_errors: {
            auto r = co_await as_result(run_children(of));
            if (r.cancelled()) r.value();
            consume(r.error());
            break;
        }
        case kind::swallows_cancellations: {
            auto r = co_await as_result(run_children(of));
            if (!r.cancelled()) r.value();
            co_await pass_by(of.n);
            break;
        }
        case kind::awaits_task:
        case kind::awaits_eager_task: {
            auto t = start(of.children[0], of.what == kind::awaits_eager_task);
            if (of.choice == 0) later(of.n, [this, t, &of] { ask(t, of.children[0].swallows); });
            co_await std::move(t);
            break;
        }
        case kind::spawns:
            for (const node& child : of.children) spawn([this, &child]() -> coro<> { co_await run(child); });
            co_await pass_by(of.n);
            break;
        case kind::waits: co_await wait_body(of); break;
        case kind::count: break;
        }
    }

    coro<> future_body(const node& of) {
        auto f = create_future<>();
        later(of.n, [this, f, &of]() mutable {
            if (f.done()) return;
            if (of.choice == 0) f.set_exception(plan());
            else if (of.choice == 1) f.cancel("by its owner");
            else f.set_result();
        });
        co_await f;
    }
    coro<> gather_body(const node& of) {
        auto tasks = start_all(of);
        std::exception_ptr error;
        if (of.choice < 2) error = co_await error_of(gather_future(tasks));
        else error = co_await error_of(gather_future(return_exceptions, tasks));
        auto dropped = co_await as_result(drop_all(std::move(tasks), error));
        if (!dropped) {
            consume(error);
            dropped.value();
        }
        if (error) std::rethrow_exception(error);
    }
    /// What comes out of awaiting it. A cancellation may come between its failure and that: then it is still in there, and
    /// in the tasks.
    template <class F> coro<std::exception_ptr> error_of(F gathered) {
        auto outcome = co_await as_result(gathered);
        if (outcome.cancelled() && gathered.done() && !gathered.cancelled()) static_cast<void>(gathered.exception());
        co_return outcome.error();
    }
    coro<> group_body(const node& of) {
        auto living = std::make_shared<task_group*>(nullptr);
        const auto end = [&] { *living = nullptr; };
        auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            *living = &group;
            if (of.choice == 0) {
                later(of.n, [living] {
                    if (*living) (*living)->cancel("by its owner");
                });
            }
            for (const node& child : of.children) {
                if (&child == &of.children.back() && of.choice != 1) {
                    co_await run(child); // in the body
                } else if (of.what == kind::groups) {
                    group.create_task([this, &child]() -> coro<> { co_await run(child); });
                } else {
                    co_await group.start([this, &child, n = of.n](task_status<> status) -> coro<> {
                        co_await pass_by(n);
                        status.started();
                        co_await run(child);
                    });
                }
            }
        }));
        end();
        r.value();
    }
    coro<> scope_body(const node& of) {
        cancel_scope scope({.shield = of.choice == 1});
        auto living = std::make_shared<cancel_scope*>(&scope);
        if (of.choice != 3) {
            later(of.n, [living] {
                if (*living) (*living)->cancel("by its owner");
            });
        }
        auto r = co_await as_result(scope.run([&] { return run(of.children[0]); }));
        *living = nullptr;
        r.value();
    }
    coro<> finally_body(const node& of) {
        co_await finally([&] { return run_children(of); },
                         [&]() -> coro<> {
                             co_await pass_by(of.n);
                             if (of.choice == 0) throw plan();
                         });
    }
    coro<> wait_body(const node& of) {
        auto tasks = start_all(of);
        auto waited =
            co_await as_result(wait(tasks, {.timeout = of.choice == 0 ? delay(duration::zero()) : delay(no_timeout),
                                            .return_when = of.choice == 1 ? first_completed : all_completed}));
        if (!waited || of.choice == 2) {
            for (auto& t : tasks) t.cancel();
        }
        co_await drop_all(std::move(tasks), nullptr);
        waited.value();
    }

    event_loop& loop_;
    any_task main_;
    int asked_of_main_ = 0;
    std::vector<std::pair<any_task, bool>> watched_;
    std::vector<account> errors_;
    std::vector<std::string> complaints_;
    std::string course_;
};

/// Empty when all is well.
std::string complaints_about(event_loop& loop, std::uint64_t seed, std::string& course) {
    generator_of_programs make(seed);
    const node program = make.program();
    const int cancel_after = make.below(3) == 0 ? make.below(12) : -1;
    world w(loop);
    loop.set_exception_handler([&](event_loop&, const error_context& what) { w.report(what); });
    loop.run_until_complete(w.drive(program, cancel_after));
    for (int i = 0; i < 20; ++i) loop.run_once(duration::zero()); // what is still to come
    loop.set_exception_handler(nullptr);
    w.check_books();
    course = w.course();
    std::string all;
    for (const std::string& c : w.complaints()) all += c + "\n";
    if (!all.empty()) {
        all += "in " + description(program);
        if (cancel_after >= 0) all += ", cancelled after " + std::to_string(cancel_after) + " passes";
    }
    return all;
}

std::uint64_t seeds() {
    const char* wanted = std::getenv("RONDO_COMPOSITION_SEEDS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : 2000;
}

TEST(Composition, KeepsItsBooksWhateverHappens) {
    const auto first = test::make_loop(backend_kind::epoll);
    const auto second = test::make_loop(backend_kind::uring);
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        std::string course;
        const std::string wrong = complaints_about(*first, seed, course);
        ASSERT_EQ(wrong, "") << "seed " << seed << ", whose course is " << course;
        if (!second) continue;
        std::string other_course;
        ASSERT_EQ(complaints_about(*second, seed, other_course), "") << "seed " << seed << " on io_uring";
        ASSERT_EQ(course, other_course) << "seed " << seed << " took another course on io_uring";
    }
    first->close();
    if (second) second->close();
}

} // namespace
} // namespace rondo
