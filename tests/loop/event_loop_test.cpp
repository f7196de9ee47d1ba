// The loop as a whole: running and stopping it, what it is while it runs and after it was closed, and debug mode.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/run_in_executor.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using rondo::test::tracked;

class RunForever : public test::loop_test {};
RONDO_IN_EACH_WORLD(RunForever);
class RunForeverAmongThreads : public test::loop_test {}; // a simulated world knows nothing of those of the kernel
RONDO_ON_EACH_BACKEND(RunForeverAmongThreads);
class RunUntilComplete : public test::loop_test {};
RONDO_IN_EACH_WORLD(RunUntilComplete);
class EventLoop : public test::loop_test {};
RONDO_IN_EACH_WORLD(EventLoop);
class MachineClock : public test::loop_test {};
RONDO_ON_EACH_BACKEND(MachineClock);
/// Of the kernel: steps that take long, by the machine's clock.
class LoopDebug : public test::loop_test {
protected:
    void SetUp() override {
        loop_test::SetUp();
        if (!IsSkipped()) loop().set_debug(true);
    }
};
RONDO_ON_EACH_BACKEND(LoopDebug);

coro<int> one() { co_return 1; }

TEST_P(RunForever, StopLetsThePassFinishAndLeavesTheRestForTheNextRun) {
    std::string order;
    loop().call_soon([&] {
        order.push_back('a');
        loop().stop();
        loop().call_soon([&] {
            order.push_back('c');
            loop().stop();
        });
    });
    loop().call_soon([&] { order.push_back('b'); });
    loop().run_forever();
    EXPECT_EQ(order, "ab");
    loop().run_forever();
    EXPECT_EQ(order, "abc");
}

TEST_P(RunForever, StoppedBeforehandItMakesOnePassThatDoesNotWait) {
    loop().call_later(1h, [] { ADD_FAILURE(); });
    loop().stop();
    const std::uint64_t before = passes();
    loop().run_forever(); // nothing to do
    EXPECT_EQ(passes(), before + 1);
    std::string order;
    loop().call_soon([&] {
        order.push_back('a');
        loop().call_soon([&] { order.push_back('b'); });
    });
    loop().stop();
    loop().run_forever();
    EXPECT_EQ(order, "a");
    EXPECT_EQ(passes(), before + 2);
}

TEST_P(RunForever, AStopCountsOnce) {
    loop().stop();
    loop().stop();
    loop().run_forever();
    int calls = 0;
    std::function<void()> again = [&] {
        if (++calls < 10) loop().call_soon(again);
        else loop().stop();
    };
    again();
    loop().run_forever();
    EXPECT_EQ(calls, 10) << "the stops from before are used up";
}

TEST_P(RunForever, AStopDuringRunOnceEndsThatPassOnly) {
    loop().call_soon([&] { loop().stop(); });
    EXPECT_TRUE(loop().run_once(0s));
    int calls = 0;
    std::function<void()> again = [&] {
        if (++calls < 10) loop().call_soon(again);
        else loop().stop();
    };
    again();
    loop().run_forever();
    EXPECT_EQ(calls, 10);
}

TEST_P(RunForever, AStopWhileTheLoopClosesDoesNotMakeItSpin) {
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            loop().stop();
            co_await sleep(5ms);
        });
        co_await yield();
    });
    const std::uint64_t before = passes();
    loop().close();
    EXPECT_LT(passes() - before, 10u);
}

TEST_P(RunForeverAmongThreads, WaitsForTimersAndForThem) {
    std::jthread other;
    loop().call_later(1ms, [&] { other = std::jthread([&] { loop().call_soon_threadsafe([&] { loop().stop(); }); }); });
    const std::uint64_t before = passes();
    loop().run_forever();
    EXPECT_LT(passes() - before, 10u) << "it sleeps while there is nothing to do";
}

TEST_P(RunForever, AnExitRequestIsThrownAfterTheCallbackAndTheLoopCanGoOn) {
    std::string order;
    loop().call_soon([] { throw keyboard_interrupt("^C"); });
    loop().call_soon([&] { order.push_back('a'); });
    EXPECT_THROW(loop().run_forever(), keyboard_interrupt);
    EXPECT_EQ(order, "");
    EXPECT_FALSE(loop().is_running());
    loop().call_soon([&] {
        order.push_back('b');
        loop().stop();
    });
    loop().run_forever();
    EXPECT_EQ(order, "ab");
    loop().call_soon([] { throw system_exit(3); });
    EXPECT_THROW(loop().run_once(0s), system_exit);
}

TEST_P(RunForever, IsRefusedInARunningLoop) {
    auto other = test::make_loop(GetParam());
    loop().call_soon([&] {
        EXPECT_THROW(loop().run_forever(), runtime_error);
        EXPECT_THROW(loop().run_once(0s), runtime_error);
        EXPECT_THROW(loop().run_until_complete(one()), runtime_error);
        EXPECT_THROW(other->run_forever(), runtime_error) << "one running loop in a thread";
        EXPECT_THROW(other->run_once(0s), runtime_error);
        EXPECT_THROW(other->run_until_complete(one()), runtime_error);
        EXPECT_EQ(running_loop_or_null(), &loop());
    });
    run_passes(1);
    EXPECT_EQ(other->run_until_complete(one()), 1);
}

