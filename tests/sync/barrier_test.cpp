#include <rondo/sync/barrier.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>

#include "support/loop_test.hpp"
#include "support/operator_new.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::barrier;
using rondo::broken_barrier_error;
using rondo::coro;
using rondo::create_task;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;
using testing::IsEmpty;

class Barrier : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Barrier);

using indexes = std::vector<std::size_t>;

coro<> note_index(barrier& b, indexes& order) { order.push_back(co_await b.wait()); }

std::vector<task<>> start(barrier& b, indexes& order, int n) {
    std::vector<task<>> tasks;
    while (n-- > 0) tasks.push_back(create_task(note_index, std::ref(b), std::ref(order)));
    return tasks;
}

std::string description_of(const rondo::task_base& t) {
    return t.record().blocked_on ? t.record().blocked_on->describe() : std::string("is not waiting");
}

TEST_P(Barrier, IsForAtLeastOneTask) {
    EXPECT_THROW(barrier(0), rondo::value_error);
    EXPECT_THROW(barrier(-1), rondo::value_error);
    EXPECT_EQ(barrier(3).parties(), 3u);
    EXPECT_FALSE(barrier(3).broken());
    EXPECT_EQ(barrier(3).n_waiting(), 0u);
}

TEST_P(Barrier, LetsGoWhenAllHaveCome) {
    run([&]() -> coro<> {
        barrier b(3);
        indexes order;
        auto two = start(b, order, 2);
        co_await pass_by(3);
        EXPECT_THAT(order, IsEmpty());
        EXPECT_EQ(b.n_waiting(), 2u);
        EXPECT_EQ(co_await b.wait(), 2u);
        for (auto& t : two) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1));
        EXPECT_EQ(b.n_waiting(), 0u);
    });
}

TEST_P(Barrier, TheLastToComeDoesNotSuspendAndGoesOnFirst) {
    run([&]() -> coro<> {
        barrier b(4);
        indexes order;
        auto others = start(b, order, 3);
        co_await rondo::yield();
        const auto before = passes();
        order.push_back(co_await b.wait());
        EXPECT_EQ(passes(), before);
        for (auto& t : others) co_await t;
        EXPECT_THAT(order, ElementsAre(3, 0, 1, 2));
    });
}

