// What a channel does with items; its ends are in channel_ends_test.cpp.

#include <rondo/sync/channel.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>

#include "support/loop_test.hpp"
#include "support/operator_new.hpp"
#include "support/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::channel;
using rondo::coro;
using rondo::create_task;
using rondo::receive_channel;
using rondo::send_channel;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;
using testing::IsEmpty;

class Channel : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Channel);

coro<> receive_into(receive_channel<int>& rx, std::vector<int>& got) { got.push_back(co_await rx.receive()); }
coro<> send_one(send_channel<int>& tx, int item) { co_await tx.send(item); }

std::string description_of(const rondo::task_base& t) {
    return t.record().blocked_on ? t.record().blocked_on->describe() : std::string("is not waiting");
}

TEST_P(Channel, SendsAndReceivesInOrderWithoutSuspendingWhenItNeedNot) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(3);
        const auto before = passes();
        for (int i : {1, 2, 3}) co_await tx.send(i);
        EXPECT_EQ(rx.statistics().buffered, 3u);
        for (int i : {1, 2, 3}) EXPECT_EQ(co_await rx.receive(), i);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Channel, SendingAndReceivingCountAgainstTheBudget) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(rondo::unbounded);
        co_await rondo::yield();
        auto before = passes();
        for (int i = 0; i < 128; ++i) co_await tx.send(i);
        EXPECT_EQ(passes(), before);
        co_await tx.send(128);
        EXPECT_EQ(passes(), before + 1);
        co_await rondo::yield();
        before = passes();
        for (int i = 0; i < 128; ++i) EXPECT_EQ(co_await rx.receive(), i);
        EXPECT_EQ(passes(), before);
        EXPECT_EQ(co_await rx.receive(), 128);
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(Channel, ASenderWaitsForRoomAndHasSentWhenThereIs) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        tx.send_nowait(1);
        auto sender = create_task(send_one, std::ref(tx), 2);
        co_await pass_by(2);
        EXPECT_FALSE(sender.done());
        EXPECT_EQ(tx.statistics().tasks_waiting_send, 1u);
        EXPECT_EQ(rx.receive_nowait(), 1);
        EXPECT_EQ(tx.statistics().tasks_waiting_send, 0u);
        EXPECT_EQ(tx.statistics().buffered, 1u) << "its item went in at once";
        co_await sender;
        EXPECT_EQ(rx.receive_nowait(), 2);
    });
}

TEST_P(Channel, AReceiverWaitsForAnItem) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        std::vector<int> got;
        auto receiver = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await pass_by(2);
        EXPECT_EQ(rx.statistics().tasks_waiting_receive, 1u);
        EXPECT_THAT(got, IsEmpty());
        tx.send_nowait(7);
        EXPECT_EQ(rx.statistics().buffered, 0u) << "it is on its way";
        co_await receiver;
        EXPECT_THAT(got, ElementsAre(7));
    });
}

TEST_P(Channel, WithoutALimitNeverMakesASenderWait) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(rondo::unbounded);
        EXPECT_TRUE(tx.statistics().capacity.is_unbounded());
        for (int i = 0; i < 1000; ++i) tx.send_nowait(i);
        for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await rx.receive(), i);
    });
}

TEST_P(Channel, OfCapacityZeroASenderWaitsForAReceiver) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        EXPECT_THROW(tx.send_nowait(0), rondo::would_block);
        auto sender = create_task(send_one, std::ref(tx), 1);
        co_await pass_by(3);
        EXPECT_FALSE(sender.done());
        EXPECT_EQ(tx.statistics().buffered, 0u) << "it holds its item in its hand";
        const auto before = passes();
        EXPECT_EQ(co_await rx.receive(), 1);
        EXPECT_EQ(passes(), before) << "the sender is there: no wait";
        co_await sender;
        EXPECT_THROW(static_cast<void>(rx.receive_nowait()), rondo::would_block);
    });
}

TEST_P(Channel, OfCapacityZeroAReceiverWaitsForASender) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        std::vector<int> got;
        auto receiver = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await rondo::yield();
        const auto before = passes();
        co_await tx.send(1);
        EXPECT_EQ(passes(), before) << "the receiver is there: no wait";
        EXPECT_THROW(tx.send_nowait(2), rondo::would_block) << "that one has its item";
        co_await receiver;
        EXPECT_THAT(got, ElementsAre(1));
    });
}

