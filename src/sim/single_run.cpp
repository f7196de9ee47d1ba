#include "sim/single_run.hpp"

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/coro/frame.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/launch.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/exception_handler.hpp>

#include "coro/block_gate.hpp"
#include "loop/timer_queue.hpp"
#include "sim/await_graph.hpp"
#include "sim/labels.hpp"
#include "sim/simulated_backend.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

namespace rondo::sim::detail {

namespace {

using rondo::detail::loop_access;
using rondo::detail::loop_state;

// How long what the body has begun may take to end after it: connections that are closing, tasks that were cancelled. Where
// a host is switched off, TCP tries for 924.6 s to bring it what was written last.
constexpr duration grace = std::chrono::minutes(1);
constexpr duration grace_with_hosts = std::chrono::minutes(20);

using rondo::detail::exception_cast;

/// An error of memory or of the system, the end of a stream whose other side had one, or several of them.
bool can_come_of_a_fault(const std::exception_ptr& error) {
    if (const auto* group = exception_cast<exception_group>(error))
        return std::ranges::all_of(group->exceptions(), can_come_of_a_fault);
    return exception_cast<std::bad_alloc>(error) || exception_cast<std::system_error>(error) ||
           exception_cast<incomplete_read_error>(error);
}

class single_run {
public:
    single_run(simulation& world, const options& how, judging verdict)
        : world_(world),
          how_(how),
          verdict_(verdict),
          loop_(loop_access::make_loop(std::make_unique<simulated_backend>(world), {})) {
        current_simulation = &world;
        world.loop = loop_.get();
        loop_->set_exception_handler([this](event_loop&, const error_context& what) {
            const allocating_for_the_world own;
            if (!world_.hosts.here().alive()) return; // what is left of a host that has crashed
            if (what.exception && is_excused(what.exception)) return;
            reports_ += (reports_.empty() ? "" : "\n") + what.message;
            if (what.exception) reports_ += ": " + rondo::detail::describe_exception(what.exception);
        });
    }
    single_run(const single_run&) = delete;
    single_run& operator=(const single_run&) = delete;
    ~single_run() { current_simulation = nullptr; }

    void make(const body_factory& body) {
        if (how_.faults.memory) world_.watch_memory(true);
        try {
            {
                const allocating_for run(world_.watches());
                main_ = rondo::detail::launch(*loop_, {.name = "main"}, body());
                loop_access::run_while(*loop_, [this] { return goes_on(); }, time_point::max());
            }
            judge_main();
            if (!failed_) let_the_rest_end();
        } catch (...) { // thrown by body() itself, or an exit request
            if (!is_excused(std::current_exception()))
                fail(failure_kind::error, rondo::detail::describe_exception(std::current_exception()));
        }
        world_.watch_memory(false);
    }
    /// The end of the loop: what lives is cancelled and destroyed.
    void end() {
        if (main_ && main_.done()) main_.state()->mark_observed();
        main_ = {};
        world_.hosts.forget_tasks();
        world_.forget_stuck();
        loop_->close();
        world_.processes.forget_lives();
        world_.loop = nullptr;
        loop_.reset();
        world_.hosts.forget_programs(); // tasks refer to what they hold
        if (!failed_ && !reports_.empty()) fail(failure_kind::report, "the exception handler was told: " + reports_);
        if (!failed_ && world_.open_count() > 0) fail(failure_kind::leak, leaked_descriptors());
        // Asked in every run, so that what one run has said is not taken for the next one's.
        std::string verdict = how_.verdict ? how_.verdict() : std::string();
        if (!verdict.empty()) {
            if (failed_) failed_->message += "\n" + verdict;
            else fail(failure_kind::check, std::move(verdict));
        }
        if (!failed_ || world_.all_missing().empty()) return;
        failed_->message += "\nNot simulated, and asked for:";
        for (const std::string& what : world_.all_missing()) failed_->message += " " + what + ";";
        failed_->message.back() = '.';
    }
    std::optional<failure> take_failure() { return std::move(failed_); }
    std::size_t passes() const noexcept { return passes_; }

private:
    loop_state& state() noexcept { return loop_access::state(*loop_); }

    bool goes_on() {
        const allocating_for_the_world own;
        passes_ = static_cast<std::size_t>(state().passes);
        world_.hosts.bury(*loop_);
        trace_positions();
        if (main_.done() || world_.is_stuck() || passes_ > how_.max_steps || !world_.died().empty()) return false;
        if (how_.cancel_main && !cancelled_ && world_.choose(2, labels::main_is_cancelled)) {
            cancelled_ = true;
            main_.cancel("cancelled by the simulation");
        }
        return true;
    }

