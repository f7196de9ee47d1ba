// Sections 5, 6 and 7: combinators, task groups, timeouts and scopes.
#include "spelling/spelled.hpp"

#include <list>

namespace rondo::spelling::of_combinators {

coro<int> number(int n = 1) { co_return n; }
coro<std::string> text() { co_return "x"; }
coro<> nothing() { co_return; }

coro<> gathering() {
    static_assert(std::same_as<gather_vector_t<coro<>>, void> &&
                  std::same_as<gather_vector_t<coro<int>>, std::vector<int>>);
    using three = std::tuple<int, std::monostate, std::string>;
    AWAITS(three, gather(number(), nothing(), text()));
    auto [a, b, c] = co_await gather(number(), sleep(0s, 2), create_task(text()));
    AWAITS(std::vector<int>, gather(std::vector<task<int>>()));
    std::vector<coro<int>> coros;
    coros.push_back(number());
    AWAITS(std::vector<int>, gather(std::move(coros)));
    AWAITS(void, gather(std::vector<coro<>>()));
    using outcomes = std::tuple<result<int>, result<void>>;
    AWAITS(outcomes, gather(return_exceptions, number(), nothing()));
    AWAITS(std::vector<result<int>>, gather(return_exceptions, std::vector<task<int>>()));
    GIVES(future<three>, gather_future(number(), nothing(), text()));
    GIVES(future<std::vector<int>>, gather_future(std::vector<task<int>>()));
    GIVES(future<void>, gather_future(std::vector<coro<>>()));
    GIVES(future<outcomes>, gather_future(return_exceptions, number(), nothing()));
    GIVES(future<std::vector<result<int>>>, gather_future(return_exceptions, std::vector<task<int>>()));
    AWAITS(std::tuple<>, gather());
    for (int i = 0; i < 5; ++i) co_await yield(); // until what was not awaited has ended
}

coro<> waiting() {
    static_assert(all_completed == return_when::all_completed && first_completed == return_when::first_completed &&
                  first_exception == return_when::first_exception);
    std::vector<task<int>> tasks{create_task(number()), create_task(number())};
    AWAITS(wait_result<task<int>>, wait(tasks));
    AWAITS(wait_result<task<int>>, wait(tasks, {.timeout = 1s, .return_when = first_completed}));
    AWAITS(wait_result<task<int>>, wait({tasks[0], tasks[1]}, {.return_when = return_when::first_exception}));
    AWAITS(wait_result<any_future>, wait(std::vector<any_future>{tasks[0], create_task(text())}));
    auto [done, pending] = co_await wait(tasks, {.timeout = no_timeout});
    static_assert(std::same_as<decltype(done), std::vector<task<int>>>);
    task<std::string> other = create_task(text());
    AWAITS(std::size_t, wait_any(tasks[0], other));
    AWAITS(std::size_t, wait_any(tasks));
    AWAITS(int, wait_for(number(), 1s));
    AWAITS(std::string, wait_for(other, no_timeout));
    GIVES(future<int>, shield(number()));
    GIVES(future<int>, shield(tasks[0]));
    auto finished = as_completed(tasks, 1s);
    static_assert(std::same_as<decltype(finished), completion_iterator<task<int>>>);
    AWAITS(std::optional<task<int>>, finished.next());
    std::vector<coro<int>> coros;
    coros.push_back(number());
    auto started = as_completed(std::move(coros));
    while (auto t = co_await started.next()) static_cast<void>(t->result());
}

coro<> racing() {
    using either = std::variant<int, std::monostate>;
    AWAITS(either, select(number(), nothing()));
    AWAITS(either, select(number(), sleep(1s)));
    const auto same_type = co_await select(number(), number());
    GIVES(std::size_t, same_type.index());
    std::vector<std::function<coro<int>()>> attempts{[] { return number(); }};
    AWAITS(race_result<int>, staggered_race(attempts, 10ms));
    AWAITS(race_result<int>, staggered_race<int>({[] { return number(); }}, no_timeout));
    auto [value, winner, errors] = co_await staggered_race(attempts, 0s);
    static_assert(std::same_as<decltype(value), std::optional<int>> &&
                  std::same_as<decltype(winner), std::optional<std::size_t>> &&
                  std::same_as<decltype(errors), std::vector<std::exception_ptr>>);
    std::vector<int> numbers{1, 2};
    AWAITS(std::vector<int>, map_concurrent(numbers, number, 2));
    AWAITS(std::vector<int>, map_concurrent(std::list<int>{1}, [](int n) { return number(n); }, 2));
    AWAITS(void, map_concurrent(numbers, [](int) { return nothing(); }, 2));
    AWAITS(int, retry({}, [] { return number(); }));
    const retry_policy policy{.attempts = 3,
                              .initial = 1ms,
                              .factor = 1.5,
                              .maximum = 1s,
                              .jitter = 0.1,
                              .retry_if = [](const std::exception_ptr& e) { return e != nullptr; }};
    AWAITS(void, retry(policy, nothing));
    auto ticks = interval(1ms);
    static_assert(std::same_as<decltype(ticks), async_generator<time_point>>);
    AWAITS(std::optional<time_point>, ticks.next());
}

coro<> groups() {
    AWAITS(int, task_group::run([](task_group& tg) -> coro<int> {
               static_cast<void>(tg);
               co_return 1;
           }));
    AWAITS(void, task_group::run([]() -> coro<> { co_return; }));
    co_await task_group::run([&](task_group& tg) -> coro<> {
        GIVES(task<int>, tg.create_task(number()));
        tg.create_task(number(), {.name = "x"});
        tg.create_task(sleep(0s));
        GIVES(task<int>, tg.create_task(number, 3));
        GIVES(task<int>, tg.create_task({.name = "y"}, number, 3));
        GIVES(void, tg.start_soon(number, 3));
        GIVES(void, tg.start_soon([] { return nothing(); }));
        AWAITS(int, tg.start<int>(
                        [](task_status<int> status, int port) -> coro<> {
                            status.started(port);
                            co_return;
                        },
                        80));
        AWAITS(void, tg.start([](auto status) -> coro<> {
            status.started();
            co_return;
        }));
        GIVES(rondo::cancel_scope&, tg.cancel_scope());
        GIVES(std::size_t, tg.size());
        GIVES(void, tg.cancel());
        GIVES(void, tg.cancel("why"));
        co_return;
    });
    static_assert(stays<task_group>);
    task_group by_hand;
    by_hand.start_soon(nothing);
    AWAITS(void, by_hand.join());
}

coro<> timeouts() {
    AWAITS(int, timeout(1s, number()));
    AWAITS(int, timeout(1s, [] { return number(); }));
    AWAITS(int, timeout_at(clock::now() + 1s, number()));
    AWAITS(int, timeout_at(std::nullopt, [] { return number(); }));
    timeout_scope scope(1s);
    AWAITS(int, scope.run([](timeout_scope& tm) -> coro<int> {
        GIVES(void, tm.reschedule(clock::now() + 2s));
        GIVES(void, tm.reschedule(std::nullopt));
        GIVES(deadline, tm.when());
        GIVES(bool, tm.expired());
        co_return 1;
    }));
    timeout_scope at = timeout_scope::at(clock::now() + 1s);
    AWAITS(void, at.run(nothing));
    static_assert(!std::copyable<timeout_scope>);
}

coro<> scopes() {
    cancel_scope plain;
    cancel_scope scope({.deadline = clock::now() + 1s, .shield = true});
    static_assert(stays<cancel_scope>);
    AWAITS(std::optional<int>, scope.run([](cancel_scope& s) -> coro<int> {
        GIVES(void, s.set_deadline(std::nullopt));
        GIVES(deadline, s.deadline());
        GIVES(bool, s.shield());
        GIVES(void, s.set_shield(false));
        co_return 1;
    }));
    AWAITS(std::optional<std::monostate>, plain.run(nothing));
    GIVES(void, plain.cancel());
    GIVES(void, plain.cancel("why"));
    GIVES(bool, plain.cancel_called());
    GIVES(bool, plain.cancelled_caught());
    GIVES(time_point, current_effective_deadline());
    AWAITS(std::optional<int>, move_on_after(1s, number()));
    AWAITS(std::optional<std::monostate>, move_on_after(1s, [] { return nothing(); }));
    AWAITS(int, fail_after(1s, number()));
    AWAITS(void, fail_after(1s, nothing));
}

TEST(Spelling, Combinators) {
    run(gathering);
    run(waiting);
    run(racing);
}
TEST(Spelling, TaskGroups) { run(groups); }
TEST(Spelling, TimeoutsAndScopes) {
    run(timeouts);
    run(scopes);
}

} // namespace rondo::spelling::of_combinators
