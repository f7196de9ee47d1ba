// The orders of queues, and where their items lie.

#include <rondo/sync/queue.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using rondo::coro;
using rondo::create_task;
using testing::ElementsAre;

template <class Q> std::vector<int> drain(Q& q) {
    std::vector<int> got;
    while (auto item = q.try_get()) got.push_back(*item);
    return got;
}

TEST(LifoQueue, GivesTheLastFirst) {
    rondo::lifo_queue<int> q(rondo::unbounded);
    for (int i : {1, 2, 3}) q.put_nowait(i);
    EXPECT_THAT(drain(q), ElementsAre(3, 2, 1));
}

TEST(PriorityQueue, GivesTheLeastFirst) {
    rondo::priority_queue<int> q(rondo::unbounded);
    for (int i : {3, 1, 4, 1, 5, 9, 2, 6}) q.put_nowait(i);
    EXPECT_THAT(drain(q), ElementsAre(1, 1, 2, 3, 4, 5, 6, 9));
}

TEST(PriorityQueue, TakesAComparison) {
    rondo::priority_queue<int, std::greater<>> q(rondo::unbounded);
    for (int i : {3, 1, 2}) q.put_nowait(i);
    EXPECT_THAT(drain(q), ElementsAre(3, 2, 1));

    const auto by_last_digit = [](int a, int b) { return a % 10 < b % 10; };
    rondo::queue<int, rondo::priority_order<decltype(by_last_digit)>> digits(rondo::unbounded, {by_last_digit});
    for (int i : {19, 21, 30}) digits.put_nowait(i);
    EXPECT_THAT(drain(digits), ElementsAre(30, 21, 19));
}

TEST(PriorityQueue, GivesEqualItemsInTheOrderInWhichTheyWerePut) {
    struct item {
        int rank;
        int number;
        bool operator<(const item& other) const { return rank < other.rank; }
    };
    rondo::priority_queue<item> q(rondo::unbounded);
    for (int i = 0; i < 50; ++i) q.put_nowait({i % 3, i});
    int rank = 0;
    int number = -1;
    while (auto next = q.try_get()) {
        if (next->rank != rank) number = -1;
        EXPECT_GE(next->rank, rank);
        EXPECT_GT(next->number, number);
        rank = next->rank;
        number = next->number;
    }
}

TEST(PriorityQueue, TakesItemsThatCanOnlyBeMoved) {
    const auto by_value = [](const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) { return *a < *b; };
    rondo::queue<std::unique_ptr<int>, rondo::priority_order<decltype(by_value)>> q(rondo::unbounded, {by_value});
    for (int i : {2, 3, 1}) q.put_nowait(std::make_unique<int>(i));
    EXPECT_EQ(*q.get_nowait(), 1);
    EXPECT_EQ(*q.get_nowait(), 2);
    EXPECT_EQ(*q.get_nowait(), 3);
}

class QueueOrder : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(QueueOrder);

TEST_P(QueueOrder, AnItemThatComesBackFromACancelledGetterKeepsItsRank) {
    run([&]() -> coro<> {
        rondo::priority_queue<int> q(rondo::unbounded);
        auto getter = create_task(q.get());
        co_await rondo::yield();
        q.put_nowait(5);
        q.put_nowait(3);
        getter.cancel();
        EXPECT_TRUE((co_await rondo::as_result(getter)).cancelled());
        EXPECT_THAT(drain(q), ElementsAre(3, 5));
    });
}

TEST_P(QueueOrder, AGetterTakesTheItemThatIsBestWhenItResumes) {
    run([&]() -> coro<> {
        rondo::priority_queue<int> q(rondo::unbounded);
        auto getter = create_task(q.get());
        co_await rondo::yield();
        q.put_nowait(5);
        q.put_nowait(3);
        EXPECT_EQ(co_await getter, 3);
        EXPECT_THAT(drain(q), ElementsAre(5));
    });
}

// A model: a deque that does the same.
TEST(Ring, BehavesLikeADequeOverAnyMixOfPushAndTake) {
    std::mt19937 random(7);
    rondo::detail::ring<std::string> ring;
    std::deque<std::string> model;
    for (int i = 0; i < 5000; ++i) {
        const bool growing = (i / 500) % 2 == 0;
        if (model.empty() || random() % 3 < (growing ? 2u : 1u)) {
            ring.push(std::to_string(i) + " is too long for the small string");
            model.push_back(std::to_string(i) + " is too long for the small string");
        } else {
            EXPECT_EQ(ring.take(), model.front());
            model.pop_front();
        }
        EXPECT_EQ(ring.size(), model.size());
    }
}

TEST(Ring, DestroysWhatIsLeft) {
    int living = 0;
    {
        rondo::detail::ring<rondo::test::tracked> ring;
        for (int i = 0; i < 20; ++i) ring.push(rondo::test::tracked(living));
        for (int i = 0; i < 5; ++i) static_cast<void>(ring.take());
        EXPECT_EQ(living, 15);
    }
    EXPECT_EQ(living, 0);
}

TEST(Ring, PushingOneOfItsOwnItemsWhileItGrowsIsFine) {
    rondo::detail::ring<std::string> ring;
    ring.push(std::string("a string that is long enough to be allocated"));
    std::string* own = nullptr;
    for (int i = 1; i < 8; ++i) ring.push(std::string("another"));
    own = &ring.first();
    ring.push(*own);
    EXPECT_EQ(ring.size(), 9u);
    std::string last;
    while (ring.size() > 0) last = ring.take();
    EXPECT_EQ(last, "a string that is long enough to be allocated");
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

TEST(Ring, IsAsItWasWhenAnItemCannotBePut) {
    rondo::detail::ring<brittle> ring;
    brittle::breaks = false;
    for (int i = 0; i < 8; ++i) ring.push(brittle(i));
    const brittle ninth(8);
    brittle::breaks = true;
    EXPECT_THROW(ring.push(ninth), std::runtime_error);
    brittle::breaks = false;
    EXPECT_EQ(ring.size(), 8u);
    for (int i = 0; i < 8; ++i) EXPECT_EQ(ring.take().value, i);
}

TEST_P(QueueOrder, APlaceIsGivenBackWhenItsItemCannotBePut) {
    run([&]() -> coro<> {
        rondo::queue<brittle> q(1);
        brittle::breaks = false;
        auto broken = q.put(brittle(1));
        brittle::breaks = true;
        EXPECT_THROW(co_await std::move(broken), std::runtime_error);
        brittle::breaks = false;
        EXPECT_FALSE(q.full());
        co_await q.put(brittle(2));
        EXPECT_EQ(q.qsize(), 1u);
        brittle::breaks = true;
        EXPECT_THROW(static_cast<void>(co_await q.get()), std::runtime_error);
        brittle::breaks = false;
        EXPECT_EQ(q.qsize(), 1u) << "what could not be taken is still there";
        EXPECT_EQ(q.get_nowait().value, 2);
    });
}

} // namespace
