#include <rondo/sync/queue.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"
#include "support/operator_new.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using rondo::as_result;
using rondo::coro;
using rondo::create_task;
using rondo::queue;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;

class Queue : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Queue);

coro<> get_into(queue<int>& q, std::vector<int>& got) { got.push_back(co_await q.get()); }
coro<> put_one(queue<int>& q, int item) { co_await q.put(item); }

TEST_P(Queue, OfCapacityZeroIsRefused) {
    EXPECT_THROW(queue<int>(0), rondo::value_error);
    EXPECT_EQ(queue<int>(3).maxsize().value(), 3u);
    EXPECT_TRUE(queue<int>(rondo::unbounded).maxsize().is_unbounded());
}

TEST_P(Queue, PutAndGetDoNotSuspendWhenTheyNeedNot) {
    run([&]() -> coro<> {
        queue<int> q(2);
        const auto before = passes();
        co_await q.put(1);
        co_await q.put(2);
        EXPECT_TRUE(q.full());
        EXPECT_EQ(q.qsize(), 2u);
        EXPECT_EQ(co_await q.get(), 1);
        EXPECT_EQ(co_await q.get(), 2);
        EXPECT_TRUE(q.empty());
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Queue, PuttingAndGettingCountAgainstTheBudget) {
    run([&]() -> coro<> {
        queue<int> q(rondo::unbounded);
        co_await rondo::yield();
        auto before = passes();
        for (int i = 0; i < 128; ++i) co_await q.put(i);
        EXPECT_EQ(passes(), before);
        co_await q.put(128);
        EXPECT_EQ(passes(), before + 1);
        co_await rondo::yield();
        before = passes();
        for (int i = 0; i < 128; ++i) EXPECT_EQ(co_await q.get(), i);
        EXPECT_EQ(passes(), before);
        EXPECT_EQ(co_await q.get(), 128);
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(Queue, GetWaitsForAnItem) {
    run([&]() -> coro<> {
        queue<int> q(1);
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(q), std::ref(got));
        co_await pass_by(2);
        EXPECT_TRUE(got.empty());
        q.put_nowait(7);
        co_await getter;
        EXPECT_THAT(got, ElementsAre(7));
    });
}

TEST_P(Queue, PutWaitsForRoom) {
    run([&]() -> coro<> {
        queue<int> q(1);
        q.put_nowait(1);
        auto putter = create_task(put_one, std::ref(q), 2);
        co_await pass_by(2);
        EXPECT_FALSE(putter.done());
        EXPECT_EQ(q.get_nowait(), 1);
        co_await putter;
        EXPECT_EQ(q.get_nowait(), 2);
    });
}

TEST_P(Queue, WithoutALimitIsNeverFull) {
    queue<int> q(rondo::unbounded);
    for (int i = 0; i < 1000; ++i) q.put_nowait(i);
    EXPECT_FALSE(q.full());
    EXPECT_EQ(q.qsize(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(q.get_nowait(), i);
}

TEST_P(Queue, GettersAreServedInTheOrderOfTheirComing) {
    run([&]() -> coro<> {
        queue<int> q(8);
        std::vector<std::vector<int>> got(3);
        std::vector<task<>> getters;
        for (auto& g : got) getters.push_back(create_task(get_into, std::ref(q), std::ref(g)));
        co_await rondo::yield();
        for (int i = 1; i <= 3; ++i) q.put_nowait(i);
        for (auto& g : getters) co_await g;
        EXPECT_THAT(got, ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(3)));
    });
}

TEST_P(Queue, PuttersAreServedInTheOrderOfTheirComing) {
    run([&]() -> coro<> {
        queue<int> q(1);
        std::vector<task<>> putters;
        for (int i = 1; i <= 4; ++i) putters.push_back(create_task(put_one, std::ref(q), i));
        co_await rondo::yield();
        std::vector<int> got;
        for (int i = 0; i < 4; ++i) got.push_back(co_await q.get());
        EXPECT_THAT(got, ElementsAre(1, 2, 3, 4));
    });
}

TEST_P(Queue, AGetterThatNeedNotWaitDoesNotOvertakeOneThatWasPromisedAnItem) {
    run([&]() -> coro<> {
        queue<int> q(8);
        std::vector<int> first;
        auto waiting = create_task(get_into, std::ref(q), std::ref(first));
        co_await rondo::yield();
        q.put_nowait(1);
        q.put_nowait(2);
        EXPECT_EQ(co_await q.get(), 2);
        EXPECT_THAT(first, ElementsAre(1));
        co_await waiting;
    });
}

TEST_P(Queue, APutterThatNeedNotWaitDoesNotOvertakeOneThatWasPromisedAPlace) {
    run([&]() -> coro<> {
        queue<int> q(2);
        q.put_nowait(1);
        q.put_nowait(2);
        auto waiting = create_task(put_one, std::ref(q), 3);
        co_await rondo::yield();
        EXPECT_EQ(q.get_nowait(), 1);
        EXPECT_EQ(q.get_nowait(), 2);
        co_await q.put(4);
        co_await waiting;
        EXPECT_EQ(q.get_nowait(), 3);
        EXPECT_EQ(q.get_nowait(), 4);
    });
}

TEST_P(Queue, AnItemThatIsPromisedMakesRoomAtOnceForAPutterThatWaits) {
    run([&]() -> coro<> {
        queue<int> q(1);
        auto first = create_task(q.get());
        co_await rondo::yield();
        q.put_nowait(1); // on its way to the first one
        q.put_nowait(2);
        auto putter = create_task({.eager_start = true}, put_one, std::ref(q), 3);
        EXPECT_NE(putter.record().blocked_on, nullptr);
        auto second = create_task({.eager_start = true}, [&]() -> coro<int> { co_return co_await q.get(); });
        EXPECT_FALSE(second.done()) << "it goes behind the first one";
        EXPECT_EQ(putter.record().blocked_on, nullptr) << "the place is on its way to it";
        EXPECT_TRUE(q.full());
        EXPECT_EQ(co_await first, 1);
        EXPECT_EQ(co_await second, 2);
        co_await putter;
        EXPECT_EQ(q.get_nowait(), 3);
    });
}

TEST_P(Queue, APromisedItemHasLeftAndAPromisedPlaceIsTaken) {
    run([&]() -> coro<> {
        queue<int> q(1);
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(q), std::ref(got));
        co_await rondo::yield();
        q.put_nowait(1);
        EXPECT_TRUE(q.empty());
        EXPECT_EQ(q.qsize(), 0u);
        EXPECT_THROW(q.get_nowait(), rondo::queue_empty);
        EXPECT_EQ(q.try_get(), std::nullopt);
        co_await getter;

        q.put_nowait(2);
        auto putter = create_task(put_one, std::ref(q), 3);
        co_await rondo::yield();
        EXPECT_EQ(q.get_nowait(), 2);
        EXPECT_TRUE(q.full());
        EXPECT_THROW(q.put_nowait(4), rondo::queue_full);
        EXPECT_FALSE(q.try_put(4));
        co_await putter;
        EXPECT_EQ(q.get_nowait(), 3);
        EXPECT_THAT(got, ElementsAre(1));
    });
}

TEST_P(Queue, NowaitThrowsWhereTheQueueIsFullOrEmpty) {
    queue<int> q(1);
    EXPECT_THROW(q.get_nowait(), rondo::queue_empty);
    q.put_nowait(1);
    EXPECT_THROW(q.put_nowait(2), rondo::queue_full);
    EXPECT_EQ(q.get_nowait(), 1);
}

TEST_P(Queue, TryPutLeavesWhatItDidNotTakeToTheCaller) {
    queue<std::unique_ptr<int>> q(1);
    EXPECT_TRUE(q.try_put(std::make_unique<int>(1)));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(q.try_put(std::move(second)));
    EXPECT_TRUE(second);
    EXPECT_EQ(**q.try_get(), 1);
    EXPECT_EQ(q.try_get(), std::nullopt);
    q.shutdown();
    EXPECT_FALSE(q.try_put(std::move(second)));
    EXPECT_TRUE(second);
}

TEST_P(Queue, TakesItemsThatCanOnlyBeMoved) {
    run([&]() -> coro<> {
        queue<std::unique_ptr<int>> q(1);
        co_await q.put(std::make_unique<int>(1));
        auto putter = create_task(q.put(std::make_unique<int>(2)));
        co_await rondo::yield();
        EXPECT_EQ(*co_await q.get(), 1);
        EXPECT_EQ(**co_await q.next(), 2);
        co_await putter;
    });
}

TEST_P(Queue, ACancelledGetterLeavesTheLine) {
    run([&]() -> coro<> {
        queue<int> q(4);
        std::vector<int> first;
        std::vector<int> second;
        auto a = create_task(get_into, std::ref(q), std::ref(first));
        auto b = create_task(get_into, std::ref(q), std::ref(second));
        co_await rondo::yield();
        a.cancel();
        co_await rondo::yield();
        EXPECT_TRUE(a.cancelled());
        co_await q.put(1);
        co_await b;
        EXPECT_THAT(second, ElementsAre(1));
        co_await q.put(2);
        EXPECT_EQ(q.qsize(), 1u) << "a cancelled getter must leave nothing behind";
    });
}

TEST_P(Queue, GetterCancelledAfterWakeupPassesItOn) {
    run([&]() -> coro<> {
        queue<int> q(4);
        std::vector<int> first;
        std::vector<int> second;
        auto a = create_task(get_into, std::ref(q), std::ref(first));
        auto b = create_task(get_into, std::ref(q), std::ref(second));
        co_await rondo::yield();
        q.put_nowait(1);
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(first.empty());
        EXPECT_THAT(second, ElementsAre(1));
    });
}

TEST_P(Queue, AnItemOfACancelledGetterIsNextAgain) {
    run([&]() -> coro<> {
        queue<int> q(2);
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(q), std::ref(got));
        co_await rondo::yield();
        q.put_nowait(1);
        q.put_nowait(2);
        q.put_nowait(3);
        EXPECT_TRUE(q.full());
        getter.cancel();
        EXPECT_TRUE((co_await as_result(getter)).cancelled());
        EXPECT_EQ(q.qsize(), 3u) << "it came back, beyond the capacity";
        EXPECT_TRUE(q.full());
        EXPECT_EQ(q.get_nowait(), 1);
        EXPECT_TRUE(q.full());
        EXPECT_EQ(q.get_nowait(), 2);
        EXPECT_FALSE(q.full());
        EXPECT_EQ(q.get_nowait(), 3);
    });
}

TEST_P(Queue, ACancelledPutterHasPutNothing) {
    run([&]() -> coro<> {
        queue<int> q(1);
        q.put_nowait(1);
        auto a = create_task(put_one, std::ref(q), 2);
        auto b = create_task(put_one, std::ref(q), 3);
        co_await rondo::yield();
        a.cancel();
        co_await rondo::yield();
        EXPECT_TRUE(a.cancelled());
        EXPECT_EQ(q.get_nowait(), 1);
        co_await b;
        EXPECT_EQ(q.get_nowait(), 3);
        EXPECT_TRUE(q.empty());
    });
}

TEST_P(Queue, PutterCancelledAfterWakeupPassesItsPlaceOn) {
    run([&]() -> coro<> {
        queue<int> q(1);
        q.put_nowait(1);
        auto a = create_task(put_one, std::ref(q), 2);
        auto b = create_task(put_one, std::ref(q), 3);
        co_await rondo::yield();
        EXPECT_EQ(q.get_nowait(), 1);
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_EQ(q.get_nowait(), 3);
        EXPECT_TRUE(q.empty());
        EXPECT_FALSE(q.full());
    });
}

TEST_P(Queue, AScopeDoesNotTakeAwayAnItemThatWasGiven) {
    run([&]() -> coro<> {
        queue<int> q(1);
        rondo::cancel_scope scope;
        auto getter = create_task([&]() -> coro<std::optional<int>> {
            co_return co_await scope.run([&]() -> coro<int> { co_return co_await q.get(); });
        });
        co_await rondo::yield();
        q.put_nowait(5);
        scope.cancel();
        EXPECT_EQ(co_await getter, 5);
    });
}

TEST_P(Queue, AScopeEndsBothWaits) {
    run([&]() -> coro<> {
        queue<int> q(1);
        rondo::cancel_scope getting({.deadline = rondo::clock::now()});
        EXPECT_FALSE((co_await getting.run([&]() -> coro<int> { co_return co_await q.get(); })).has_value());
        q.put_nowait(1);
        rondo::cancel_scope putting({.deadline = rondo::clock::now()});
        EXPECT_FALSE((co_await putting.run([&]() -> coro<> { co_await q.put(2); })).has_value());
        EXPECT_EQ(q.get_nowait(), 1);
        EXPECT_TRUE(q.empty());
    });
}

TEST_P(Queue, JoinWaitsUntilEveryItemIsDone) {
    run([&]() -> coro<> {
        queue<int> q(4);
        const auto before = passes();
        co_await q.join();
        EXPECT_EQ(passes(), before) << "nothing was put, so nothing is waited for";
        q.put_nowait(1);
        q.put_nowait(2);
        auto joined = create_task(q.join());
        auto also_joined = create_task(q.join());
        EXPECT_EQ(co_await q.get(), 1);
        q.task_done();
        EXPECT_EQ(co_await q.get(), 2);
        co_await pass_by(2);
        EXPECT_FALSE(joined.done());
        q.task_done();
        co_await joined;
        co_await also_joined;
    });
}

TEST_P(Queue, TaskDoneMoreOftenThanPutThrows) {
    queue<int> q(4);
    EXPECT_THROW(q.task_done(), rondo::value_error);
    q.put_nowait(1);
    q.task_done();
    EXPECT_THROW(q.task_done(), rondo::value_error);
}

TEST_P(Queue, ACancelledJoinLeavesNothingBehind) {
    run([&]() -> coro<> {
        queue<int> q(4);
        q.put_nowait(1);
        auto joined = create_task(q.join());
        co_await rondo::yield();
        joined.cancel();
        EXPECT_TRUE((co_await as_result(joined)).cancelled());
        q.task_done();
    });
}

TEST_P(Queue, ShutDownRefusesToPutAndGivesWhatIsLeft) {
    run([&]() -> coro<> {
        queue<int> q(4);
        q.put_nowait(1);
        q.put_nowait(2);
        q.shutdown();
        EXPECT_THROW(q.put_nowait(3), rondo::queue_shut_down);
        EXPECT_TRUE((co_await as_result(q.put(3))).holds<rondo::queue_shut_down>());
        EXPECT_EQ(co_await q.get(), 1);
        EXPECT_EQ(q.get_nowait(), 2);
        EXPECT_THROW(q.get_nowait(), rondo::queue_shut_down);
        EXPECT_TRUE((co_await as_result(q.get())).holds<rondo::queue_shut_down>());
        EXPECT_EQ(q.try_get(), std::nullopt);
    });
}

TEST_P(Queue, ShutDownEndsThoseWhoWait) {
    run([&]() -> coro<> {
        queue<int> empty(1);
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(empty), std::ref(got));
        queue<int> full(1);
        full.put_nowait(1);
        auto putter = create_task(put_one, std::ref(full), 2);
        co_await rondo::yield();
        empty.shutdown();
        full.shutdown();
        EXPECT_TRUE((co_await as_result(getter)).holds<rondo::queue_shut_down>());
        EXPECT_TRUE((co_await as_result(putter)).holds<rondo::queue_shut_down>());
        EXPECT_EQ(full.get_nowait(), 1);
    });
}

TEST_P(Queue, APutterWithAPromisedPlaceIsRefusedAfterShutDown) {
    run([&]() -> coro<> {
        queue<int> q(1);
        q.put_nowait(1);
        auto putter = create_task(put_one, std::ref(q), 2);
        co_await rondo::yield();
        EXPECT_EQ(q.get_nowait(), 1);
        q.shutdown();
        EXPECT_TRUE((co_await as_result(putter)).holds<rondo::queue_shut_down>());
        EXPECT_TRUE(q.empty());
    });
}

TEST_P(Queue, AGetterWithAPromisedItemGetsItInSpiteOfShutDown) {
    run([&]() -> coro<> {
        queue<int> q(1);
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(q), std::ref(got));
        co_await rondo::yield();
        q.put_nowait(1);
        q.shutdown();
        co_await getter;
        EXPECT_THAT(got, ElementsAre(1));
    });
}

TEST_P(Queue, AnItemOnItsWayAtShutDownReachesAnotherGetterWhenItsOwnIsCancelled) {
    run([&]() -> coro<> {
        queue<int> q(1);
        auto given = create_task(q.get());
        auto waiting = create_task(q.next());
        co_await rondo::yield();
        q.put_nowait(1);
        q.shutdown();
        EXPECT_THROW(q.get_nowait(), rondo::queue_empty) << "it may still come back";
        auto late = create_task({.eager_start = true}, [&]() -> coro<int> { co_return co_await q.get(); });
        given.cancel();
        EXPECT_EQ(co_await waiting, 1);
        EXPECT_TRUE((co_await as_result(late)).holds<rondo::queue_shut_down>());
        EXPECT_TRUE(given.cancelled());
        EXPECT_THROW(q.get_nowait(), rondo::queue_shut_down);
    });
}

TEST_P(Queue, GettersLearnOfTheShutDownWhenTheLastItemOnItsWayIsTaken) {
    run([&]() -> coro<> {
        queue<int> q(1);
        auto given = create_task(q.get());
        auto waiting = create_task(q.get());
        co_await rondo::yield();
        q.put_nowait(1);
        q.shutdown();
        EXPECT_EQ(co_await given, 1);
        EXPECT_TRUE((co_await as_result(waiting)).holds<rondo::queue_shut_down>());
    });
}

TEST_P(Queue, ImmediateShutDownDropsTheItemsAsIfTheyWereDone) {
    run([&]() -> coro<> {
        queue<int> q(4);
        for (int i = 0; i < 3; ++i) q.put_nowait(i);
        EXPECT_EQ(co_await q.get(), 0);
        auto joined = create_task(q.join());
        co_await rondo::yield();
        q.shutdown(true);
        EXPECT_TRUE(q.empty());
        co_await pass_by(2);
        EXPECT_FALSE(joined.done()) << "one item was got before and is not done";
        q.task_done();
        co_await joined;
        EXPECT_THROW(q.get_nowait(), rondo::queue_shut_down);
        EXPECT_THROW(q.task_done(), rondo::value_error);
    });
}

TEST_P(Queue, ImmediateShutDownTakesPromisedItemsBack) {
    run([&]() -> coro<> {
        queue<int> q(4);
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(q), std::ref(got));
        co_await rondo::yield();
        q.put_nowait(1);
        q.shutdown(true);
        EXPECT_TRUE((co_await as_result(getter)).holds<rondo::queue_shut_down>());
        co_await q.join();
        EXPECT_TRUE(got.empty());
    });
}

