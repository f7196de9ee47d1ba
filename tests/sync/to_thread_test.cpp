// to_thread() with a capacity_limiter. What it has in common with the one without is in tests/task/to_thread_test.cpp.

#include <rondo/sync/to_thread.hpp>

#include <rondo/loop/context.hpp>
#include <rondo/loop/executor.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>

#include "support/loop_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace {

using rondo::as_result;
using rondo::capacity_limiter;
using rondo::coro;
using rondo::create_task;
using rondo::to_thread;
using rondo::test::pass_by;
using testing::ElementsAre;
using testing::HasSubstr;

class LimitedToThread : public rondo::test::loop_test {};
RONDO_ON_EACH_BACKEND(LimitedToThread);

TEST_P(LimitedToThread, RunsInAnotherThreadAndGivesTheValue) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        const auto here = std::this_thread::get_id();
        EXPECT_NE(co_await to_thread(l, [] { return std::this_thread::get_id(); }), here);
        EXPECT_EQ(*co_await to_thread(l, [](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(5)), 5);
        int number = 1;
        co_await to_thread(l, [](int& n) { ++n; }, std::ref(number));
        EXPECT_EQ(number, 2);
        EXPECT_TRUE(
            (co_await as_result(to_thread(l, [] { throw rondo::value_error("x"); }))).holds<rondo::value_error>());
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(LimitedToThread, RunsInACopyOfTheContext) {
    rondo::context_var<int> number{"number", 0};
    run([&]() -> coro<> {
        capacity_limiter limiter(1);
        const auto token = number.set(7);
        EXPECT_EQ(co_await to_thread(limiter, [&] { return number.get(); }), 7);
        co_await to_thread(limiter, [&] { number.assign(8); });
        EXPECT_EQ(number.get(), 7);
    });
}

TEST_P(LimitedToThread, NothingStartsBeforeTheAwait) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        std::atomic<int> calls{0};
        {
            auto never = to_thread(l, [&] { ++calls; });
            static_cast<void>(never);
        }
        auto later = to_thread(l, [&] { ++calls; });
        co_await pass_by(3);
        EXPECT_EQ(l.borrowed_tokens(), 0u);
        co_await std::move(later);
        EXPECT_EQ(calls.load(), 1);
    });
}