TEST_P(Barrier, ForOneTaskNeverWaits) {
    run([&]() -> coro<> {
        barrier b(1);
        const auto before = passes();
        for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await b.wait(), 0u);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Barrier, WaitingCountsAgainstTheBudget) {
    run([&]() -> coro<> {
        barrier b(1);
        co_await rondo::yield();
        const auto before = passes();
        for (int i = 0; i < 128; ++i) co_await b.wait();
        EXPECT_EQ(passes(), before);
        EXPECT_EQ(co_await b.wait(), 0u);
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(Barrier, CanBeUsedAgainAndAgain) {
    run([&]() -> coro<> {
        barrier b(3);
        std::vector<int> rounds(3);
        int in_this_round = 0;
        std::vector<task<>> tasks;
        for (int who = 0; who < 3; ++who) {
            tasks.push_back(create_task(
                [&](int me) -> coro<> {
                    for (int round = 0; round < 50; ++round) {
                        co_await pass_by((round * (me + 1)) % 4);
                        ++in_this_round;
                        const bool last = co_await b.wait() == 2;
                        if (last) {
                            EXPECT_EQ(in_this_round, 3);
                            in_this_round = 0;
                        }
                        co_await b.wait(); // until the counter is 0 again
                        ++rounds[static_cast<std::size_t>(me)];
                    }
                },
                who));
        }
        for (auto& t : tasks) co_await t;
        EXPECT_THAT(rounds, ElementsAre(50, 50, 50));
    });
}

TEST_P(Barrier, WhoComesWhileOthersLeaveWaitsForTheNextRound) {
    run([&]() -> coro<> {
        barrier b(2);
        indexes order;
        auto first = start(b, order, 1);
        co_await rondo::yield();
        EXPECT_EQ(co_await b.wait(), 1u);
        EXPECT_EQ(b.n_waiting(), 0u) << "those who leave do not count";
        bool passed = false;
        auto early = create_task({.eager_start = true}, [&]() -> coro<> {
            EXPECT_EQ(co_await b.wait(), 0u);
            passed = true;
        });
        EXPECT_EQ(b.n_waiting(), 0u) << "it has to stay outside";
        EXPECT_EQ(description_of(early), "waiting until those before it have left a barrier");
        co_await first[0];
        EXPECT_EQ(b.n_waiting(), 1u) << "they have left, it has come in";
        EXPECT_FALSE(passed);
        EXPECT_EQ(co_await b.wait(), 1u);
        co_await early;
        EXPECT_THAT(order, ElementsAre(0));
    });
}

TEST_P(Barrier, ManyRoundsThatCameEarlyFollowEachOtherInOrder) {
    run([&]() -> coro<> {
        barrier b(2);
        indexes order;
        auto all = start(b, order, 9); // one begins each round that the next completes
        co_await pass_by(12);
        EXPECT_THAT(order, ElementsAre(1, 0, 1, 0, 1, 0, 1, 0));
        EXPECT_EQ(b.n_waiting(), 1u);
        EXPECT_EQ(co_await b.wait(), 1u);
        co_await all.back();
    });
}

TEST_P(Barrier, ACancelledWaiterLeavesAndOneMoreHasToCome) {
    run([&]() -> coro<> {
        barrier b(3);
        indexes order;
        auto two = start(b, order, 2);
        co_await rondo::yield();
        two[0].cancel();
        EXPECT_TRUE((co_await as_result(two[0])).cancelled());
        EXPECT_EQ(b.n_waiting(), 1u);
        auto third = start(b, order, 1);
        co_await pass_by(2);
        EXPECT_THAT(order, IsEmpty());
        EXPECT_EQ(co_await b.wait(), 2u);
        co_await third[0];
        EXPECT_THAT(order, ElementsAre(0, 1)) << "each number is given once, whoever has left";
        EXPECT_FALSE(b.broken());
    });
}

TEST_P(Barrier, AScopeEndsTheWait) {
    run([&]() -> coro<> {
        barrier b(2);
        EXPECT_FALSE((co_await rondo::move_on_after(0ms, b.wait())).has_value());
        EXPECT_EQ(b.n_waiting(), 0u);
    });
}

TEST_P(Barrier, AWaiterCancelledAfterItWasLetThroughDoesNotHoldUpTheNextRound) {
    run([&]() -> coro<> {
        barrier b(2);
        indexes order;
        auto first = start(b, order, 1);
        co_await rondo::yield();
        EXPECT_EQ(co_await b.wait(), 1u);
        first[0].cancel();
        auto next = start(b, order, 1);
        EXPECT_EQ(co_await b.wait(), 0u) << "outside at first, then the first one in";
        co_await next[0];
        EXPECT_TRUE(first[0].cancelled());
        EXPECT_THAT(order, ElementsAre(1));
    });
}

TEST_P(Barrier, AScopeDoesNotStopATaskThatWasLetThrough) {
    run([&]() -> coro<> {
        barrier b(2);
        rondo::cancel_scope scope;
        auto t = create_task([&]() -> coro<bool> {
            co_return (co_await scope.run([&]() -> coro<> { co_await b.wait(); })).has_value();
        });
        co_await rondo::yield();
        co_await b.wait();
        scope.cancel();
        EXPECT_TRUE(co_await t);
    });
}

TEST_P(Barrier, ResetBreaksThoseWhoWaitAndItIsUsableAgain) {
    run([&]() -> coro<> {
        barrier b(3);
        indexes order;
        auto two = start(b, order, 2);
        co_await rondo::yield();
        co_await b.reset();
        EXPECT_EQ(b.n_waiting(), 0u);
        EXPECT_FALSE(b.broken());
        auto fresh = start(b, order, 2);
        for (auto& t : two) EXPECT_TRUE((co_await as_result(t)).holds<broken_barrier_error>());
        EXPECT_EQ(co_await b.wait(), 2u);
        for (auto& t : fresh) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1));
    });
}

TEST_P(Barrier, ResetOfAnEmptyOneChangesNothing) {
    run([&]() -> coro<> {
        barrier b(1);
        const auto before = passes();
        co_await b.reset();
        EXPECT_EQ(co_await b.wait(), 0u);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Barrier, ResetAlsoReachesThoseWhoHaveNotGoneOnYet) {
    run([&]() -> coro<> {
        barrier b(3);
        indexes order;
        auto two = start(b, order, 2);
        co_await rondo::yield();
        EXPECT_EQ(co_await b.wait(), 2u);
        auto outside = create_task({.eager_start = true}, note_index, std::ref(b), std::ref(order));
        co_await b.reset();
        EXPECT_EQ(b.n_waiting(), 1u) << "who had to stay outside has come in";
        for (auto& t : two) EXPECT_TRUE((co_await as_result(t)).holds<broken_barrier_error>());
        auto one_more = start(b, order, 1);
        co_await rondo::yield();
        EXPECT_EQ(co_await b.wait(), 2u);
        co_await outside;
        co_await one_more[0];
        EXPECT_THAT(order, ElementsAre(0, 1));
    });
}

TEST_P(Barrier, AbortBreaksThoseWhoWaitAndWhoeverComesUntilReset) {
    run([&]() -> coro<> {
        barrier b(3);
        indexes order;
        auto two = start(b, order, 2);
        co_await rondo::yield();
        co_await b.abort();
        EXPECT_TRUE(b.broken());
        EXPECT_EQ(b.n_waiting(), 0u);
        for (auto& t : two) EXPECT_TRUE((co_await as_result(t)).holds<broken_barrier_error>());
        EXPECT_TRUE((co_await as_result(b.wait())).holds<broken_barrier_error>());
        EXPECT_TRUE((co_await as_result(b.wait())).holds<rondo::runtime_error>());
        co_await b.reset();
        EXPECT_FALSE(b.broken());
        auto again = start(b, order, 2);
        co_await rondo::yield();
        EXPECT_EQ(co_await b.wait(), 2u);
        for (auto& t : again) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1));
    });
}

TEST_P(Barrier, AbortAlsoReachesThoseWhoLeaveAndThoseOutside) {
    run([&]() -> coro<> {
        barrier b(2);
        indexes order;
        auto leaving = start(b, order, 1);
        co_await rondo::yield();
        EXPECT_EQ(co_await b.wait(), 1u);
        auto outside = create_task({.eager_start = true}, note_index, std::ref(b), std::ref(order));
        co_await b.abort();
        EXPECT_TRUE((co_await as_result(leaving[0])).holds<broken_barrier_error>());
        EXPECT_TRUE((co_await as_result(outside)).holds<broken_barrier_error>());
        EXPECT_THAT(order, IsEmpty());
    });
}

TEST_P(Barrier, ResetAndAbortDoNothingBeforeTheyAreAwaited) {
    run([&]() -> coro<> {
        barrier b(2);
        indexes order;
        auto waiting = start(b, order, 1);
        co_await rondo::yield();
        auto later = b.abort();
        EXPECT_FALSE(b.broken());
        EXPECT_EQ(b.n_waiting(), 1u);
        co_await later;
        EXPECT_TRUE(b.broken());
        EXPECT_TRUE((co_await as_result(waiting[0])).holds<broken_barrier_error>());
    });
}

TEST_P(Barrier, AResetThatWasDoneIsNotTornByACancellation) {
    run([&]() -> coro<> {
        barrier b(1);
        bool went_on = false;
        auto spender = create_task([&]() -> coro<> {
            for (int i = 0; i < 128; ++i) co_await b.reset();
            co_await b.abort(); // the budget is spent: it is done, and one pass goes by
            went_on = true;
            co_await rondo::yield();
            ADD_FAILURE() << "the cancellation was lost";
        });
        co_await rondo::yield();
        EXPECT_TRUE(b.broken());
        spender.cancel();
        EXPECT_TRUE((co_await as_result(spender)).cancelled());
        EXPECT_TRUE(went_on);
    });
}

TEST_P(Barrier, WaitingInAnotherLoopThanTheFirstThrows) {
    barrier b(2);
    run([&]() -> coro<> {
        indexes order;
        auto one = start(b, order, 1);
        co_await rondo::yield();
        co_await b.wait();
        co_await one[0];
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            co_await b.wait();
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "a barrier is bound to a different event loop");
        EXPECT_EQ(b.n_waiting(), 0u);
    });
}

TEST_P(Barrier, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto b = std::make_unique<barrier>(2);
        indexes order;
        auto leaving = start(*b, order, 1);
        co_await rondo::yield();
        co_await b->wait();
        auto outside = create_task({.eager_start = true}, note_index, std::ref(*b), std::ref(order));
        b.reset();
        EXPECT_TRUE((co_await as_result(leaving[0])).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await as_result(outside)).holds<rondo::runtime_error>());
        b = std::make_unique<barrier>(2);
        auto waiting = start(*b, order, 1);
        co_await rondo::yield();
        b.reset();
        EXPECT_TRUE((co_await as_result(waiting[0])).holds<rondo::runtime_error>());
    });
}