TEST_P(Queue, ShutDownMayBeCalledAgain) {
    run([&]() -> coro<> {
        queue<int> q(4);
        q.put_nowait(1);
        q.shutdown();
        q.shutdown();
        EXPECT_EQ(q.qsize(), 1u);
        q.shutdown(true);
        EXPECT_TRUE(q.empty());
        q.shutdown(true);
        co_await q.join();
    });
}

TEST_P(Queue, NextEndsWithTheQueue) {
    run([&]() -> coro<> {
        queue<int> q(2);
        std::vector<int> got;
        auto reader = create_task([&]() -> coro<> {
            while (auto item = co_await q.next()) got.push_back(*item);
        });
        for (int i = 0; i < 5; ++i) co_await q.put(i);
        q.shutdown();
        co_await reader;
        EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4));
        EXPECT_EQ(co_await q.next(), std::nullopt);
    });
}

TEST_P(Queue, WaitingInAnotherLoopThanTheFirstThrows) {
    queue<int> q(1);
    run([&]() -> coro<> {
        std::vector<int> got;
        auto getter = create_task(get_into, std::ref(q), std::ref(got));
        co_await rondo::yield();
        q.put_nowait(1);
        co_await getter;
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            static_cast<void>(co_await q.get());
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "a queue is bound to a different event loop");
        co_await q.put(1);
        EXPECT_THROW(co_await q.put(2), rondo::runtime_error);
    });
}

