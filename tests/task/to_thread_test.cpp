#include <rondo/task/to_thread.hpp>

#include <rondo/loop/context.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/from_thread.hpp>
#include <rondo/task/gather.hpp>

#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::coro;
using rondo::create_task;
using rondo::to_thread;
using rondo::test::pass_by;

class ToThread : public rondo::test::loop_test {};
RONDO_ON_EACH_BACKEND(ToThread);

TEST_P(ToThread, RunsInAnotherThreadAndGivesTheValue) {
    run([&]() -> coro<> {
        const auto here = std::this_thread::get_id();
        EXPECT_NE(co_await to_thread([] { return std::this_thread::get_id(); }), here);
        EXPECT_EQ(std::this_thread::get_id(), here);
        EXPECT_EQ(co_await to_thread([](int a, int b) { return a + b; }, 2, 3), 5);
    });
}

TEST_P(ToThread, GivesNothingForVoid) {
    run([&]() -> coro<> {
        bool called = false;
        co_await to_thread([&] { called = true; });
        EXPECT_TRUE(called);
    });
}

TEST_P(ToThread, ThrowsWhatTheCallThrows) {
    run([&]() -> coro<> {
        auto outcome = co_await as_result(to_thread([]() -> int { throw rondo::value_error("in the thread"); }));
        EXPECT_TRUE(outcome.holds<rondo::value_error>());
    });
}

TEST_P(ToThread, TakesAndGivesWhatCanOnlyBeMoved) {
    run([&]() -> coro<> {
        auto twice = [](std::unique_ptr<int> p) {
            *p *= 2;
            return p;
        };
        EXPECT_EQ(*co_await to_thread(twice, std::make_unique<int>(21)), 42);
        int number = 1;
        co_await to_thread([](int& n) { ++n; }, std::ref(number));
        EXPECT_EQ(number, 2);
    });
}

TEST_P(ToThread, NothingStartsBeforeTheAwait) {
    run([&]() -> coro<> {
        std::atomic<int> calls{0};
        {
            auto never = to_thread([&] { ++calls; });
            static_cast<void>(never);
        }
        auto later = to_thread([&] { ++calls; });
        co_await pass_by(3);
        EXPECT_EQ(calls.load(), 0);
        co_await std::move(later);
        EXPECT_EQ(calls.load(), 1);
    });
}

TEST_P(ToThread, AwaitingTwiceThrows) {
    run([&]() -> coro<> {
        auto call = to_thread([] {});
        auto moved = std::move(call);
        co_await std::move(moved);
        EXPECT_THROW(co_await std::move(call), rondo::invalid_state_error);
    });
}

TEST_P(ToThread, TheLoopGoesOnMeanwhile) {
    run([&]() -> coro<> {
        std::binary_semaphore go(0);
        auto call = create_task(to_thread([&] { go.acquire(); }));
        co_await pass_by(5);
        EXPECT_FALSE(call.done());
        go.release();
        co_await call;
    });
}

rondo::context_var<std::string> who{"who", "nobody"};

TEST_P(ToThread, RunsInACopyOfTheContext) {
    run([&]() -> coro<> {
        who.assign("task");
        auto call = to_thread([] {
            const std::string seen = who.get();
            who.assign("thread");
            return seen;
        });
        who.assign("awaiting task"); // the copy is made at the await
        EXPECT_EQ(co_await std::move(call), "awaiting task");
        EXPECT_EQ(who.get(), "awaiting task");
        EXPECT_EQ(co_await to_thread([] { return who.get(); }), "awaiting task");
    });
}

TEST_P(ToThread, AnEmptyContextIsACopyToo) {
    loop().set_default_executor(std::make_shared<rondo::thread_pool>(1));
    run([&]() -> coro<> {
        co_await to_thread([] { who.assign("left behind"); });
        EXPECT_EQ(co_await to_thread([] { return who.get(); }), "nobody");
    });
}

TEST_P(ToThread, CancelledItReturnsAtOnceAndTheThreadRunsOn) {
    int living = 0;
    std::binary_semaphore begun(0);
    std::binary_semaphore go(0);
    std::binary_semaphore ended(0);
    run([&]() -> coro<> {
        auto call = create_task([&]() -> coro<> {
            co_await to_thread([&] {
                begun.release();
                go.acquire();
                ended.release();
                return rondo::test::tracked(living);
            });
            ADD_FAILURE() << "it was cancelled";
        });
        co_await to_thread([&] { begun.acquire(); });
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        go.release();
        co_await to_thread([&] { ended.acquire(); });
    });
    end_loop();
    EXPECT_EQ(living, 0) << "what it returned was dropped";
}