    /// Where tasks stand between two passes: whoever runs in another order stands somewhere else. Of those that stay where they
    /// are nothing is new, so it is enough to look at those that run next, in their order; or at all of them when time has
    /// passed, since others are woken by timers and by what completes.
    void trace_positions() noexcept {
        std::uint64_t hash = 0;
        const auto look = [&](const rondo::detail::task_record& t) {
            const std::uint64_t line = rondo::detail::header_of(t.innermost).await_at.line();
            hash = hash * 0x100000001b3 + line * 2 + (t.blocked_on != nullptr);
        };
        if (std::exchange(seen_at_, world_.now) != world_.now) {
            for (const auto* t = state().oldest_task; t; t = t->newer()) look(*t);
        } else {
            for (rondo::detail::ready_node* n = state().ready.front(); n; n = n->next) {
                if (const auto* t = rondo::detail::task_record::of_node(*n)) look(*t);
            }
        }
        world_.choices.trace(hash);
    }

    void judge_main() {
        if (!world_.died().empty()) {
            fail(failure_kind::error, world_.died());
            return;
        }
        if (!main_.done()) {
            if (world_.is_stuck())
                fail(failure_kind::deadlock,
                     "everything waits, and nothing will happen any more:\n" + describe_waiting_tasks(*loop_));
            else
                fail(failure_kind::endless, "the run has not ended after " + std::to_string(how_.max_steps) +
                                                " passes:\n" + describe_waiting_tasks(*loop_));
            return;
        }
        if (main_.cancelled()) {
            if (!cancelled_) fail(failure_kind::error, "the body was cancelled");
            return;
        }
        if (const std::exception_ptr error = main_.exception(); error && !is_excused(error))
            fail(failure_kind::error, "the body ended with " + rondo::detail::describe_exception(error));
    }

    void let_the_rest_end() {
        main_ = {};
        world_.hosts.switch_off();
        const auto living = [this] {
            world_.hosts.bury(*loop_);
            return state().tasks || !state().ready.empty() || world_.open_count() > 0 ||
                   !loop_access::timers(*loop_).empty();
        };
        {
            const allocating_for run(world_.watches());
            loop_access::run_while(*loop_, living,
                                   world_.now + (world_.hosts.are_several() ? grace_with_hosts : grace));
        }
        if (state().tasks) {
            fail(failure_kind::leak,
                 "tasks are left long after the end of the body:\n" + describe_waiting_tasks(*loop_));
        } else if (world_.open_count() > 0) {
            fail(failure_kind::leak, leaked_descriptors());
        } else if (const std::size_t timers = loop_access::timers(*loop_).size()) {
            fail(failure_kind::leak, std::to_string(timers) + " timers are left long after the end of the body");
        }
    }
    std::string leaked_descriptors() const {
        std::string text = "not closed:";
        for (const std::string& one : world_.describe_open()) text += "\n  " + one;
        return text;
    }

    void fail(failure_kind kind, std::string message) {
        if (!failed_) failed_ = failure{.kind = kind, .message = std::move(message)};
    }

    bool is_excused(const std::exception_ptr& error) const {
        return verdict_ == judging::swept && world_.has_failed_somewhere() && can_come_of_a_fault(error);
    }

    simulation& world_;
    const options& how_;
    judging verdict_;
    std::unique_ptr<event_loop> loop_;
    task<> main_;
    std::string reports_;
    std::optional<failure> failed_;
    std::size_t passes_ = 0;
    time_point seen_at_{};
    bool cancelled_ = false;
};

} // namespace

memory_balance balance_now() noexcept { return {watched_memory.blocks, rondo::detail::slab_bytes_in_use()}; }

outcome run_once(simulation& world, const plan& p, const options& how, const body_factory& body, judging verdict) {
    if (running_loop_or_null()) throw runtime_error("a simulated run cannot be made inside a running event loop");
    world.file_way = how.files;
    world.begin(p, how.faults);
    outcome result;
    result.seed = p.seed;
    {
        single_run one(world, how, verdict);
        one.make(body);
        one.end();
        result.failure = one.take_failure();
        result.passes = one.passes();
    }
    result.choices = world.choices.made().size();
    result.trace = world.choices.hash();
    if (result.failure) {
        result.failure->seed = p.seed;
        result.failure->choices = result.choices;
        result.failure->deviations = world.choices.deviations();
    }
    return result;
}

} // namespace rondo::sim::detail