TEST_P(Queue, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto q = std::make_unique<queue<int>>(1);
        std::vector<int> got;
        auto promised = create_task(get_into, std::ref(*q), std::ref(got));
        auto waiting = create_task(get_into, std::ref(*q), std::ref(got));
        co_await rondo::yield();
        q->put_nowait(1);
        q.reset();
        EXPECT_TRUE((co_await as_result(promised)).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await as_result(waiting)).holds<rondo::runtime_error>());
        q = std::make_unique<queue<int>>(1);
        q->put_nowait(1);
        auto putting = create_task(put_one, std::ref(*q), 2);
        auto joining = create_task(q->join());
        co_await rondo::yield();
        q.reset();
        EXPECT_TRUE((co_await as_result(putting)).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await as_result(joining)).holds<rondo::runtime_error>());
    });
}

TEST_P(Queue, ItemsLeftWhenTheLoopEndsCanStillBeTaken) {
    queue<int> q(4);
    std::vector<int> got;
    auto getter = loop().create_task(get_into, std::ref(q), std::ref(got));
    run_passes(1);
    q.put_nowait(1);
    q.put_nowait(2);
    loop().close();
    EXPECT_TRUE(getter.cancelled());
    EXPECT_EQ(q.try_get(), 1);
    EXPECT_EQ(q.try_get(), 2);
    EXPECT_TRUE(got.empty());
}