TEST_P(RunUntilComplete, GivesTheValueOrThrowsTheError) {
    EXPECT_EQ(loop().run_until_complete(one()), 1);
    EXPECT_THROW(loop().run_until_complete([]() -> coro<> {
        throw value_error("failed");
        co_return;
    }()),
                 value_error);
    auto value =
        loop().run_until_complete([]() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(5); }());
    EXPECT_EQ(*value, 5);
    EXPECT_THROW(loop().run_until_complete([]() -> coro<> {
        throw cancelled_error("gone");
        co_return;
    }()),
                 cancelled_error);
}

TEST_P(RunUntilComplete, TakesAFutureOrATask) {
    future<int> f = loop().create_future<int>();
    loop().call_later(1ms, [f]() mutable { f.set_result(2); });
    EXPECT_EQ(loop().run_until_complete(f), 2);
    EXPECT_EQ(loop().run_until_complete(f), 2) << "done already: one pass";
    EXPECT_EQ(loop().run_until_complete(loop().create_task(one)), 1);
}

TEST_P(RunUntilComplete, AFutureOfAnotherLoopOrNoneIsAnError) {
    auto other = test::make_loop(GetParam());
    future<int> f = other->create_future<int>();
    EXPECT_THROW(loop().run_until_complete(f), value_error);
    EXPECT_THROW(loop().run_until_complete(future<int>()), type_error);
}

TEST_P(RunUntilComplete, ALoopThatIsStoppedFirstIsAnErrorAndTheTaskLives) {
    bool ended = false;
    const auto main = [&]() -> coro<> {
        co_await sleep(1ms);
        ended = true;
    };
    loop().call_soon([&] { loop().stop(); });
    EXPECT_THROW(loop().run_until_complete(main()), runtime_error);
    while (!ended) loop().run_once(no_timeout);
}

TEST_P(RunUntilComplete, LeavesOtherTasksForTheNextRun) {
    int steps = 0;
    auto other = loop().create_task([&]() -> coro<> {
        for (int i = 0; i < 5; ++i) {
            ++steps;
            co_await yield();
        }
    });
    EXPECT_EQ(loop().run_until_complete(one()), 1);
    EXPECT_FALSE(other.done());
    EXPECT_GE(steps, 1);
    loop().run_until_complete(other);
    EXPECT_EQ(steps, 5);
}

TEST_P(RunUntilComplete, InAClosedLoopTheCoroutineIsDestroyed) {
    int living = 0;
    loop().close();
    EXPECT_THROW(loop().run_until_complete([](tracked) -> coro<int> { co_return 1; }(tracked(living))), runtime_error);
    EXPECT_EQ(living, 0);
}

TEST_P(EventLoop, KnowsWhetherItRuns) {
    EXPECT_FALSE(loop().is_running());
    EXPECT_FALSE(loop().is_closed());
    EXPECT_EQ(running_loop_or_null(), nullptr);
    EXPECT_THROW(running_loop(), runtime_error);
    run([&]() -> coro<> {
        EXPECT_TRUE(loop().is_running());
        EXPECT_EQ(running_loop_or_null(), &loop());
        EXPECT_EQ(&running_loop(), &loop());
        std::thread([] {
            EXPECT_EQ(running_loop_or_null(), nullptr) << "it is this thread's affair";
            EXPECT_THROW(running_loop(), runtime_error);
        }).join();
        co_return;
    });
    EXPECT_FALSE(loop().is_running());
    EXPECT_EQ(running_loop_or_null(), nullptr);
    loop().close();
    EXPECT_TRUE(loop().is_closed());
}

TEST_P(EventLoop, EachThreadRunsItsOwn) {
    run([&]() -> coro<> {
        std::thread([&] {
            auto other = test::make_loop(GetParam());
            other->call_soon([&] { EXPECT_EQ(&running_loop(), other.get()); });
            other->run_once(0s);
            EXPECT_EQ(running_loop_or_null(), nullptr);
            other->close();
        }).join();
        EXPECT_EQ(&running_loop(), &loop());
        co_return;
    });
}

TEST_P(EventLoop, ClosedItRefusesEveryUse) {
    loop().close();
    EXPECT_THROW(loop().run_forever(), runtime_error);
    EXPECT_THROW(loop().run_once(0s), runtime_error);
    EXPECT_THROW(loop().call_soon([] {}), runtime_error);
    EXPECT_THROW(loop().call_soon_threadsafe([] {}), runtime_error);
    EXPECT_THROW(loop().call_later(0s, [] {}), runtime_error);
    EXPECT_THROW(loop().call_at(time_point{}, [] {}), runtime_error);
    EXPECT_THROW(static_cast<void>(loop().create_task(one)), runtime_error);
    EXPECT_THROW(static_cast<void>(loop().create_future<int>()), runtime_error);
    EXPECT_THROW(loop().default_executor(), runtime_error);
    EXPECT_THROW(static_cast<void>(loop().run_in_executor(nullptr, [] {})), runtime_error);
    EXPECT_THROW(loop().add_signal_handler(SIGUSR1, [] {}), runtime_error);
    EXPECT_THROW(loop().set_exception_handler(nullptr), runtime_error);
    EXPECT_FALSE(loop().remove_signal_handler(SIGUSR1));
    EXPECT_EQ(loop().poll_fd(), -1);
    loop().stop();
    EXPECT_FALSE(loop().is_running());
    const time_point before = std::chrono::steady_clock::now();
    EXPECT_LE(before, loop().time());
}