TEST_P(Barrier, IsFreeOfThoseWhoEndWithTheLoop) {
    barrier b(2);
    indexes order;
    auto waiting = loop().create_task(note_index, std::ref(b), std::ref(order));
    run_passes(1);
    EXPECT_EQ(b.n_waiting(), 1u);
    loop().close();
    EXPECT_TRUE(waiting.cancelled());
    EXPECT_EQ(b.n_waiting(), 0u);
}

TEST_P(Barrier, AWaiterDescribesItsWait) {
    run([&]() -> coro<> {
        barrier b(3);
        auto waiter = create_task(b.wait());
        co_await rondo::yield();
        EXPECT_EQ(description_of(waiter), "waiting for a barrier, 1 of 3 have come");
        std::vector<const rondo::detail::future_state*> who;
        waiter.record().blocked_on->waits_for(who);
        EXPECT_TRUE(who.empty()) << "nobody knows who will come";
        co_await b.reset();
        EXPECT_TRUE((co_await as_result(waiter)).holds<broken_barrier_error>());
    });
}

TEST_P(Barrier, ARoundInSteadyStateAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        barrier b(2);
        auto other = create_task([&]() -> coro<> {
            while (!b.broken()) static_cast<void>(co_await as_result(b.wait()));
        });
        const auto rounds = [&](int n) -> coro<> {
            while (n-- > 0) co_await b.wait();
        };
        co_await rounds(16);
        const auto calls = rondo::test::operator_new_calls();
        const auto refills = rondo::detail::block_refills();
        co_await rounds(1000);
        EXPECT_EQ(rondo::test::operator_new_calls(), calls);
        EXPECT_EQ(rondo::detail::block_refills(), refills);
        co_await b.abort();
        co_await other;
    });
}

} // namespace