TEST_P(ToThread, AScopeEndsTheWait) {
    std::binary_semaphore go(0);
    run([&]() -> coro<> {
        rondo::cancel_scope scope({.deadline = rondo::clock::now()});
        EXPECT_FALSE((co_await scope.run([&]() -> coro<> { co_await to_thread([&] { go.acquire(); }); })).has_value());
        go.release();
    });
    end_loop(); // the thread uses `go`
}

TEST_P(ToThread, CancelledBeforeItHasBegunItNeverRuns) {
    loop().set_default_executor(std::make_shared<rondo::thread_pool>(1));
    run([&]() -> coro<> {
        std::binary_semaphore go(0);
        std::atomic<int> calls{0};
        auto busy = create_task(to_thread([&] { go.acquire(); }));
        auto queued = create_task(to_thread([&] { ++calls; }));
        co_await pass_by(2);
        queued.cancel();
        EXPECT_TRUE((co_await as_result(queued)).cancelled());
        go.release();
        co_await busy;
        co_await to_thread([] {}); // the only thread has passed by it
        EXPECT_EQ(calls.load(), 0);
    });
}

TEST_P(ToThread, AResultThatComesTogetherWithACancellationIsDropped) {
    int living = 0;
    run([&]() -> coro<> {
        auto call = create_task([&]() -> coro<> {
            co_await to_thread([&] { return rondo::test::tracked(living); });
            ADD_FAILURE() << "it was cancelled";
        });
        while (!call.record().blocked_on) co_await rondo::yield();
        while (call.record().blocked_on) co_await rondo::yield(); // the outcome is there, the task is ready
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        call = {};
    });
    end_loop();
    EXPECT_EQ(living, 0);
}

TEST_P(ToThread, DescribesItsWait) {
    loop().set_default_executor(std::make_shared<rondo::thread_pool>(1));
    run([&]() -> coro<> {
        std::binary_semaphore begun(0);
        std::binary_semaphore go(0);
        auto busy = create_task(to_thread([&] {
            begun.release();
            go.acquire();
        }));
        auto queued = create_task(to_thread([] {}));
        co_await rondo::yield();
        begun.acquire();
        EXPECT_EQ(busy.record().blocked_on->describe(), "waiting for a call that runs in a thread");
        EXPECT_EQ(queued.record().blocked_on->describe(), "waiting for a thread that is free");
        go.release();
        co_await queued;
        co_await busy;
    });
}

TEST_P(ToThread, AnExecutorThatRefusesMakesTheAwaitThrow) {
    struct refusing : rondo::executor {
        void submit(std::function<void()>) override { throw rondo::runtime_error("no threads today"); }
    };
    loop().set_default_executor(std::make_shared<refusing>());
    run([&]() -> coro<> { EXPECT_TRUE((co_await as_result(to_thread([] {}))).holds<rondo::runtime_error>()); });
}

TEST_P(ToThread, AnExecutorThatRunsItAtOnceIsAnExecutor) {
    struct inline_executor : rondo::executor {
        void submit(std::function<void()> work) override { work(); }
    };
    loop().set_default_executor(std::make_shared<inline_executor>());
    run([&]() -> coro<> { EXPECT_EQ(co_await to_thread([] { return 1; }), 1); });
}

TEST_P(ToThread, ManyCallsAtOnceAllComeBack) {
    run([&]() -> coro<> {
        std::vector<coro<int>> calls;
        for (int i = 0; i < 400; ++i)
            calls.push_back([](int n) -> coro<int> { co_return co_await to_thread([n] { return n; }); }(i));
        const std::vector<int> values = co_await rondo::gather(std::move(calls));
        for (int i = 0; i < 400; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
    });
}

// Threads end, tasks are cancelled and the loop closes, all at once.
TEST_P(ToThread, CancellationAndTheEndOfTheLoopMeetThreadsAtAnyMoment) {
    for (int round = 0; round < 30; ++round) {
        auto own = rondo::test::make_loop(GetParam());
        own->set_default_executor(std::make_shared<rondo::thread_pool>(8));
        std::atomic<int> ran{0};
        own->run_until_complete([](std::atomic<int>& count, int wait) -> coro<> {
            std::vector<rondo::task<>> calls;
            for (int i = 0; i < 64; ++i) {
                calls.push_back(create_task([&count]() -> coro<> {
                    co_await to_thread([&count] {
                        for (int spin = 0; spin < 50; ++spin) std::this_thread::yield();
                        ++count;
                        return std::make_unique<int>(1);
                    });
                }));
            }
            co_await pass_by(wait);
            for (std::size_t i = 0; i < calls.size(); i += 2) calls[i].cancel();
        }(ran, round % 7));
        own->close();
        EXPECT_LE(ran.load(), 64);
    }
}

} // namespace
