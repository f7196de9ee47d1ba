#include <rondo/task/concurrent_future.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/wrap_future.hpp>

#include "support/loop_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::concurrent_future;
using rondo::coro;
using testing::ElementsAre;

TEST(ConcurrentFuture, IsPendingUntilItsOutcomeIsSet) {
    concurrent_future<int> f;
    EXPECT_FALSE(f.done());
    EXPECT_FALSE(f.cancelled());
    f.set_result(3);
    EXPECT_TRUE(f.done());
    EXPECT_EQ(f.get(), 3);
    EXPECT_EQ(f.get(), 3) << "a value that can be copied stays";
    EXPECT_EQ(f.exception(), nullptr);
}

TEST(ConcurrentFuture, GetWaitsForAnotherThread) {
    concurrent_future<std::string> f;
    std::jthread other([f]() mutable { f.set_result("done"); });
    EXPECT_EQ(f.get(), "done");
}

TEST(ConcurrentFuture, GetThrowsTheError) {
    concurrent_future<int> f;
    f.set_exception(rondo::value_error("bad"));
    EXPECT_THROW(f.get(), rondo::value_error);
    EXPECT_THROW(f.get(), rondo::value_error);
    EXPECT_THROW(std::rethrow_exception(f.exception()), rondo::value_error);
    EXPECT_FALSE(f.cancelled());
}

TEST(ConcurrentFuture, GetGivesUpAfterItsTimeout) {
    concurrent_future<int> f;
    EXPECT_THROW(f.get(0s), rondo::timeout_error);
    EXPECT_THROW(f.get(1ms), rondo::timeout_error);
    f.set_result(1);
    EXPECT_EQ(f.get(0s), 1);
}

TEST(ConcurrentFuture, CancellingIsAnOutcome) {
    concurrent_future<int> f;
    EXPECT_TRUE(f.cancel());
    EXPECT_TRUE(f.cancelled());
    EXPECT_TRUE(f.done());
    EXPECT_TRUE(f.cancel()) << "it is cancelled";
    EXPECT_THROW(f.get(), rondo::cancelled_error);
    EXPECT_THROW(static_cast<void>(f.exception()), rondo::cancelled_error);
    concurrent_future<> done;
    done.set_result();
    EXPECT_FALSE(done.cancel());
    EXPECT_FALSE(done.cancelled());
}

TEST(ConcurrentFuture, ItsOutcomeIsSetOnce) {
    concurrent_future<int> f;
    f.set_result(1);
    EXPECT_THROW(f.set_result(2), rondo::invalid_state_error);
    EXPECT_THROW(f.set_exception(rondo::value_error("late")), rondo::invalid_state_error);
    EXPECT_EQ(f.get(), 1);
    concurrent_future<> cancelled;
    cancelled.cancel();
    EXPECT_THROW(cancelled.set_result(), rondo::invalid_state_error);
}

TEST(ConcurrentFuture, AValueThatCannotBeCopiedIsMovedOutOnce) {
    concurrent_future<std::unique_ptr<int>> f;
    f.set_result(std::make_unique<int>(5));
    EXPECT_EQ(*f.get(), 5);
    EXPECT_THROW(f.get(), rondo::invalid_state_error);
}

TEST(ConcurrentFuture, CallbacksRunOnceInTheOrderOfTheirComing) {
    concurrent_future<int> f;
    std::vector<int> seen;
    f.add_done_callback([&](concurrent_future<int> done) { seen.push_back(done.get()); });
    f.add_done_callback([&](const concurrent_future<int>&) { seen.push_back(2); });
    EXPECT_TRUE(seen.empty());
    f.set_result(1);
    EXPECT_THAT(seen, ElementsAre(1, 2));
    f.add_done_callback([&](const concurrent_future<int>&) { seen.push_back(3); });
    EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

TEST(ConcurrentFuture, ACallbackThatThrowsDoesNotStopTheOthers) {
    concurrent_future<> f;
    bool reached = false;
    f.add_done_callback([](const concurrent_future<>&) { throw std::runtime_error("from a callback"); });
    f.add_done_callback([&](const concurrent_future<>&) { reached = true; });
    testing::internal::CaptureStderr();
    f.set_result();
    EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("from a callback"));
    EXPECT_TRUE(reached);
}

TEST(ConcurrentFuture, ACallbackMayAddAnother) {
    concurrent_future<> f;
    bool reached = false;
    f.add_done_callback([&](const concurrent_future<>& done) {
        done.add_done_callback([&](const concurrent_future<>&) { reached = true; });
    });
    f.cancel();
    EXPECT_TRUE(reached);
}