TEST_P(Channel, OfCapacityZeroNowaitWorksWhenTheOtherSideWaits) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        std::vector<int> got;
        auto receiver = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await rondo::yield();
        tx.send_nowait(1);
        co_await receiver;
        EXPECT_THAT(got, ElementsAre(1));
        auto sender = create_task(send_one, std::ref(tx), 2);
        co_await rondo::yield();
        EXPECT_EQ(rx.receive_nowait(), 2);
        co_await sender;
    });
}

TEST_P(Channel, NowaitThrowsWouldBlockWhenFullOrEmpty) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        EXPECT_THROW(static_cast<void>(rx.receive_nowait()), rondo::would_block);
        tx.send_nowait(1);
        EXPECT_THROW(tx.send_nowait(2), rondo::would_block);
        EXPECT_EQ(rx.receive_nowait(), 1);
        co_return;
    });
}

TEST_P(Channel, ReceiversAreServedInTheOrderOfTheirComing) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(8);
        std::vector<std::vector<int>> got(3);
        std::vector<task<>> receivers;
        for (auto& g : got) receivers.push_back(create_task(receive_into, std::ref(rx), std::ref(g)));
        co_await rondo::yield();
        for (int i : {1, 2, 3}) tx.send_nowait(i);
        for (auto& r : receivers) co_await r;
        EXPECT_THAT(got, ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(3)));
    });
}

TEST_P(Channel, SendersAreServedInTheOrderOfTheirComing) {
    for (std::size_t room : {0u, 1u, 2u}) {
        run([&]() -> coro<> {
            auto [tx, rx] = channel<int>(room);
            std::vector<task<>> senders;
            for (int i = 1; i <= 5; ++i) senders.push_back(create_task(send_one, std::ref(tx), i));
            co_await rondo::yield();
            std::vector<int> got;
            for (int i = 0; i < 5; ++i) got.push_back(co_await rx.receive());
            EXPECT_THAT(got, ElementsAre(1, 2, 3, 4, 5)) << room;
            for (auto& s : senders) co_await s;
        });
    }
}

TEST_P(Channel, AReceiverThatNeedNotWaitDoesNotOvertakeOneThatWasPromisedAnItem) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(8);
        std::vector<int> first;
        auto waiting = create_task(receive_into, std::ref(rx), std::ref(first));
        co_await rondo::yield();
        tx.send_nowait(1);
        tx.send_nowait(2);
        EXPECT_EQ(co_await rx.receive(), 2);
        EXPECT_THAT(first, ElementsAre(1));
        co_await waiting;
    });
}

TEST_P(Channel, ACancelledReceiverLeavesTheLine) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        std::vector<int> got;
        auto a = create_task(receive_into, std::ref(rx), std::ref(got));
        auto b = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await rondo::yield();
        a.cancel();
        tx.send_nowait(1);
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(got, ElementsAre(1));
    });
}

TEST_P(Channel, AReceiverCancelledAfterWakeupPassesItsItemOn) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        std::vector<int> got;
        auto a = create_task(receive_into, std::ref(rx), std::ref(got));
        auto b = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await rondo::yield();
        tx.send_nowait(1);
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(got, ElementsAre(1));
    });
}

TEST_P(Channel, AnItemThatNobodyElseWaitsForIsNextAgain) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        std::vector<int> got;
        auto a = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await rondo::yield();
        tx.send_nowait(1);
        tx.send_nowait(2);
        a.cancel();
        EXPECT_TRUE((co_await as_result(a)).cancelled());
        EXPECT_EQ(rx.statistics().buffered, 2u) << "beyond the capacity";
        EXPECT_EQ(rx.receive_nowait(), 1);
        EXPECT_THROW(tx.send_nowait(3), rondo::would_block);
        EXPECT_EQ(rx.receive_nowait(), 2);
    });
}

TEST_P(Channel, ACancelledSenderHasSentNothing) {
    for (std::size_t room : {0u, 1u}) {
        run([&]() -> coro<> {
            auto [tx, rx] = channel<int>(room);
            if (room) tx.send_nowait(0);
            auto a = create_task(send_one, std::ref(tx), 1);
            auto b = create_task(send_one, std::ref(tx), 2);
            co_await rondo::yield();
            a.cancel();
            EXPECT_TRUE((co_await as_result(a)).cancelled());
            if (room) EXPECT_EQ(rx.receive_nowait(), 0);
            EXPECT_EQ(co_await rx.receive(), 2);
            co_await b;
            EXPECT_EQ(rx.statistics().buffered, 0u);
        });
    }
}

