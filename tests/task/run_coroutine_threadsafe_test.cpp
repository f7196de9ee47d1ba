#include <rondo/task/run_coroutine_threadsafe.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/to_thread.hpp>

#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::concurrent_future;
using rondo::coro;
using rondo::run_coroutine_threadsafe;

class RunCoroutineThreadsafe : public rondo::test::loop_test {
protected:
    /// Runs fn in a thread of its own while the loop runs, and the loop until fn has ended.
    template <class F> void beside_the_loop(F fn) {
        run([&]() -> coro<> { co_await rondo::to_thread(std::move(fn)); });
    }
};
RONDO_ON_EACH_BACKEND(RunCoroutineThreadsafe);

coro<int> twice(int x) {
    co_await rondo::yield();
    co_return 2 * x;
}

TEST_P(RunCoroutineThreadsafe, RunsACallableInTheLoopsThread) {
    const auto loops_thread = std::this_thread::get_id();
    beside_the_loop([&] {
        EXPECT_EQ(run_coroutine_threadsafe(loop(), twice, 21).get(), 42);
        auto where =
            run_coroutine_threadsafe(loop(), []() -> coro<std::thread::id> { co_return std::this_thread::get_id(); });
        EXPECT_EQ(where.get(), loops_thread);
        run_coroutine_threadsafe(loop(), []() -> coro<> { co_await rondo::yield(); }).get();
    });
}

TEST_P(RunCoroutineThreadsafe, RunsACoroutineThatWasMadeHere) {
    beside_the_loop([&] { EXPECT_EQ(run_coroutine_threadsafe(twice(4), loop()).get(), 8); });
}

TEST_P(RunCoroutineThreadsafe, GivesTheErrorOfTheTask) {
    beside_the_loop([&] {
        auto failing = run_coroutine_threadsafe(loop(), []() -> coro<int> {
            co_await rondo::yield();
            throw rondo::value_error("no");
        });
        EXPECT_THROW(failing.get(), rondo::value_error);
    });
}

TEST_P(RunCoroutineThreadsafe, GivesWhatCanOnlyBeMoved) {
    beside_the_loop([&] {
        auto f = run_coroutine_threadsafe(
            loop(), [](std::unique_ptr<int> p) -> coro<std::unique_ptr<int>> { co_return p; },
            std::make_unique<int>(3));
        EXPECT_EQ(*f.get(), 3);
    });
}

TEST_P(RunCoroutineThreadsafe, CancellingTheFutureCancelsTheTask) {
    std::binary_semaphore begun(0);
    concurrent_future<bool> told;
    beside_the_loop([&] {
        auto f = run_coroutine_threadsafe(loop(), [&]() -> coro<> {
            begun.release();
            auto outcome = co_await rondo::as_result(rondo::sleep_forever());
            told.set_result(outcome.cancelled());
            outcome.value();
        });
        begun.acquire();
        EXPECT_TRUE(f.cancel());
        EXPECT_THROW(f.get(), rondo::cancelled_error);
        EXPECT_TRUE(told.get());
    });
}

TEST_P(RunCoroutineThreadsafe, ATaskThatIsCancelledCancelsTheFuture) {
    beside_the_loop([&] {
        auto f = run_coroutine_threadsafe(loop(), []() -> coro<> {
            rondo::current_task().cancel();
            co_await rondo::yield();
        });
        EXPECT_THROW(f.get(), rondo::cancelled_error);
        EXPECT_TRUE(f.cancelled());
    });
}

TEST_P(RunCoroutineThreadsafe, CancelledBeforeTheLoopCameRoundItNeverRuns) {
    auto f = run_coroutine_threadsafe(loop(), []() -> coro<> {
        ADD_FAILURE() << "it was cancelled before";
        co_return;
    });
    EXPECT_TRUE(f.cancel());
    run_passes(3);
    EXPECT_TRUE(f.cancelled());
}

TEST_P(RunCoroutineThreadsafe, WaitingForItInTheLoopsThreadThrows) {
    run([&]() -> coro<> {
        auto f = run_coroutine_threadsafe(loop(), twice, 1);
        EXPECT_THROW(f.get(), rondo::runtime_error);
        while (!f.done()) co_await rondo::yield();
        EXPECT_EQ(f.get(), 2);
    });
}

