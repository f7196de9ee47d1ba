// The ends of a channel: cloned, moved, closed, dropped, at any moment.

#include <rondo/sync/channel.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace {

using rondo::as_result;
using rondo::broken_channel;
using rondo::channel;
using rondo::closed_channel;
using rondo::coro;
using rondo::create_task;
using rondo::end_of_channel;
using rondo::receive_channel;
using rondo::send_channel;
using rondo::test::pass_by;
using testing::ElementsAre;

class ChannelEnds : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(ChannelEnds);

TEST_P(ChannelEnds, AreCounted) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(5);
        auto now = tx.statistics();
        EXPECT_EQ(now.open_senders, 1u);
        EXPECT_EQ(now.open_receivers, 1u);
        EXPECT_EQ(now.capacity.value(), 5u);
        {
            auto tx2 = tx.clone();
            auto rx2 = rx.clone();
            auto rx3 = rx2.clone();
            now = rx3.statistics();
            EXPECT_EQ(now.open_senders, 2u);
            EXPECT_EQ(now.open_receivers, 3u);
        }
        now = rx.statistics();
        EXPECT_EQ(now.open_senders, 1u);
        EXPECT_EQ(now.open_receivers, 1u);
        co_return;
    });
}

TEST_P(ChannelEnds, TheLastSenderEndsTheChannelForTheReceivers) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(4);
        auto tx2 = tx.clone();
        tx.send_nowait(1);
        tx.close();
        tx2.send_nowait(2);
        tx2.close();
        EXPECT_EQ(co_await rx.receive(), 1) << "what was sent is still received";
        EXPECT_EQ(rx.receive_nowait(), 2);
        EXPECT_TRUE((co_await as_result(rx.receive())).holds<end_of_channel>());
        EXPECT_THROW(static_cast<void>(rx.receive_nowait()), end_of_channel);
        EXPECT_EQ(co_await rx.next(), std::nullopt);
    });
}

TEST_P(ChannelEnds, TheLastSenderEndsTheWaitOfReceivers) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        auto tx2 = tx.clone();
        auto receiver = create_task(rx.receive());
        auto loop = create_task(rx.next());
        co_await rondo::yield();
        tx.close();
        co_await pass_by(2);
        EXPECT_FALSE(receiver.done());
        tx2.close();
        EXPECT_TRUE((co_await as_result(receiver)).holds<end_of_channel>());
        EXPECT_EQ(co_await loop, std::nullopt);
    });
}

TEST_P(ChannelEnds, TheLastReceiverBreaksTheChannelForTheSenders) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        auto rx2 = rx.clone();
        tx.send_nowait(1);
        auto sender = create_task(tx.send(2));
        co_await rondo::yield();
        rx.close();
        co_await pass_by(2);
        EXPECT_FALSE(sender.done());
        rx2.close();
        EXPECT_TRUE((co_await as_result(sender)).holds<broken_channel>());
        EXPECT_TRUE((co_await as_result(tx.send(3))).holds<broken_channel>());
        EXPECT_THROW(tx.send_nowait(3), broken_channel);
        EXPECT_EQ(tx.statistics().open_receivers, 0u);
    });
}

TEST_P(ChannelEnds, WhatNobodyCanReceiveAnyMoreIsDestroyed) {
    run([&]() -> coro<> {
        int living = 0;
        auto [tx, rx] = channel<rondo::test::tracked>(4);
        for (int i = 0; i < 3; ++i) tx.send_nowait(rondo::test::tracked(living));
        EXPECT_EQ(living, 3);
        rx.close();
        EXPECT_EQ(living, 0);
        EXPECT_EQ(tx.statistics().buffered, 0u);
        co_return;
    });
}

TEST_P(ChannelEnds, AReceiverThatHasItsItemGetsItThoughItsEndIsClosed) {
    run([&]() -> coro<> {
        int living = 0;
        auto [tx, rx] = channel<rondo::test::tracked>(4);
        auto receiver = create_task(rx.receive());
        co_await rondo::yield();
        tx.send_nowait(rondo::test::tracked(living));
        tx.send_nowait(rondo::test::tracked(living));
        rx.close();
        {
            auto item = co_await std::move(receiver);
            receiver = {};
            EXPECT_EQ(living, 1) << "the other one is destroyed";
        }
        EXPECT_EQ(living, 0);
    });
}

TEST_P(ChannelEnds, AnItemThatComesBackWhenNoReceiverIsLeftIsDestroyed) {
    run([&]() -> coro<> {
        int living = 0;
        auto [tx, rx] = channel<rondo::test::tracked>(4);
        auto receiver = create_task(rx.receive());
        co_await rondo::yield();
        tx.send_nowait(rondo::test::tracked(living));
        rx.close();
        receiver.cancel();
        EXPECT_TRUE((co_await as_result(receiver)).cancelled());
        EXPECT_EQ(living, 0);
    });
}

TEST_P(ChannelEnds, AnItemOnItsWayKeepsTheOtherReceiversUntilItIsTaken) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        auto given = create_task(rx.receive());
        auto waiting = create_task(rx.next());
        co_await rondo::yield();
        tx.send_nowait(1);
        tx.close();
        auto late =
            create_task({.eager_start = true}, [&rx]() -> coro<std::optional<int>> { co_return co_await rx.next(); });
        given.cancel();
        EXPECT_EQ(co_await waiting, 1) << "it came back: the channel had not ended";
        EXPECT_EQ(co_await late, std::nullopt);
        EXPECT_TRUE(given.cancelled());
    });
}

