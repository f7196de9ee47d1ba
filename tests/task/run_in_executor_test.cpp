#include <rondo/task/run_in_executor.hpp>

#include <rondo/loop/context.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
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

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::coro;
using rondo::create_task;
using testing::HasSubstr;

class RunInExecutor : public rondo::test::loop_test {};
RONDO_ON_EACH_BACKEND(RunInExecutor);

TEST_P(RunInExecutor, GivesAFutureForTheDefaultExecutor) {
    run([&]() -> coro<> {
        auto f = loop().run_in_executor(nullptr, [](int x) { return std::to_string(x); }, 12);
        EXPECT_EQ(co_await f, "12");
        co_await loop().run_in_executor(nullptr, [] {});
    });
}

TEST_P(RunInExecutor, TakesAnExecutorOfOnesOwn) {
    rondo::thread_pool pool(1, "own");
    run([&]() -> coro<> {
        const auto first = co_await loop().run_in_executor(&pool, [] { return std::this_thread::get_id(); });
        const auto second = co_await loop().run_in_executor(&pool, [] { return std::this_thread::get_id(); });
        EXPECT_EQ(first, second);
        EXPECT_NE(first, std::this_thread::get_id());
    });
}

TEST_P(RunInExecutor, StartsAtOnce) {
    std::binary_semaphore ran(0);
    auto f = loop().run_in_executor(nullptr, [&] { ran.release(); });
    ran.acquire();
    run([&]() -> coro<> { co_await f; });
}

TEST_P(RunInExecutor, TheFutureGetsTheError) {
    run([&]() -> coro<> {
        auto f = loop().run_in_executor(nullptr, [] { throw rondo::value_error("no"); });
        EXPECT_TRUE((co_await as_result(f)).holds<rondo::value_error>());
    });
}

TEST_P(RunInExecutor, CancellingTheFutureStopsOnlyWhatHasNotBegun) {
    rondo::thread_pool pool(1);
    run([&]() -> coro<> {
        std::binary_semaphore begun(0);
        std::binary_semaphore go(0);
        std::atomic<int> ended{0};
        auto running = loop().run_in_executor(&pool, [&] {
            begun.release();
            go.acquire();
            ++ended;
        });
        auto queued = loop().run_in_executor(&pool, [&] { ++ended; });
        begun.acquire();
        EXPECT_TRUE(running.cancel());
        EXPECT_TRUE(queued.cancel());
        EXPECT_TRUE((co_await as_result(running)).cancelled());
        EXPECT_TRUE((co_await as_result(queued)).cancelled());
        go.release();
        co_await loop().run_in_executor(&pool, [] {});
        EXPECT_EQ(ended.load(), 1);
    });
}

TEST_P(RunInExecutor, AFutureThatWasSetByHandKeepsThatValue) {
    std::binary_semaphore go(0);
    run([&]() -> coro<> {
        auto f = loop().run_in_executor(nullptr, [&] {
            go.acquire();
            return 1;
        });
        f.set_result(2);
        go.release();
        EXPECT_EQ(co_await f, 2);
    });
    end_loop(); // the thread uses `go`
}

rondo::context_var<int> depth{"depth", 0};

TEST_P(RunInExecutor, DoesNotCarryTheContextOver) {
    run([&]() -> coro<> {
        depth.assign(5);
        EXPECT_EQ(co_await loop().run_in_executor(nullptr, [] { return depth.get(); }), 0);
        EXPECT_EQ(co_await rondo::to_thread([] { return depth.get(); }), 5);
    });
}

TEST_P(RunInExecutor, WhatSubmittingThrowsIsThrownAndNothingIsLeftBehind) {
    struct refusing : rondo::executor {
        void submit(std::function<void()>) override { throw rondo::runtime_error("no threads today"); }
    } none;
    int living = 0;
    EXPECT_THROW(static_cast<void>(loop().run_in_executor(&none, [t = rondo::test::tracked(living)] {})),
                 rondo::runtime_error);
    EXPECT_EQ(living, 0);
}

TEST_P(RunInExecutor, AResultThatComesAfterTheEndOfTheLoopIsDropped) {
    std::binary_semaphore go(0);
    std::binary_semaphore done(0);
    rondo::thread_pool pool(1); // joined before they die
    auto f = loop().run_in_executor(&pool, [&] {
        go.acquire();
        return std::string("too late");
    });
    loop().close(); // it waits for the default executor alone
    EXPECT_TRUE(f.cancelled());
    f = {};
    end_loop();
    go.release();
    pool.submit([&] { done.release(); });
    done.acquire();
}

