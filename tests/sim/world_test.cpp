#include <rondo/sim/world.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/from_thread.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/to_thread.hpp>

#include "loop/backend/backend.hpp"
#include "sim/plain_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::test::in_a_plain_world;

/// Plain: no choice deviates.
TEST(SimulatedWorld, TimeJumpsToTheNextTimer) {
    in_a_plain_world([]() -> coro<> {
        const auto before = rondo::clock::now();
        co_await rondo::sleep(24h * 365);
        EXPECT_EQ(rondo::clock::now() - before, 24h * 365);
        EXPECT_EQ(rondo::sim::world().now(), rondo::clock::now());
    });
}

TEST(SimulatedWorld, TimeStandsStillWhileSomethingIsReady) {
    in_a_plain_world([]() -> coro<> {
        const auto before = rondo::clock::now();
        for (int i = 0; i < 200; ++i) co_await rondo::yield();
        EXPECT_EQ(rondo::clock::now(), before);
    });
}

TEST(SimulatedWorld, TheWallClockStepsAndDriftsApartFromTime) {
    in_a_plain_world([]() -> coro<> {
        auto& world = rondo::sim::world();
        const auto wall = world.wall_now();
        const auto time = world.now();
        EXPECT_EQ(rondo::wall_clock::now(), wall);
        world.step_wall_clock(-1h);
        EXPECT_EQ(world.wall_now(), wall - 1h);
        EXPECT_EQ(world.now(), time);
        world.set_wall_clock_drift(1000);
        co_await rondo::sleep(1000s);
        EXPECT_EQ(world.wall_now(), wall - 1h + 1001s);
        world.set_wall_clock_drift(0);
        co_await rondo::sleep(1s);
        EXPECT_EQ(world.wall_now(), wall - 1h + 1002s);
        EXPECT_EQ(rondo::detail::loop_access::backend(rondo::running_loop()).wall_now(), world.wall_now());
    });
}

TEST(SimulatedWorld, TimersMayFireLateButNotEarlyAndInTheirOrder) {
    bool was_late = false;
    const auto result = rondo::sim::explore({.schedules = 200}, [&]() -> coro<> {
        const auto before = rondo::clock::now();
        std::vector<int> order;
        auto second = rondo::create_task([&]() -> coro<> {
            co_await rondo::sleep(2ms);
            order.push_back(2);
        });
        auto first = rondo::create_task([&]() -> coro<> {
            co_await rondo::sleep(1ms);
            order.push_back(1);
        });
        co_await second;
        co_await first;
        EXPECT_EQ(order, (std::vector{1, 2}));
        EXPECT_GE(rondo::clock::now() - before, 2ms);
        was_late = was_late || rondo::clock::now() - before > 2ms;
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_TRUE(was_late);
}

TEST(SimulatedWorld, TheLoopMayWakeForNothing) {
    rondo::sim::fault_classes faults = rondo::sim::fault_classes::none();
    faults.latency = true;
    const auto result = rondo::sim::explore({.schedules = 100, .faults = faults, .coverage = true}, []() -> coro<> {
        co_await rondo::to_thread([] {}); // takes its time
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    const auto early = std::ranges::find(result.labels, std::string_view("the loop wakes for nothing"),
                                         [](const rondo::sim::label_count& c) { return c.what.text(); });
    ASSERT_NE(early, result.labels.end());
    EXPECT_GT(early->deviated, 0U);
}

TEST(WaitAllTasksBlocked, ReturnsWhenEverybodyWaits) {
    in_a_plain_world([]() -> coro<> {
        const auto before = rondo::clock::now();
        rondo::event go;
        int steps = 0;
        auto busy = rondo::create_task([&]() -> coro<> {
            for (; steps < 100; ++steps) co_await rondo::yield();
            co_await go.wait();
        });
        auto asleep = rondo::create_task([]() -> coro<> { co_await rondo::sleep(1h); });
        co_await rondo::sim::wait_all_tasks_blocked();
        EXPECT_EQ(steps, 100);
        EXPECT_EQ(rondo::clock::now(), before);
        go.set();
        co_await busy;
        co_await asleep;
    });
}

TEST(SimulatedWorld, WorkOfThreadsTakesVirtualTime) {
    const auto result = rondo::sim::explore({.schedules = 100}, []() -> coro<> {
        const auto here = rondo::running_loop_or_null();
        const bool outside = co_await rondo::to_thread([] { return rondo::running_loop_or_null() == nullptr; });
        EXPECT_TRUE(outside);
        EXPECT_EQ(rondo::running_loop_or_null(), here);
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
}

TEST(SimulatedWorld, AThreadThatWouldWaitForItsLoopIsToldThatItCannot) {
    in_a_plain_world([]() -> coro<> {
        const auto asked =
            co_await rondo::as_result(rondo::to_thread([] { return rondo::from_thread::run_sync([] { return 1; }); }));
        EXPECT_TRUE(asked.holds<rondo::runtime_error>());
    });
}

TEST(SimulatedWorld, APoolThatIsMadeInItHasNoThreads) {
    const auto result = rondo::sim::explore({.schedules = 100}, []() -> coro<> {
        rondo::thread_pool pool(4, "disk");
        const auto here = std::this_thread::get_id();
        const bool same = co_await rondo::running_loop().run_in_executor(
            &pool, [here] { return std::this_thread::get_id() == here && !rondo::running_loop_or_null(); });
        EXPECT_TRUE(same);
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
}

TEST(SimulatedWorld, RandomnessComesFromTheSeed) {
    const auto draw = [](std::uint64_t seed) {
        std::uint64_t drawn = 0;
        rondo::sim::run({.seed = seed}, [&]() -> coro<> {
            EXPECT_EQ(rondo::sim::world().seed(), seed);
            drawn = rondo::detail::loop_access::backend(rondo::running_loop()).random();
            co_return;
        });
        return drawn;
    };
    EXPECT_EQ(draw(1), draw(1));
    EXPECT_NE(draw(1), draw(2));
}

TEST(SimulatedWorld, IsNotThereOutsideOfARun) {
    EXPECT_THROW(rondo::sim::world(), rondo::runtime_error);
    EXPECT_THROW(rondo::sim::choose(2, "heads"), rondo::runtime_error);
    EXPECT_THROW(rondo::sim::choose(0, "nothing"), rondo::value_error);
}

} // namespace