TEST_P(EventLoop, WhatItRefusesIsDestroyed) {
    int living = 0;
    loop().close();
    EXPECT_THROW(loop().call_soon([t = tracked(living)] {}), runtime_error);
    EXPECT_THROW(loop().call_soon_threadsafe([t = tracked(living)] {}), runtime_error);
    EXPECT_THROW(loop().call_later(1s, [t = tracked(living)] {}), runtime_error);
    EXPECT_EQ(living, 0);
}

TEST_P(MachineClock, IsSteadyAndTheProgramsWhileTheLoopRuns) {
    const time_point before = std::chrono::steady_clock::now();
    const time_point loops = loop().time();
    EXPECT_LE(before, loops);
    EXPECT_LE(loops, loop().time());
    EXPECT_LE(loops, clock::now());
    run([&]() -> coro<> {
        const time_point here = loop().time();
        EXPECT_LE(here, clock::now());
        co_return;
    });
}

TEST_P(EventLoop, TellsItsBackend) { EXPECT_EQ(loop().backend(), GetParam()); }

TEST_P(EventLoop, ThousandsMayBeMadeOneAfterAnother) {
    for (int i = 0; i < 1000; ++i) {
        auto other = test::make_loop(GetParam());
        ASSERT_EQ(other->run_until_complete(one()), 1);
    }
}

TEST_P(LoopDebug, IsWhatTheOptionsSay) {
    EXPECT_TRUE(loop().debug());
    loop().set_debug(false);
    EXPECT_FALSE(loop().debug());
    auto other = test::make_loop(GetParam(), true);
    EXPECT_TRUE(other->debug());
    other->close();
}

TEST_P(LoopDebug, UseFromAnotherThreadWhileItRunsThrows) {
    run([&]() -> coro<> {
        std::thread([&] {
            EXPECT_THROW(loop().call_soon([] { ADD_FAILURE(); }), runtime_error);
            EXPECT_THROW(loop().call_later(0s, [] { ADD_FAILURE(); }), runtime_error);
            EXPECT_THROW(loop().call_at(time_point{}, [] { ADD_FAILURE(); }), runtime_error);
            EXPECT_THROW(static_cast<void>(loop().create_task(one)), runtime_error);
            EXPECT_THROW(loop().default_executor(), runtime_error);
            loop().call_soon_threadsafe([] {});
        }).join();
        co_await yield();
    });
}

TEST_P(LoopDebug, AnotherThreadMayRunItNext) {
    EXPECT_EQ(run(one()), 1);
    std::thread([&] {
        loop().call_soon([] {});
        EXPECT_EQ(loop().run_until_complete(one()), 1);
    }).join();
    EXPECT_EQ(run(one()), 1);
}

TEST_P(LoopDebug, WhatRunsLongIsToldOf) {
    EXPECT_EQ(loop().slow_callback_duration(), 100ms);
    const auto told = [&](duration limit) {
        loop().set_slow_callback_duration(limit);
        loop().call_soon([] {});
        testing::internal::CaptureStderr();
        run_passes(1);
        return testing::internal::GetCapturedStderr();
    };
    EXPECT_TRUE(told(0s).starts_with("rondo: Executing <Handle finished created at "));
    EXPECT_EQ(told(1h), "");
    loop().set_debug(false);
    EXPECT_EQ(told(0s), "");
}

/// While it lives, the environment variable has this value.
class environment {
public:
    environment(const char* name, const char* value) : name_(name) {
        if (const char* now = std::getenv(name)) before_ = now;
        ::setenv(name, value, 1);
    }
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    ~environment() {
        if (before_) ::setenv(name_, before_->c_str(), 1);
        else ::unsetenv(name_);
    }

private:
    const char* name_;
    std::optional<std::string> before_;
};

TEST(LoopDebugDeathTest, IsWhatTheEnvironmentSaysWhereTheOptionsDoNot) {
    GTEST_FLAG_SET(death_test_style, "threadsafe"); // the environment is read once in a process: this starts new ones
    const auto tell = [] { std::_Exit(event_loop({.backend = backend_kind::epoll}).debug() ? 10 : 20); };
    for (const auto& [value, status] :
         {std::pair{"1", 10}, std::pair{"yes", 10}, std::pair{"0", 20}, std::pair{"", 20}}) {
        const environment set("RONDO_DEBUG", value);
        EXPECT_EXIT(tell(), testing::ExitedWithCode(status), "") << "RONDO_DEBUG=" << value;
    }
}

} // namespace
} // namespace rondo