TEST_P(ChannelEnds, ClosingAnEndEndsItsOwnWaits) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        auto rx2 = rx.clone();
        auto mine = create_task(rx.receive());
        auto other = create_task(rx2.receive());
        co_await rondo::yield();
        rx.close();
        EXPECT_TRUE((co_await as_result(mine)).holds<closed_channel>());
        tx.send_nowait(1);
        EXPECT_EQ(co_await other, 1);

        auto tx2 = tx.clone();
        auto my_send = create_task(tx.send(2));
        auto other_send = create_task(tx2.send(3));
        co_await rondo::yield();
        tx.close();
        EXPECT_TRUE((co_await as_result(my_send)).holds<closed_channel>());
        EXPECT_EQ(co_await rx2.receive(), 3) << "nothing was sent through the closed end";
        co_await other_send;
    });
}

TEST_P(ChannelEnds, AClosedEndRefusesEverythingButStatistics) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        tx.close();
        tx.close();
        EXPECT_TRUE((co_await as_result(tx.send(1))).holds<closed_channel>());
        EXPECT_THROW(tx.send_nowait(1), closed_channel);
        EXPECT_THROW(static_cast<void>(tx.clone()), closed_channel);
        EXPECT_EQ(tx.statistics().open_senders, 0u);
        rx.close();
        EXPECT_TRUE((co_await as_result(rx.receive())).holds<closed_channel>());
        EXPECT_TRUE((co_await as_result(rx.next())).holds<closed_channel>()) << "this end is not the channel's";
        EXPECT_THROW(static_cast<void>(rx.receive_nowait()), closed_channel);
        EXPECT_THROW(static_cast<void>(rx.clone()), closed_channel);
        EXPECT_EQ(rx.statistics().open_receivers, 0u);
    });
}

TEST_P(ChannelEnds, AMovedFromEndIsClosed) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        send_channel<int> tx2 = std::move(tx);
        receive_channel<int> rx2 = std::move(rx);
        EXPECT_EQ(tx2.statistics().open_senders, 1u);
        EXPECT_TRUE((co_await as_result(tx.send(1))).holds<closed_channel>()); // NOLINT(bugprone-use-after-move)
        EXPECT_THROW(tx.send_nowait(1), closed_channel);
        EXPECT_THROW(static_cast<void>(tx.statistics()), closed_channel);
        EXPECT_TRUE((co_await as_result(rx.receive())).holds<closed_channel>()); // NOLINT(bugprone-use-after-move)
        EXPECT_THROW(static_cast<void>(rx.receive_nowait()), closed_channel);
        co_await tx2.send(1);
        EXPECT_EQ(co_await rx2.receive(), 1);
    });
}

TEST_P(ChannelEnds, AssignmentClosesWhatWasThereBefore) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        auto [other_tx, other_rx] = channel<int>(1);
        tx = std::move(other_tx);
        EXPECT_EQ(co_await rx.next(), std::nullopt);
        co_await tx.send(1);
        EXPECT_EQ(co_await other_rx.receive(), 1);
        rx = std::move(other_rx);
        co_await tx.send(2);
        EXPECT_EQ(co_await rx.receive(), 2);
    });
}

TEST_P(ChannelEnds, OperationsOutliveTheEndsTheyWereMadeFrom) {
    run([&]() -> coro<> {
        std::optional<channel<int>> pair(std::in_place, 1);
        auto receive = pair->rx.receive();
        auto receiver = create_task(pair->rx.receive());
        auto tx = pair->tx.clone();
        co_await rondo::yield();
        auto send = pair->tx.send(1);
        pair.reset();
        EXPECT_TRUE((co_await as_result(receiver)).holds<closed_channel>());
        EXPECT_TRUE((co_await as_result(std::move(receive))).holds<closed_channel>());
        EXPECT_TRUE((co_await as_result(std::move(send))).holds<closed_channel>());
        EXPECT_THROW(tx.send_nowait(1), broken_channel);
    });
}

TEST_P(ChannelEnds, MayTravelThroughAChannel) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<send_channel<int>>(1);
        auto [reply, answer] = channel<int>(0);
        auto server = create_task(
            [](receive_channel<send_channel<int>> from) -> coro<> {
                while (auto to = co_await from.next()) co_await to->send(42);
            },
            std::move(rx));
        co_await tx.send(std::move(reply));
        EXPECT_EQ(co_await answer.receive(), 42);
        EXPECT_EQ(co_await answer.next(), std::nullopt) << "the server has dropped its end";
        tx.close();
        co_await server;
    });
}

TEST_P(ChannelEnds, AChannelThatHoldsItsOwnEndIsFreedWithItsReceivers) {
    struct node {
        std::shared_ptr<int> life;
        std::optional<send_channel<node>> own;
    };
    run([&]() -> coro<> {
        auto life = std::make_shared<int>(1);
        auto [tx, rx] = channel<node>(2);
        tx.send_nowait({life, tx.clone()});
        tx.send_nowait({life, tx.clone()});
        tx.close();
        EXPECT_EQ(life.use_count(), 3);
        rx.close();
        EXPECT_EQ(life.use_count(), 1);
        co_return;
    });
}

TEST_P(ChannelEnds, TasksThatEndWithTheLoopLeaveTheChannelUsable) {
    auto [tx, rx] = channel<int>(0);
    auto receiver = loop().create_task(rx.receive());
    auto [tx2, rx2] = channel<int>(0);
    auto sender = loop().create_task(tx2.send(1));
    run_passes(1);
    loop().close();
    EXPECT_TRUE(receiver.cancelled());
    EXPECT_TRUE(sender.cancelled());
    EXPECT_EQ(rx.statistics().tasks_waiting_receive, 0u);
    EXPECT_EQ(rx2.statistics().tasks_waiting_send, 0u);
    EXPECT_THROW(static_cast<void>(rx2.receive_nowait()), rondo::would_block);
}

} // namespace