TEST_P(Channel, ASenderCancelledAfterItsItemWasTakenHasSentItAndIsCancelledNext) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        bool sent = false;
        auto sender = create_task([&]() -> coro<> {
            co_await tx.send(1);
            sent = true;
            co_await rondo::yield();
            ADD_FAILURE() << "the cancellation was lost";
        });
        co_await rondo::yield();
        EXPECT_EQ(rx.receive_nowait(), 1);
        sender.cancel();
        EXPECT_TRUE((co_await as_result(sender)).cancelled());
        EXPECT_TRUE(sent);
    });
}

TEST_P(Channel, ScopesEndBothWaits) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(1);
        EXPECT_EQ(co_await rondo::move_on_after(0ms, rx.receive()), std::nullopt);
        tx.send_nowait(1);
        EXPECT_FALSE((co_await rondo::move_on_after(0ms, tx.send(2))).has_value());
        EXPECT_EQ(rx.receive_nowait(), 1);
        EXPECT_EQ(rx.statistics().buffered, 0u);
    });
}

TEST_P(Channel, AScopeDoesNotTakeAwayAnItemThatWasGiven) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(0);
        rondo::cancel_scope scope;
        auto receiver = create_task([&]() -> coro<std::optional<int>> {
            co_return co_await scope.run([&]() -> coro<int> { co_return co_await rx.receive(); });
        });
        co_await rondo::yield();
        tx.send_nowait(5);
        scope.cancel();
        EXPECT_EQ(co_await receiver, 5);
    });
}

TEST_P(Channel, TakesItemsThatCanOnlyBeMoved) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<std::unique_ptr<int>>(1);
        co_await tx.send(std::make_unique<int>(1));
        auto sender = create_task(tx.send(std::make_unique<int>(2)));
        co_await rondo::yield();
        EXPECT_EQ(*co_await rx.receive(), 1);
        EXPECT_EQ(**co_await rx.next(), 2);
        co_await sender;
        tx.send_nowait(std::make_unique<int>(3));
        EXPECT_EQ(*rx.receive_nowait(), 3);
    });
}

TEST_P(Channel, NextEndsWithTheChannelAndSoDoesTheLoop) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(2);
        auto producer = create_task(
            [](send_channel<int> to) -> coro<> {
                for (int i = 0; i < 5; ++i) co_await to.send(i);
            },
            std::move(tx));
        std::vector<int> got;
        RONDO_FOR_AWAIT(item, rx) { got.push_back(item); }
        EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4));
        EXPECT_EQ(co_await rx.next(), std::nullopt);
        co_await producer;
    });
}

/// Throws from its copy when told to.
struct brittle {
    static inline bool breaks = false;
    explicit brittle(int n) : value(n) {}
    brittle(const brittle& other) : value(other.value) {
        if (breaks) throw std::runtime_error("broken");
    }
    int value;
};

TEST_P(Channel, AnItemThatCannotBeMovedFailsItsSenderAndNobodyElse) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<brittle>(1);
        brittle::breaks = false;
        auto at_once = tx.send(brittle(0));
        brittle::breaks = true;
        EXPECT_THROW(co_await at_once, std::runtime_error);
        brittle::breaks = false;
        EXPECT_EQ(rx.statistics().buffered, 0u);
        tx.send_nowait(brittle(1));
        auto waiting =
            create_task([](send_channel<brittle>& to) -> coro<> { co_await to.send(brittle(2)); }, std::ref(tx));
        auto behind =
            create_task([](send_channel<brittle>& to) -> coro<> { co_await to.send(brittle(3)); }, std::ref(tx));
        co_await rondo::yield();
        brittle::breaks = true;
        EXPECT_THROW(static_cast<void>(rx.receive_nowait()), std::runtime_error);
        brittle::breaks = false;
        EXPECT_EQ(rx.statistics().buffered, 1u) << "what could not be taken is still there";
        EXPECT_TRUE((co_await as_result(rx.receive())).has_value());
        EXPECT_EQ((co_await rx.receive()).value, 2);
        EXPECT_EQ((co_await rx.receive()).value, 3);
        co_await waiting;
        co_await behind;
    });
}

TEST_P(Channel, ASenderWhoseItemBreaksWhenItIsTakenIsToldAndTheNextOneServes) {
    run([&]() -> coro<> {
        struct breaks_once {
            explicit breaks_once(int n, bool* b) : value(n), armed(b) {}
            breaks_once(const breaks_once& o) : value(o.value), armed(o.armed) {
                if (armed && std::exchange(*armed, false)) throw std::runtime_error("broken");
            }
            int value;
            bool* armed;
        };
        bool armed = false;
        auto [tx, rx] = channel<breaks_once>(0);
        const auto send = [](send_channel<breaks_once>& to, int n, bool* b) -> coro<> {
            co_await to.send(breaks_once(n, b));
        };
        auto a = create_task(send, std::ref(tx), 1, &armed);
        auto b = create_task(send, std::ref(tx), 2, nullptr);
        co_await rondo::yield();
        armed = true;
        EXPECT_EQ((co_await rx.receive()).value, 2);
        EXPECT_TRUE((co_await as_result(a)).holds<std::runtime_error>());
        co_await b;
    });
}

