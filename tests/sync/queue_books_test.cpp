// The books of a queue under random cancellation: every item that was put is got exactly once, or is still there.

#include <rondo/sync/queue.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using rondo::coro;
using rondo::create_task;
using rondo::queue;
using rondo::task;

class QueueBooks : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(QueueBooks);

template <class Q> coro<> random_traffic(unsigned seed, Q& q) {
    std::mt19937 random(seed);
    const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    std::vector<int> put;
    std::vector<int> got;
    std::vector<task<>> tasks;
    int next_item = 0;
    for (int i = 0; i < 300; ++i) {
        switch (pick(6)) {
        case 0:
        case 1:
            tasks.push_back(create_task(
                [&](int item) -> coro<> {
                    co_await q.put(item);
                    put.push_back(item);
                },
                next_item++));
            break;
        case 2:
        case 3: tasks.push_back(create_task([&]() -> coro<> { got.push_back(co_await q.get()); })); break;
        case 4:
            if (!tasks.empty()) tasks[pick(static_cast<unsigned>(tasks.size()))].cancel();
            break;
        default:
            if (auto item = q.try_get()) got.push_back(*item);
            else if (q.try_put(next_item)) put.push_back(next_item++);
        }
        if (pick(3) == 0) co_await rondo::yield();
    }
    for (int i = 0; i < 400; ++i) co_await rondo::yield();
    for (auto& t : tasks) t.cancel();
    for (auto& t : tasks) static_cast<void>(co_await rondo::as_result(t));
    EXPECT_TRUE(q.qsize() <= q.maxsize().value());
    while (auto item = q.try_get()) got.push_back(*item);
    EXPECT_TRUE(q.empty());
    EXPECT_FALSE(q.full());
    EXPECT_EQ(put.size(), got.size());
    for (std::size_t i = 0; i < put.size(); ++i) q.task_done();
    co_await q.join();
    std::sort(put.begin(), put.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(put, got);
}

TEST_P(QueueBooks, BalanceForAFifoQueue) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        queue<int> q(1 + seed % 4);
        run([&] { return random_traffic(seed, q); });
    }
}

TEST_P(QueueBooks, BalanceForAPriorityQueue) {
    for (unsigned seed = 100; seed < 120; ++seed) {
        rondo::priority_queue<int> q(1 + seed % 4);
        run([&] { return random_traffic(seed, q); });
    }
}

TEST_P(QueueBooks, BalanceForALifoQueue) {
    for (unsigned seed = 200; seed < 220; ++seed) {
        rondo::lifo_queue<int> q(1 + seed % 4);
        run([&] { return random_traffic(seed, q); });
    }
}

// One producer, one consumer: what comes out is what went in, in order, for every capacity.
TEST_P(QueueBooks, OrderIsKeptForEveryCapacity) {
    for (std::size_t room = 1; room < 6; ++room) {
        run([&]() -> coro<> {
            queue<int> q(room);
            auto producer = create_task([&]() -> coro<> {
                for (int i = 0; i < 500; ++i) co_await q.put(i);
                q.shutdown();
            });
            int expected = 0;
            while (auto item = co_await q.next()) EXPECT_EQ(*item, expected++);
            EXPECT_EQ(expected, 500);
            co_await producer;
        });
    }
}

} // namespace