TEST(ConcurrentFuture, OneOfManyThreadsSetsItAndAllOfThemSeeTheSame) {
    constexpr int threads = 8;
    for (int round = 0; round < 200; ++round) {
        concurrent_future<int> f;
        std::atomic<int> winners{0};
        std::atomic<int> callbacks{0};
        std::atomic<int> sum{0};
        {
            std::latch start(threads);
            std::vector<std::jthread> all;
            for (int i = 0; i < threads; ++i) {
                all.emplace_back([&, i, f]() mutable {
                    start.arrive_and_wait();
                    f.add_done_callback([&](const concurrent_future<int>&) { ++callbacks; });
                    try {
                        f.set_result(i);
                        ++winners;
                    } catch (const rondo::invalid_state_error&) {}
                    sum += f.get();
                });
            }
        }
        EXPECT_EQ(winners.load(), 1);
        EXPECT_EQ(callbacks.load(), threads);
        EXPECT_EQ(sum.load(), threads * f.get());
    }
}

class WrapFuture : public rondo::test::loop_test {};
RONDO_ON_EACH_BACKEND(WrapFuture);

TEST_P(WrapFuture, BlockingInALoopsThreadThrowsInsteadOfStoppingTheLoop) {
    run([&]() -> coro<> {
        concurrent_future<int> f;
        EXPECT_THROW(f.get(), rondo::runtime_error);
        EXPECT_THROW(f.get(1ms), rondo::runtime_error);
        EXPECT_THROW(static_cast<void>(f.exception()), rondo::runtime_error);
        f.set_result(1);
        EXPECT_EQ(f.get(), 1) << "nothing to wait for";
        co_return;
    });
}

TEST_P(WrapFuture, GetsTheValueThatAnotherThreadSets) {
    run([&]() -> coro<> {
        concurrent_future<std::string> f;
        std::jthread other([f]() mutable { f.set_result("from outside"); });
        EXPECT_EQ(co_await rondo::wrap_future(f), "from outside");
    });
}

TEST_P(WrapFuture, GetsTheErrorAndTheCancellation) {
    run([&]() -> coro<> {
        concurrent_future<int> failing;
        auto mirror = rondo::wrap_future(failing);
        failing.set_exception(rondo::value_error("no"));
        EXPECT_TRUE((co_await as_result(mirror)).holds<rondo::value_error>());
        concurrent_future<> cancelled;
        auto other = rondo::wrap_future(cancelled);
        cancelled.cancel();
        EXPECT_TRUE((co_await as_result(other)).cancelled());
        EXPECT_TRUE(other.cancelled());
    });
}

TEST_P(WrapFuture, GetsWhatWasThereBefore) {
    run([&]() -> coro<> {
        concurrent_future<std::unique_ptr<int>> f;
        f.set_result(std::make_unique<int>(4));
        EXPECT_EQ(*co_await rondo::wrap_future(f), 4);
        EXPECT_THROW(f.get(), rondo::invalid_state_error);
    });
}

TEST_P(WrapFuture, CancellingTheMirrorCancelsTheOriginal) {
    run([&]() -> coro<> {
        concurrent_future<int> f;
        bool told = false;
        f.add_done_callback([&](const concurrent_future<int>&) { told = true; });
        auto mirror = rondo::wrap_future(f);
        mirror.cancel();
        EXPECT_TRUE(f.cancelled());
        EXPECT_FALSE(told) << "user code runs in a pass of its own";
        co_await rondo::yield();
        EXPECT_TRUE(told);
    });
}

TEST_P(WrapFuture, CancellingTheAwaitingTaskCancelsTheOriginal) {
    run([&]() -> coro<> {
        concurrent_future<int> f;
        auto t = rondo::create_task([f]() -> coro<> { co_await rondo::wrap_future(f); });
        co_await rondo::yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_TRUE(f.cancelled());
    });
}

TEST_P(WrapFuture, AnOriginalThatEndsAfterTheLoopHarmsNobody) {
    concurrent_future<int> f;
    rondo::future<int> mirror;
    run([&]() -> coro<> {
        mirror = rondo::wrap_future(f);
        co_return;
    });
    loop().close();
    EXPECT_TRUE(mirror.cancelled());
    EXPECT_FALSE(f.cancelled());
    f.set_result(1);
    EXPECT_EQ(f.get(), 1);
}

TEST_P(WrapFuture, AnOriginalThatNeverEndsDoesNotLeak) {
    run([&]() -> coro<> {
        auto mirror = rondo::wrap_future(concurrent_future<int>());
        co_await rondo::yield();
        EXPECT_FALSE(mirror.done());
    });
}

} // namespace