TEST_P(Channel, WaitingInAnotherLoopThanTheFirstThrows) {
    auto [tx, rx] = channel<int>(1);
    run([&]() -> coro<> {
        std::vector<int> got;
        auto receiver = create_task(receive_into, std::ref(rx), std::ref(got));
        co_await rondo::yield();
        tx.send_nowait(1);
        co_await receiver;
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            static_cast<void>(co_await rx.receive());
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "a channel is bound to a different event loop");
        co_await tx.send(1); // who need not wait need not belong to it
        EXPECT_TRUE((co_await as_result(tx.send(2))).holds<rondo::runtime_error>());
        EXPECT_EQ(rx.receive_nowait(), 1);
    });
}

TEST_P(Channel, WaitersDescribeTheirWait) {
    run([&]() -> coro<> {
        auto [tx, rx] = channel<int>(2);
        auto second = tx.clone();
        auto receiver = create_task(rx.receive());
        co_await rondo::yield();
        EXPECT_EQ(description_of(receiver), "waiting for an item of a channel that holds 0 of 2 items, from 2 senders");
        for (int i : {1, 2, 3}) tx.send_nowait(i);
        auto sender = create_task(tx.send(4));
        EXPECT_EQ(co_await receiver, 1);
        EXPECT_EQ(description_of(sender), "waiting for room in a channel that holds 2 of 2 items");
        std::vector<const rondo::detail::future_state*> who;
        sender.record().blocked_on->waits_for(who);
        EXPECT_TRUE(who.empty()) << "nobody knows who will receive";
        EXPECT_EQ(rx.receive_nowait(), 2);
        co_await sender;

        auto [tx0, rx0] = channel<int>(0);
        auto sender0 = create_task(tx0.send(1));
        co_await rondo::yield();
        EXPECT_EQ(description_of(sender0), "waiting for a receiver of a channel without a buffer");
        EXPECT_EQ(rx0.receive_nowait(), 1);
        co_await sender0;
        auto receiver0 = create_task(rx0.receive());
        co_await rondo::yield();
        EXPECT_EQ(description_of(receiver0), "waiting for an item of a channel without a buffer, from 1 sender");
        tx0.send_nowait(1);
        EXPECT_EQ(co_await receiver0, 1);
    });
}

TEST_P(Channel, AnItemOnItsWayWhenTheLoopEndsCanStillBeReceived) {
    auto [tx, rx] = channel<int>(0);
    std::vector<int> got;
    auto receiver = loop().create_task(receive_into, std::ref(rx), std::ref(got));
    run_passes(1);
    tx.send_nowait(1);
    loop().close();
    EXPECT_TRUE(receiver.cancelled());
    EXPECT_THAT(got, IsEmpty());
    EXPECT_EQ(rx.receive_nowait(), 1);
}

TEST_P(Channel, AHandOverInSteadyStateAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    for (std::size_t room : {0u, 4u}) {
        run([&]() -> coro<> {
            auto [tx, there] = channel<int>(room);
            auto [back, rx] = channel<int>(room);
            auto echo = create_task(
                [](receive_channel<int> from, send_channel<int> to) -> coro<> {
                    while (auto item = co_await from.next()) co_await to.send(*item);
                },
                std::move(there), std::move(back));
            const auto round_trips = [&tx, &rx](int n) -> coro<> {
                for (int i = 0; i < n; ++i) {
                    co_await tx.send(i);
                    EXPECT_EQ(co_await rx.receive(), i);
                }
            };
            co_await round_trips(64);
            const auto calls = rondo::test::operator_new_calls();
            const auto refills = rondo::detail::block_refills();
            co_await round_trips(1000);
            co_await rondo::yield(); // so that the other end waits again
            {                        // ends are made without allocating too
                auto other = tx.clone();
                other.send_nowait(-1);
            }
            EXPECT_EQ(co_await rx.receive(), -1);
            EXPECT_EQ(rondo::test::operator_new_calls(), calls);
            EXPECT_EQ(rondo::detail::block_refills(), refills);
            tx.close();
            co_await echo;
        });
    }
}

} // namespace