TEST_P(RunInExecutor, TheEndOfTheLoopWaitsForTheDefaultExecutor) {
    std::binary_semaphore begun(0);
    std::atomic<bool> ended{false};
    auto f = loop().run_in_executor(nullptr, [&] {
        begun.release();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();
        ended = true;
    });
    begun.acquire();
    loop().close();
    EXPECT_TRUE(ended.load());
    EXPECT_TRUE(f.done());
}

TEST_P(RunInExecutor, ShutdownWaitsAndRefusesWhatComesAfter) {
    run([&]() -> coro<> {
        std::binary_semaphore go(0);
        auto f = loop().run_in_executor(nullptr, [&] { go.acquire(); });
        auto shutdown = create_task(loop().shutdown_default_executor());
        co_await rondo::test::pass_by(3);
        EXPECT_FALSE(shutdown.done());
        EXPECT_THROW(static_cast<void>(loop().run_in_executor(nullptr, [] {})), rondo::runtime_error);
        EXPECT_TRUE((co_await as_result(rondo::to_thread([] {}))).holds<rondo::runtime_error>());
        go.release();
        co_await shutdown;
        EXPECT_TRUE(f.done());
        EXPECT_THROW(static_cast<void>(loop().default_executor()), rondo::runtime_error);
        co_await loop().shutdown_default_executor();
        rondo::thread_pool own(1);
        EXPECT_EQ(co_await loop().run_in_executor(&own, [] { return 1; }), 1);
    });
}

TEST_P(RunInExecutor, ACancelledShutdownLeavesTheThreadsToTheEndOfTheLoop) {
    std::binary_semaphore go(0);
    run([&]() -> coro<> {
        auto f = loop().run_in_executor(nullptr, [&] { go.acquire(); });
        auto shutdown = create_task(loop().shutdown_default_executor());
        co_await rondo::test::pass_by(2);
        shutdown.cancel();
        EXPECT_TRUE((co_await as_result(shutdown)).cancelled());
        EXPECT_FALSE(f.done());
        go.release();
        co_await f;
    });
}

TEST_P(RunInExecutor, TheDefaultExecutorIsNotNull) {
    EXPECT_THROW(loop().set_default_executor(nullptr), rondo::type_error);
}

TEST_P(RunInExecutor, ACallThatDoesNotEndIsNamedAndLeftAlone) {
    auto never = std::make_shared<std::binary_semaphore>(0);
    loop().set_default_executor(std::make_shared<rondo::thread_pool>(1));
    run([&]() -> coro<> {
        std::binary_semaphore begun(0);
        auto stuck = create_task({.name = "impatient"}, [&]() -> coro<> {
            co_await rondo::to_thread([&begun, never] {
                begun.release();
                never->acquire();
            });
        });
        co_await rondo::test::pass_by(2);
        begun.acquire();
        stuck.cancel();
        EXPECT_TRUE((co_await as_result(stuck)).cancelled());
        auto queued = loop().run_in_executor(nullptr, [] { ADD_FAILURE() << "the loop is gone"; });
        co_await loop().shutdown_default_executor(1ms);
        EXPECT_TRUE(queued.cancelled());
    });
    end_loop(); // which does not wait for it again
    auto told = reports.take();
    EXPECT_EQ(told.size(), 2u);
    std::string all;
    for (const auto& r : told) all += r.message + "\n";
    EXPECT_THAT(
        all,
        HasSubstr("has not ended, and its thread is left alone: to_thread() at tests/task/run_in_executor_test.cpp"));
    EXPECT_THAT(all, HasSubstr("by task 'impatient'"));
    EXPECT_THAT(all, HasSubstr("has not begun, and will not: run_in_executor()"));
}

TEST_P(RunInExecutor, WhenOneShutdownGivesUpTheOthersThatWaitEndToo) {
    auto never = std::make_shared<std::binary_semaphore>(0);
    run([&]() -> coro<> {
        std::binary_semaphore begun(0);
        auto stuck = loop().run_in_executor(nullptr, [&begun, never] {
            begun.release();
            never->acquire();
        });
        begun.acquire();
        auto patient = create_task(loop().shutdown_default_executor());
        auto impatient = create_task(loop().shutdown_default_executor(1ms));
        co_await impatient;
        co_await rondo::test::pass_by(2);
        EXPECT_TRUE(patient.done());
        patient.cancel();
        static_cast<void>(co_await as_result(patient));
        stuck.cancel();
    });
    never->release();
    EXPECT_EQ(reports.take().size(), 1u);
}

} // namespace
