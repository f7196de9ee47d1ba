// Random plays with what is handed over: queues of each order, and channels.

#include <rondo/sync/channel.hpp>
#include <rondo/sync/queue.hpp>

#include "random_play.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace {

using rondo::coro;
using rondo::test::random_play;
using rondo::test::service_book;
using rondo::test::waiting_to;

class RandomItems : public rondo::test::random_play_test {};
RONDO_IN_EACH_WORLD(RandomItems);

constexpr std::uint64_t seeds = 1000;

/// What a queue of this order holds, and which item is next.
template <class Order> struct model {
    std::vector<int> items;

    void put(int item) { items.push_back(item); }
    void take(int item) {
        ASSERT_FALSE(items.empty()) << "it was never put, or got twice";
        auto next = items.begin();
        if constexpr (std::same_as<Order, rondo::lifo_order>) next = items.end() - 1;
        if constexpr (std::same_as<Order, rondo::priority_order<std::less<>>>)
            next = std::min_element(items.begin(), items.end());
        EXPECT_EQ(item, *next);
        items.erase(next);
    }
};

template <class Order> class queue_play final : public random_play {
public:
    explicit queue_play(std::uint64_t seed) : random_play(seed), items(1 + random.below(4)) {}

private:
    coro<> act(waiting_to& now) override {
        try {
            if (random.one_in(2)) {
                const int item = new_item();
                const int ticket = putters.come();
                now = waiting_to::put;
                co_await items.put(item);
                putters.served(ticket);
                inside.put(item);
            } else {
                const int ticket = getters.come();
                now = waiting_to::get;
                std::optional<int> item;
                if (random.one_in(2)) item = co_await items.next();
                else item = co_await items.get();
                EXPECT_TRUE(item || shut);
                if (!item) co_return;
                getters.served(ticket);
                got(*item);
            }
        } catch (const rondo::queue_shut_down&) {
            EXPECT_TRUE(shut);
        }
    }
    /// For a priority queue not in the order of putting.
    int new_item() { return static_cast<int>(random.below(50)) * 1000 + last_item++; }
    void got(int item) {
        inside.take(item);
        items.task_done();
    }
    void interfere() override {
        const unsigned what = random.below(16);
        if (what == 0) {
            shut = true;
            items.shutdown(true);
            inside.items.clear();
        } else if (what == 1) {
            shut = true;
            items.shutdown();
        } else if (what < 8) {
            if (auto item = items.try_get()) got(*item);
        } else {
            const int item = new_item();
            if (items.try_put(item)) inside.put(item);
        }
    }
    void check() override {
        EXPECT_LE(items.qsize(), inside.items.size()) << "the others are on their way";
        if (!items.empty()) EXPECT_EQ(blocked(waiting_to::get), 0u) << "there is an item";
        if (!items.full() || shut) EXPECT_EQ(blocked(waiting_to::put), 0u) << "there is room";
    }
    void check_calm() override {
        EXPECT_EQ(items.qsize(), inside.items.size());
        if (shut) EXPECT_EQ(living(), 0u);
    }
    coro<> finish() override {
        shut = true;
        items.shutdown();
        co_return;
    }
    void check_end() override {
        while (auto item = items.try_get()) got(*item);
        EXPECT_TRUE(inside.items.empty()) << "an item was lost";
        EXPECT_FALSE(items.full());
        EXPECT_THROW(items.task_done(), rondo::value_error) << "as many are done as were put";
    }

    rondo::queue<int, Order> items;
    model<Order> inside;
    service_book putters;
    service_book getters;
    int last_item = 0;
    bool shut = false;
};

TEST_P(RandomItems, AQueueGivesEachItemOnceInOrder) { play_many<queue_play<rondo::fifo_order>>(seeds); }
TEST_P(RandomItems, ALifoQueueGivesEachItemOnceTheLastFirst) { play_many<queue_play<rondo::lifo_order>>(seeds); }
TEST_P(RandomItems, APriorityQueueGivesEachItemOnceTheLeastFirst) {
    play_many<queue_play<rondo::priority_order<std::less<>>>>(seeds);
}

class channel_play final : public random_play {
public:
    explicit channel_play(std::uint64_t seed) : random_play(seed), room(random.below(4)), ends(room) {}

private:
    coro<> act(waiting_to& now) override {
        if (random.one_in(2)) {
            auto own = ends.tx.clone();
            for (unsigned n = 1 + random.below(2); n > 0; --n) {
                const int ticket = senders.come();
                now = waiting_to::put;
                co_await own.send(ticket);
                sent.push_back(ticket);
            }
        } else {
            auto own = ends.rx.clone();
            const int ticket = receivers.come();
            now = waiting_to::get;
            std::optional<int> item;
            if (random.one_in(2)) item = co_await own.next();
            else item = co_await receive_or_end(own);
            if (!item) co_return;
            receivers.served(ticket);
            note(*item);
        }
    }
    coro<std::optional<int>> receive_or_end(rondo::receive_channel<int>& from) {
        try {
            co_return co_await from.receive();
        } catch (const rondo::end_of_channel&) {
            EXPECT_TRUE(ending);
            co_return std::nullopt;
        }
    }
    void note(int item) {
        senders.served(item); // items leave in the order in which their senders came
        received.push_back(item);
    }
    void interfere() override {
        try {
            if (random.one_in(2)) {
                const int ticket = senders.come();
                ends.tx.send_nowait(ticket);
                sent.push_back(ticket);
            } else {
                note(ends.rx.receive_nowait());
            }
        } catch (const rondo::would_block&) {}
    }
    void check() override {
        const auto now = ends.rx.statistics();
        EXPECT_EQ(now.tasks_waiting_send, blocked(waiting_to::put));
        EXPECT_EQ(now.tasks_waiting_receive, blocked(waiting_to::get));
        if (now.tasks_waiting_send > 0) EXPECT_GE(now.buffered, room) << "there is room";
        if (now.tasks_waiting_receive > 0) EXPECT_EQ(now.buffered + now.tasks_waiting_send, 0u) << "there is an item";
    }
    void check_calm() override { check(); }
    coro<> finish() override {
        ending = true;
        ends.tx.close();
        while (auto item = co_await ends.rx.next()) note(*item);
    }
    void check_end() override {
        std::sort(sent.begin(), sent.end()); // a sender may learn of it after another, whose item went in later
        EXPECT_EQ(received, sent);
        EXPECT_EQ(ends.rx.statistics().open_senders, 0u);
        EXPECT_EQ(ends.rx.statistics().open_receivers, 1u);
    }

    std::size_t room;
    rondo::channel<int> ends;
    service_book senders;
    service_book receivers;
    std::vector<int> sent;
    std::vector<int> received;
    bool ending = false;
};

TEST_P(RandomItems, AChannelGivesEachItemOnceInTheOrderOfSending) { play_many<channel_play>(seeds); }

} // namespace