TEST_P(LimitedToThread, RunsAtMostAsManyAtOnceAsThereAreTokens) {
    run([&]() -> coro<> {
        capacity_limiter l(3);
        std::atomic<int> running{0};
        std::atomic<int> most{0};
        std::vector<coro<>> calls;
        for (int i = 0; i < 60; ++i) {
            calls.push_back(to_thread(l, [&] {
                const int now = ++running;
                int before = most.load();
                while (before < now && !most.compare_exchange_weak(before, now)) {}
                for (int spin = 0; spin < 20; ++spin) std::this_thread::yield();
                --running;
            }));
        }
        co_await rondo::gather(std::move(calls));
        EXPECT_LE(most.load(), 3);
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(LimitedToThread, TheTokenIsBorrowedInTheNameOfTheTask) {
    std::binary_semaphore go(0);
    run([&]() -> coro<> {
        capacity_limiter l(1);
        auto busy = create_task({.name = "reader"}, [&]() -> coro<> { co_await to_thread(l, [&] { go.acquire(); }); });
        co_await pass_by(2);
        EXPECT_THAT(l.statistics().borrowers, ElementsAre("reader"));
        auto waiting = create_task(to_thread(l, [] {}));
        co_await rondo::yield();
        EXPECT_THAT(waiting.record().blocked_on->describe(), HasSubstr("borrowed by 'reader'"));
        go.release();
        co_await busy;
        co_await waiting;
    });
}

TEST_P(LimitedToThread, ATaskThatHasATokenMayHaveCallsBesideIt) {
    run([&]() -> coro<> {
        capacity_limiter l(3);
        auto own = co_await l.scoped_acquire();
        co_await rondo::gather(to_thread(l, [] {}), to_thread(l, [] {}));
        EXPECT_EQ(l.borrowed_tokens(), 1u);
    });
}

TEST_P(LimitedToThread, CancelledWhileTheThreadRunsOnTheTokenStaysOut) {
    std::binary_semaphore begun(0);
    std::binary_semaphore go(0);
    run([&]() -> coro<> {
        capacity_limiter l(1);
        auto call = create_task(to_thread(l, [&] {
            begun.release();
            go.acquire();
        }));
        co_await to_thread([&] { begun.acquire(); });
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        EXPECT_EQ(l.borrowed_tokens(), 1u) << "one thread is busy";
        auto next = create_task(to_thread(l, [] { return 2; }));
        co_await pass_by(3);
        EXPECT_EQ(l.statistics().tasks_waiting, 1u);
        go.release();
        EXPECT_EQ(co_await next, 2);
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(LimitedToThread, CancelledBeforeItHasBegunItNeverRunsAndTheTokenIsBackAtOnce) {
    loop().set_default_executor(std::make_shared<rondo::thread_pool>(1));
    run([&]() -> coro<> {
        capacity_limiter l(1);
        std::binary_semaphore go(0);
        std::atomic<int> calls{0};
        auto busy = create_task(to_thread([&] { go.acquire(); }));
        auto queued = create_task(to_thread(l, [&] { ++calls; }));
        auto behind = create_task(to_thread(l, [&] { ++calls; }));
        co_await pass_by(3);
        EXPECT_EQ(l.borrowed_tokens(), 1u);
        EXPECT_EQ(l.statistics().tasks_waiting, 1u);
        behind.cancel();
        queued.cancel();
        EXPECT_EQ(l.borrowed_tokens(), 0u);
        EXPECT_TRUE((co_await as_result(queued)).cancelled());
        EXPECT_TRUE((co_await as_result(behind)).cancelled());
        go.release();
        co_await busy;
        co_await to_thread([] {}); // the only thread has passed by it
        EXPECT_EQ(calls.load(), 0);
    });
}

TEST_P(LimitedToThread, CancelledBetweenItsTokenAndItsThreadItGivesTheTokenBack) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        std::atomic<int> calls{0};
        l.acquire_nowait();
        auto call = create_task(to_thread(l, [&] { ++calls; }));
        co_await rondo::yield();
        l.release();
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        EXPECT_EQ(l.borrowed_tokens(), 0u);
        EXPECT_EQ(calls.load(), 0);
    });
}

TEST_P(LimitedToThread, AnExecutorThatRefusesMakesTheAwaitThrowAndTheTokenIsBack) {
    struct refusing : rondo::executor {
        void submit(std::function<void()>) override { throw rondo::runtime_error("no threads today"); }
    };
    loop().set_default_executor(std::make_shared<refusing>());
    run([&]() -> coro<> {
        capacity_limiter l(1);
        EXPECT_TRUE((co_await as_result(to_thread(l, [] {}))).holds<rondo::runtime_error>());
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(LimitedToThread, TheLimiterMayDieWhileACallRunsOn) {
    std::binary_semaphore begun(0);
    std::binary_semaphore go(0);
    run([&]() -> coro<> {
        auto l = std::make_unique<capacity_limiter>(1);
        auto call = create_task(to_thread(*l, [&] {
            begun.release();
            go.acquire();
        }));
        co_await to_thread([&] { begun.acquire(); });
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        l.reset();
        go.release();
    });
    end_loop(); // waits for the thread
}

TEST_P(LimitedToThread, TheEndOfTheLoopBringsTheTokensBack) {
    capacity_limiter l(2);
    std::atomic<int> ran{0};
    std::vector<rondo::task<>> calls;
    for (int i = 0; i < 6; ++i) calls.push_back(loop().create_task(to_thread(l, [&] { ++ran; })));
    run_passes(2);
    loop().close();
    EXPECT_EQ(l.borrowed_tokens(), 0u);
    EXPECT_LE(ran.load(), 2) << "the others were cancelled before they had a token";
}

TEST_P(LimitedToThread, ACallThatDoesNotEndIsNamedByThePlaceOfItsAwait) {
    std::binary_semaphore begun(0);
    std::binary_semaphore go(0);
    std::binary_semaphore ended(0);
    run([&]() -> coro<> {
        capacity_limiter l(1);
        auto stuck = create_task({.name = "stuck"}, [&]() -> coro<> {
            co_await to_thread(l, [&] {
                begun.release();
                go.acquire();
                ended.release();
            });
        });
        co_await pass_by(3);
        begun.acquire();
        co_await rondo::running_loop().shutdown_default_executor(std::chrono::milliseconds(0));
        stuck.cancel();
        EXPECT_TRUE((co_await as_result(stuck)).cancelled());
    });
    const auto said = reports.take();
    ASSERT_EQ(said.size(), 1u);
    EXPECT_TRUE(said[0].mentions("to_thread() at ") && said[0].mentions("sync/to_thread_test.cpp")) << said[0].message;
    EXPECT_TRUE(said[0].mentions("by task 'stuck'")) << said[0].message;
    go.release();
    ended.acquire();
}

} // namespace
