#include "base/group_commit.hpp"

#include "mocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <memory>
#include <stdexcept>
#include <vector>

namespace mayhem {
namespace {

using test::in_loop;
using commit = group_commit<int>;

} // namespace

TEST(GroupCommit, WhatArrivesDuringAWriteIsTheNextGroup) {
    std::vector<std::vector<int>> groups;
    std::latch go(1);
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(thread, [&](std::vector<int>& group) {
            go.wait();
            groups.push_back(group);
        });
        const auto first = c.add(1);
        co_await rondo::yield();
        co_await rondo::yield();
        const auto second = c.add(2);
        const auto third = c.add(3);
        go.count_down();
        co_await third.durable();
        co_await first.durable();
        co_await second.durable();
        co_await c.drain();
    });
    EXPECT_EQ(groups, (std::vector<std::vector<int>>{{1}, {2, 3}}));
}

TEST(GroupCommit, AnAnswerIsLeftInTheOperation) {
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(thread, [](std::vector<int>& group) {
            for (int& n : group) n *= 10;
        });
        const auto a = c.add(4);
        const auto b = c.add(5);
        co_await a.durable();
        co_await b.durable();
        EXPECT_EQ(a.operation(), 40);
        EXPECT_EQ(b.operation(), 50);
    });
}

TEST(GroupCommit, ALargeGroupIsToldInSlicesWhileTheNextIsWritten) {
    constexpr int many = 1000;
    std::latch go(1);
    int told = 0;
    int most_in_a_pass = 0;
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(thread, [&](std::vector<int>& group) {
            if (group.front() == many) go.wait();
        });
        co_await rondo::task_group::run([&](rondo::task_group& waiting) -> rondo::coro<> {
            for (int i = 0; i < many; ++i) {
                waiting.create_task([&told, ticket = c.add(i)]() -> rondo::coro<> {
                    co_await ticket.durable();
                    ++told;
                });
            }
            while (told == 0) co_await rondo::yield();
            const auto next = c.add(many);
            while (told < many) {
                const int before = told;
                co_await rondo::yield();
                most_in_a_pass = std::max(most_in_a_pass, told - before);
            }
            go.count_down();
            co_await next.durable();
        });
        co_await c.drain();
    });
    EXPECT_EQ(told, many);
    EXPECT_LE(most_in_a_pass, 64);
}

TEST(GroupCommit, AFailedWriteIsToldToItsOwnGroupOnly) {
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(thread, [](std::vector<int>& group) {
            if (group.front() < 0) throw std::runtime_error("no");
        });
        const auto bad = c.add(-1);
        const auto worse = c.add(2);
        EXPECT_TRUE((co_await rondo::as_result(bad.durable())).holds<std::runtime_error>());
        EXPECT_TRUE((co_await rondo::as_result(worse.durable())).holds<std::runtime_error>());
        co_await c.add(3).durable();
    });
}

TEST(GroupCommit, NobodyIsWokenBeforeTheOwnerHeardOfTheWrite) {
    int heard = 0;
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(
            thread, [](std::vector<int>&) {},
            [&](std::vector<int>& group) { heard += static_cast<int>(group.size()); });
        co_await c.add(1).durable();
        EXPECT_EQ(heard, 1);
        c.add(2);
        co_await c.drain();
        EXPECT_EQ(heard, 2);
    });
}

TEST(GroupCommit, ACancelledWaiterDoesNotStopTheWrite) {
    std::vector<int> written;
    std::latch go(1);
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(thread, [&](std::vector<int>& group) {
            go.wait();
            written = group;
        });
        auto waiter = rondo::create_task(c.add(7).durable());
        co_await rondo::yield();
        waiter.cancel();
        EXPECT_TRUE((co_await rondo::as_result(std::as_const(waiter))).cancelled());
        go.count_down();
        co_await c.drain();
    });
    EXPECT_EQ(written, std::vector<int>{7});
}

TEST(GroupCommit, DrainOfNothingReturns) {
    in_loop([&]() -> rondo::coro<> {
        rondo::thread_pool thread(1, "test");
        commit c(thread, [](std::vector<int>&) {});
        co_await c.drain();
    });
}

TEST(GroupCommit, GoneInTheMiddleOfAWriteTouchesNothingAfterwards) {
    in_loop([&]() -> rondo::coro<> {
        auto target = std::make_unique<std::vector<int>>();
        auto thread = std::make_unique<rondo::thread_pool>(1, "test");
        auto c = std::make_unique<commit>(
            *thread, [t = target.get()](std::vector<int>& group) { t->push_back(group.front()); },
            [t = target.get()](std::vector<int>&) { t->push_back(0); });
        c->add(1);
        co_await rondo::yield();
        c->add(2);
        c.reset();
        thread.reset();
        target.reset();
        for (int i = 0; i < 10; ++i) co_await rondo::yield();
    });
}

} // namespace mayhem
