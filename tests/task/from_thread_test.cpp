#include <rondo/task/from_thread.hpp>

#include <rondo/loop/context.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/to_thread.hpp>

#include "support/loop_test.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

namespace {

using rondo::as_result;
using rondo::coro;
using rondo::create_task;
using rondo::to_thread;
namespace from_thread = rondo::from_thread;

class FromThread : public rondo::test::loop_test {};
RONDO_ON_EACH_BACKEND(FromThread);

coro<int> twice(int x) {
    co_await rondo::yield();
    co_return 2 * x;
}

TEST_P(FromThread, RunsACoroutineInTheLoopAndGivesItsValue) {
    run([&]() -> coro<> {
        const auto here = std::this_thread::get_id();
        const int x = co_await to_thread([&] {
            const auto where =
                from_thread::run([]() -> coro<std::thread::id> { co_return std::this_thread::get_id(); });
            EXPECT_EQ(where, here);
            from_thread::run([]() -> coro<> { co_await rondo::yield(); });
            return from_thread::run(twice, 4) + 1;
        });
        EXPECT_EQ(x, 9);
    });
}

TEST_P(FromThread, ThrowsWhatTheCoroutineThrows) {
    run([&]() -> coro<> {
        auto outcome = co_await as_result(to_thread([] {
            from_thread::run([]() -> coro<> {
                co_await rondo::yield();
                throw rondo::value_error("in the loop");
            });
        }));
        EXPECT_TRUE(outcome.holds<rondo::value_error>());
    });
}

TEST_P(FromThread, CallsAFunctionInTheLoopsThread) {
    run([&]() -> coro<> {
        const auto here = std::this_thread::get_id();
        co_await to_thread([&] {
            EXPECT_EQ(from_thread::run_sync([] { return std::this_thread::get_id(); }), here);
            EXPECT_EQ(*from_thread::run_sync([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3)), 3);
            int calls = 0;
            from_thread::run_sync([](int& n) { ++n; }, std::ref(calls));
            EXPECT_EQ(calls, 1);
            EXPECT_THROW(from_thread::run_sync([] { throw rondo::value_error("no"); }), rondo::value_error);
        });
    });
}

TEST_P(FromThread, WorksInAnyExecutorThatTheLoopUses) {
    rondo::thread_pool pool(1);
    run([&]() -> coro<> {
        EXPECT_EQ(co_await loop().run_in_executor(&pool, [] { return from_thread::run(twice, 2); }), 4);
    });
}

TEST_P(FromThread, AnywhereElseItThrows) {
    EXPECT_THROW(from_thread::check_cancelled(), rondo::runtime_error);
    EXPECT_THROW(from_thread::run(twice, 1), rondo::runtime_error);
    EXPECT_THROW(from_thread::run_sync([] {}), rondo::runtime_error);
    run([&]() -> coro<> {
        EXPECT_THROW(from_thread::check_cancelled(), rondo::runtime_error);
        co_return;
    });
}

rondo::context_var<std::string> request{"request", "none"};

TEST_P(FromThread, TheTaskStartsWithTheContextOfTheThread) {
    run([&]() -> coro<> {
        request.assign("outer");
        co_await to_thread([] {
            request.assign("thread");
            EXPECT_EQ(from_thread::run([]() -> coro<std::string> { co_return request.get(); }), "thread");
            from_thread::run([]() -> coro<> {
                request.assign("inner");
                co_return;
            });
            EXPECT_EQ(request.get(), "thread");
        });
        EXPECT_EQ(request.get(), "outer");
    });
}

TEST_P(FromThread, CheckCancelledSeesThatTheAwaitingTaskWasCancelled) {
    std::binary_semaphore begun(0);
    std::binary_semaphore cancelled(0);
    std::binary_semaphore ended(0);
    std::atomic<int> seen{0};
    run([&]() -> coro<> {
        auto call = create_task(to_thread([&] {
            from_thread::check_cancelled();
            begun.release();
            cancelled.acquire();
            try {
                from_thread::check_cancelled();
            } catch (const rondo::cancelled_error&) {
                ++seen;
            }
            ended.release();
        }));
        co_await rondo::yield();
        co_await to_thread([&] { begun.acquire(); });
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        cancelled.release();
        co_await to_thread([&] { ended.acquire(); });
    });
    EXPECT_EQ(seen.load(), 1);
}

TEST_P(FromThread, ACancelledCallCanStillUseTheLoop) {
    std::binary_semaphore begun(0);
    std::binary_semaphore cancelled(0);
    std::atomic<int> value{0};
    run([&]() -> coro<> {
        auto call = create_task(to_thread([&] {
            begun.release();
            cancelled.acquire();
            value = from_thread::run(twice, 3);
        }));
        co_await rondo::yield();
        begun.acquire();
        call.cancel();
        EXPECT_TRUE((co_await as_result(call)).cancelled());
        cancelled.release();
    });
    end_loop(); // waits for the thread, and serves it meanwhile
    EXPECT_EQ(value.load(), 6);
}

TEST_P(FromThread, AThreadThatWaitsForATaskIsFreedWhenTheLoopEnds) {
    std::binary_semaphore begun(0);
    std::atomic<int> freed{0};
    run([&]() -> coro<> {
        auto call = create_task(to_thread([&] {
            try {
                from_thread::run([&]() -> coro<> {
                    begun.release();
                    co_await rondo::sleep_forever();
                });
            } catch (const rondo::cancelled_error&) {
                ++freed;
            }
        }));
        co_await rondo::yield();
        co_await to_thread([&] { begun.acquire(); });
        EXPECT_FALSE(call.done());
    });
    end_loop();
    EXPECT_EQ(freed.load(), 1);
}

TEST_P(FromThread, OnceTheLoopIsClosedItThrows) {
    std::binary_semaphore begun(0);
    std::binary_semaphore closed(0);
    std::binary_semaphore ended(0);
    std::atomic<int> refused{0};
    rondo::thread_pool pool(1); // joined before they die
    auto f = loop().run_in_executor(&pool, [&] {
        begun.release();
        closed.acquire();
        try {
            from_thread::run(twice, 1);
        } catch (const rondo::runtime_error&) {
            ++refused;
        }
        try {
            from_thread::run_sync([] {});
        } catch (const rondo::runtime_error&) {
            ++refused;
        }
        ended.release();
    });
    begun.acquire();
    f = {};
    end_loop();
    closed.release();
    ended.acquire();
    EXPECT_EQ(refused.load(), 2);
}

TEST_P(FromThread, InTheLoopsOwnThreadBlockingThrows) {
    struct inline_executor : rondo::executor {
        void submit(std::function<void()> work) override { work(); }
    } here;
    run([&]() -> coro<> {
        auto f = loop().run_in_executor(&here, [] { from_thread::run_sync([] {}); });
        EXPECT_TRUE((co_await as_result(f)).holds<rondo::runtime_error>());
    });
}

TEST_P(FromThread, EightThreadsTalkToTheLoopWhileItEnds) {
    for (int round = 0; round < 10; ++round) {
        auto own = rondo::test::make_loop(GetParam());
        own->set_default_executor(std::make_shared<rondo::thread_pool>(8));
        std::atomic<int> sum{0};
        own->run_until_complete([](std::atomic<int>& total, int wait) -> coro<> {
            for (int i = 0; i < 8; ++i) {
                rondo::spawn(to_thread([&total] {
                    for (int n = 0; n < 20; ++n) total += from_thread::run_sync([] { return 1; });
                    try {
                        total += from_thread::run(twice, 1);
                    } catch (const rondo::cancelled_error&) { // the end of the loop cancels tasks
                    }
                }));
            }
            co_await rondo::test::pass_by(wait);
        }(sum, round * 3));
        own->close();
        EXPECT_EQ(sum.load() % 2, 0);
        EXPECT_GE(sum.load(), 0);
    }
}

} // namespace
