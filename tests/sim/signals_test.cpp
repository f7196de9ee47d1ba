// The signals of a simulated world.
#include <rondo/io/signal_receiver.hpp>

#include <rondo/loop/event_loop.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/sleep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <set>

namespace {

using namespace std::chrono_literals;
using rondo::coro;

RONDO_SIM_TEST(SimulatedSignal, IsToldToEveryReceiverAndTheHandler, {.schedules = 200}) {
    rondo::signal_receiver first({SIGTERM, SIGHUP});
    rondo::signal_receiver second({SIGTERM});
    int handled = 0;
    rondo::running_loop().add_signal_handler(SIGTERM, [&] { ++handled; });
    rondo::sim::world().raise(SIGTERM);
    EXPECT_EQ(co_await first.next(), SIGTERM);
    EXPECT_EQ(co_await second.next(), SIGTERM);
    co_await rondo::sleep(1ms);
    EXPECT_EQ(handled, 1);
    rondo::running_loop().remove_signal_handler(SIGTERM);
}

TEST(SimulatedSignal, ThatIsRaisedAgainBeforeItCameComesOnce) {
    std::set<int> counts;
    const auto result = rondo::sim::explore({.schedules = 300}, [&]() -> coro<> {
        int handled = 0;
        rondo::running_loop().add_signal_handler(SIGHUP, [&] { ++handled; });
        rondo::sim::world().raise(SIGHUP);
        rondo::sim::world().raise(SIGHUP);
        co_await rondo::sleep(10ms);
        rondo::sim::world().raise(SIGHUP);
        co_await rondo::sleep(1min);
        rondo::running_loop().remove_signal_handler(SIGHUP);
        counts.insert(handled);
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_THAT(counts, testing::ElementsAre(1, 2));
}

TEST(SimulatedSignal, ThatNobodyWatchesEndsTheProgram) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        rondo::sim::world().raise(SIGTERM);
        co_await rondo::sleep(1min);
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_THAT(outcome.failure->message, testing::HasSubstr("signal 15 has ended the program"));
}

RONDO_SIM_TEST(SimulatedSignal, ThatIsIgnoredByDefaultDoesNothing, {.schedules = 20}) {
    rondo::sim::world().raise(SIGCHLD);
    EXPECT_THROW(rondo::sim::world().raise(65), rondo::value_error);
    EXPECT_THROW(rondo::signal_receiver({SIGKILL}), rondo::runtime_error);
    co_await rondo::sleep(1min);
}

} // namespace