TEST_P(Queue, WaitersDescribeTheirWait) {
    run([&]() -> coro<> {
        queue<int> q(1);
        auto getter = create_task(q.get());
        co_await rondo::yield();
        EXPECT_EQ(getter.record().blocked_on->describe(), "waiting for an item of a queue that holds 0 of 1 items");
        q.put_nowait(1);
        EXPECT_EQ(co_await getter, 1);
        q.put_nowait(2);
        auto putter = create_task(q.put(3));
        auto joiner = create_task(q.join());
        co_await rondo::yield();
        EXPECT_EQ(putter.record().blocked_on->describe(), "waiting for room in a queue that holds 1 of 1 items");
        EXPECT_EQ(joiner.record().blocked_on->describe(), "waiting until 2 items of a queue are done");
        q.shutdown(true);
        EXPECT_TRUE((co_await as_result(putter)).holds<rondo::queue_shut_down>());
        q.task_done();
        co_await joiner;
    });
}

TEST_P(Queue, AHandOverInSteadyStateAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        queue<int> there(4);
        queue<int> back(4);
        auto echo = create_task([&]() -> coro<> {
            while (auto item = co_await there.next()) co_await back.put(*item);
        });
        const auto round_trips = [&](int n) -> coro<> {
            for (int i = 0; i < n; ++i) {
                co_await there.put(i);
                EXPECT_EQ(co_await back.get(), i);
            }
        };
        co_await round_trips(64);
        const auto calls = rondo::test::operator_new_calls();
        const auto refills = rondo::detail::block_refills();
        co_await round_trips(1000);
        EXPECT_EQ(rondo::test::operator_new_calls(), calls);
        EXPECT_EQ(rondo::detail::block_refills(), refills);
        there.shutdown();
        co_await echo;
    });
}

} // namespace