TEST_P(RunCoroutineThreadsafe, ACallbackRunsInTheLoopInAPassOfItsOwn) {
    run([&]() -> coro<> {
        std::string log;
        auto f = run_coroutine_threadsafe(loop(), [&]() -> coro<> {
            log += "task ";
            co_return;
        });
        f.add_done_callback([&](const concurrent_future<>&) {
            EXPECT_FALSE(rondo::current_task());
            log += "callback";
        });
        co_await rondo::test::pass_by(6);
        EXPECT_EQ(log, "task callback");
    });
}

TEST_P(RunCoroutineThreadsafe, AClosedLoopThrows) {
    loop().close();
    EXPECT_THROW(static_cast<void>(run_coroutine_threadsafe(loop(), twice, 1)), rondo::runtime_error);
    EXPECT_THROW(static_cast<void>(run_coroutine_threadsafe(twice(1), loop())), rondo::runtime_error);
}

TEST_P(RunCoroutineThreadsafe, WhatTheLoopClosesBeforeItCouldBeginIsToldSo) {
    int living = 0;
    auto f = run_coroutine_threadsafe(
        loop(), [](rondo::test::tracked) -> coro<int> { co_return 1; }, rondo::test::tracked(living));
    loop().close();
    EXPECT_THROW(f.get(), rondo::runtime_error);
    EXPECT_EQ(living, 0);
}

TEST_P(RunCoroutineThreadsafe, ATaskThatTheEndOfTheLoopCancelsFreesItsWaiter) {
    std::binary_semaphore begun(0);
    concurrent_future<> f = run_coroutine_threadsafe(loop(), [&]() -> coro<> {
        begun.release();
        co_await rondo::sleep_forever();
    });
    std::jthread waiting([&] { EXPECT_THROW(f.get(), rondo::cancelled_error); });
    run_passes(3);
    begun.acquire();
    loop().close();
}

TEST_P(RunCoroutineThreadsafe, WhatACallableThrowsBeforeItGivesACoroutineIsInTheFutureAndReported) {
    beside_the_loop([&] {
        auto f = run_coroutine_threadsafe(
            loop(),
            [](bool broken) -> coro<int> {
                if (broken) throw rondo::value_error("no coroutine");
                return twice(1);
            },
            true);
        EXPECT_THROW(f.get(), rondo::value_error);
    });
    const auto told = reports.take();
    EXPECT_EQ(told.size(), 1u);
    EXPECT_TRUE(told.at(0).holds<rondo::value_error>());
}

TEST_P(RunCoroutineThreadsafe, WhatATaskFactoryThrowsIsInTheFutureAndReported) {
    loop().set_task_factory([](rondo::event_loop&, rondo::any_coro, rondo::task_options) -> rondo::task_base {
        throw rondo::value_error("no task");
    });
    auto f = run_coroutine_threadsafe(loop(), twice, 1);
    run_passes(2);
    loop().set_task_factory(nullptr);
    EXPECT_THROW(f.get(), rondo::value_error);
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(RunCoroutineThreadsafe, EightThreadsAskAndCancelAndTheLoopCloses) {
    for (int round = 0; round < 10; ++round) {
        auto own = rondo::test::make_loop(GetParam());
        std::atomic<int> answered{0};
        std::atomic<int> refused{0};
        std::atomic<int> left{8};
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 40; ++i) {
                    try {
                        auto f = run_coroutine_threadsafe(*own, twice, i);
                        if ((i + t) % 5 == 0) f.cancel();
                        if (f.get() == 2 * i) ++answered;
                    } catch (const rondo::cancelled_error&) {
                    } catch (const rondo::runtime_error&) {
                        ++refused;
                    }
                }
                --left;
            });
        }
        const int passes = 20 * round;
        for (int i = 0; i < passes; ++i) own->run_once(1ms);
        own->close(); // while they still ask
        threads.clear();
        EXPECT_EQ(left.load(), 0);
        EXPECT_LE(answered.load() + refused.load(), 8 * 40);
    }
}

} // namespace
