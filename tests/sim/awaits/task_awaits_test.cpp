#include <rondo/rondo.hpp>

#include "sim/awaits/swept.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sleep;

coro<int> after(rondo::duration d, int value) {
    co_await sleep(d);
    co_return value;
}

struct resource {
    bool entered = false;
    coro<> aenter() {
        co_await sleep(1ms);
        entered = true;
    }
    coro<> aexit(std::exception_ptr) {
        co_await sleep(1ms);
        entered = false;
    }
};

RONDO_SWEPT(Sleeping, "task/sleep", "sleep sleep_until yield checkpoint") {
    co_await sleep(1ms);
    EXPECT_EQ(co_await sleep(1ms, 7), 7);
    co_await rondo::sleep_until(rondo::clock::now() + 1ms);
    co_await rondo::yield();
    co_await rondo::checkpoint();
}

RONDO_SWEPT(SleepingForEver, "task/sleep", "sleep_forever") {
    EXPECT_FALSE(co_await rondo::move_on_after(1ms, rondo::sleep_forever()));
}

RONDO_SWEPT(TasksAndFutures, "task/task task/future", "task future") {
    rondo::future<int> answer = rondo::create_future<int>();
    co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
        auto asked = group.create_task([](rondo::future<int> f) -> coro<int> { co_return co_await f; }, answer);
        co_await rondo::yield();
        if (!answer.done()) answer.set_result(42);
        EXPECT_EQ(co_await asked, 42);
    });
    EXPECT_EQ(co_await answer, 42);
}

RONDO_SWEPT(HandlesOfAnyType, "task/task task/future", "task_base future_base") {
    co_await rondo::task_group::run([](rondo::task_group& group) -> coro<> {
        const rondo::any_task task = group.create_task(sleep(1ms));
        const rondo::any_future future = task;
        co_await task;
        co_await future;
    });
}

RONDO_SWEPT(AsResult, "task/as_result", "as_result") {
    auto outcome = co_await rondo::as_result(after(1ms, 1));
    std::move(outcome).value();
}

RONDO_SWEPT(Gathering, "task/gather", "gather") {
    const auto [a, b] = co_await rondo::gather(after(2ms, 1), after(1ms, 2));
    EXPECT_EQ(a + b, 3);
}

RONDO_SWEPT(GatheringMany, "task/gather", "gather gather_future") {
    std::vector<coro<int>> all;
    for (int i = 0; i < 3; ++i) all.push_back(after(1ms, i));
    const auto values = co_await rondo::gather(std::move(all));
    EXPECT_EQ(values.size(), 3U);
}

RONDO_SWEPT(AsCompleted, "task/as_completed", "next") {
    std::vector<coro<int>> all;
    for (int i = 0; i < 3; ++i) all.push_back(after(1ms, i));
    auto done = rondo::as_completed(std::move(all), 1s);
    int sum = 0;
    while (auto one = co_await done.next()) sum += one->result();
    EXPECT_EQ(sum, 3);
}

RONDO_SWEPT(Waiting, "task/wait", "wait wait_any") {
    auto a = rondo::create_task(after(1ms, 1));
    auto b = rondo::create_task(after(2ms, 2));
    EXPECT_EQ(co_await rondo::wait_any(a, b), 0U);
    const auto all = co_await rondo::wait({a, b});
    EXPECT_EQ(all.done.size(), 2U);
}

RONDO_SWEPT(Shielding, "task/shield", "shield") {
    auto inner = rondo::create_task(after(5ms, 1));
    EXPECT_EQ(co_await rondo::shield(inner), 1);
}

RONDO_SWEPT(Timeouts, "task/timeout", "run timeout timeout_at wait_for") {
    EXPECT_EQ(co_await rondo::timeout(1s, after(1ms, 1)), 1);
    EXPECT_EQ(co_await rondo::timeout_at(rondo::clock::now() + 1s, after(1ms, 1)), 1);
    EXPECT_EQ(co_await rondo::wait_for(after(1ms, 2), 1s), 2);
    bool late = false;
    try {
        co_await rondo::timeout(1ms, sleep(1h));
    } catch (const rondo::timeout_error&) {
        late = true;
    }
    EXPECT_TRUE(late);
}

RONDO_SWEPT(MovingOn, "task/move_on_after", "move_on_after fail_after") {
    EXPECT_FALSE(co_await rondo::move_on_after(1ms, sleep(1h)));
    EXPECT_TRUE(co_await rondo::move_on_after(1h, after(1ms, 1)));
    EXPECT_EQ(co_await rondo::fail_after(1s, after(1ms, 1)), 1);
}

RONDO_SWEPT(Scopes, "task/cancel_scope", "run") {
    const auto value = co_await rondo::cancel_scope({.shield = true}).run([](rondo::cancel_scope& outer) -> coro<int> {
        co_await sleep(1ms);
        outer.cancel();
        co_await sleep(1ms);
        co_return 1;
    });
    EXPECT_FALSE(value);
}

RONDO_SWEPT(GroupsByHand, "task/task_group", "join") {
    rondo::task_group group;
    group.create_task(sleep(1ms));
    co_await group.join();
}

RONDO_SWEPT(Groups, "task/task_group", "run start") {
    int ended = 0;
    co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
        group.create_task(
            [](int* n) -> coro<> {
                co_await sleep(1ms);
                ++*n;
            },
            &ended);
        const int started = co_await group.start<int>([](rondo::task_status<int> status) -> coro<> {
            co_await sleep(1ms);
            status.started(5);
            co_await sleep(1ms);
        });
        EXPECT_EQ(started, 5);
    });
    EXPECT_EQ(ended, 1);
}

RONDO_SWEPT(Selecting, "task/select", "select") {
    const auto first = co_await rondo::select(after(1ms, 1), sleep(1h));
    EXPECT_EQ(first.index(), 0U);
}

RONDO_SWEPT(Racing, "task/staggered_race", "staggered_race") {
    std::vector<std::function<coro<int>()>> attempts;
    attempts.emplace_back([] { return after(1s, 1); });
    attempts.emplace_back([] { return after(1ms, 2); });
    const auto race = co_await rondo::staggered_race<int>(std::move(attempts), 10ms);
    if (!race.value) std::rethrow_exception(race.errors.back());
    EXPECT_EQ(*race.value, race.errors[1] ? 1 : 2);
}

RONDO_SWEPT(Mapping, "task/map_concurrent", "map_concurrent") {
    const auto doubled =
        co_await rondo::map_concurrent(std::vector{1, 2, 3}, [](int i) { return after(1ms, 2 * i); }, 2);
    EXPECT_EQ(doubled, (std::vector{2, 4, 6}));
}

RONDO_SWEPT(Retrying, "task/retry", "retry") {
    int attempts = 0;
    const int value = co_await rondo::retry({.attempts = 3}, [&]() -> coro<int> {
        co_await rondo::yield();
        if (++attempts < 2) throw std::runtime_error("not yet");
        co_return attempts;
    });
    EXPECT_GE(value, 2);
}

RONDO_SWEPT(Cleaning, "task/finally", "finally") {
    bool cleaned = false;
    bool begun = false;
    auto outcome = co_await rondo::as_result(rondo::finally(
        [&]() -> coro<> {
            begun = true;
            co_await sleep(1ms);
        },
        [&]() -> coro<> {
            co_await rondo::yield();
            cleaned = true;
        }));
    if (outcome) EXPECT_EQ(cleaned, begun);
    std::move(outcome).value();
}

RONDO_SWEPT(Resources, "task/with", "with") {
    resource r;
    auto outcome = co_await rondo::as_result(rondo::with(r, [](resource& in) -> coro<> {
        EXPECT_TRUE(in.entered);
        co_await sleep(1ms);
    }));
    if (outcome) EXPECT_FALSE(r.entered);
    std::move(outcome).value();
}

RONDO_SWEPT(Stacks, "task/async_exit_stack", "run enter aclose") {
    resource r;
    co_await rondo::async_exit_stack::run([&](rondo::async_exit_stack& stack) -> coro<> {
        co_await stack.enter(r);
        stack.push_callback([]() -> coro<> { co_await rondo::yield(); });
        co_await sleep(1ms);
        co_await stack.aclose();
    });
}

rondo::async_generator<int> count_to(int n) {
    for (int i = 1; i <= n; ++i) {
        co_await sleep(1ms);
        co_yield i;
    }
}

rondo::async_generator<int, int> echo() {
    int last = 0;
    for (;;) {
        co_await rondo::yield();
        last = (co_yield last).value_or(0);
    }
}

RONDO_SWEPT(Generators, "task/async_generator", "next aclosing") {
    int sum = 0;
    co_await rondo::aclosing(count_to(3), [&](rondo::async_generator<int>& numbers) -> coro<> {
        while (auto n = co_await numbers.next()) sum += *n;
    });
    EXPECT_EQ(sum, 6);
}

RONDO_SWEPT(GeneratorsThatAreSpokenTo, "task/async_generator", "asend athrow aclose") {
    auto numbers = echo();
    co_await numbers.next();
    const auto answer = co_await numbers.asend(5);
    EXPECT_EQ(*answer, 5);
    auto thrown = co_await rondo::as_result(numbers.athrow(std::runtime_error("enough")));
    EXPECT_FALSE(thrown);
    if (thrown.cancelled()) std::move(thrown).value();
    auto others = echo();
    co_await others.next();
    co_await others.aclose();
}

RONDO_SWEPT(Ticking, "task/interval", "interval") {
    int ticks = 0;
    co_await rondo::aclosing(rondo::interval(1ms), [&](auto& all) -> coro<> {
        while (ticks < 3 && co_await all.next()) ++ticks;
    });
    EXPECT_EQ(ticks, 3);
}

RONDO_SWEPT(OtherThreads, "task/to_thread loop/event_loop task/wrap_future", "to_thread run_in_executor wrap_future") {
    EXPECT_EQ(co_await rondo::to_thread([](int a) { return a + 1; }, 1), 2);
    EXPECT_EQ(co_await rondo::running_loop().run_in_executor(nullptr, [] { return 3; }), 3);
    rondo::concurrent_future<int> far;
    auto mirror = rondo::wrap_future(far);
    co_await rondo::to_thread([far]() mutable { far.set_result(4); });
    EXPECT_EQ(co_await mirror, 4);
}

RONDO_SWEPT(TheEndOfALoop, "loop/event_loop", "shutdown_default_executor shutdown_asyncgens") {
    static_cast<void>(co_await rondo::to_thread([] { return 1; }));
    co_await rondo::running_loop().shutdown_asyncgens();
    co_await rondo::running_loop().shutdown_default_executor(1s);
}

} // namespace
