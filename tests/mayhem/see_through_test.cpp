#include "base/see_through.hpp"

#include "mocks.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace mayhem {
namespace {

using test::in_loop;

rondo::coro<int> answer_after(rondo::event* go) {
    co_await go->wait();
    co_return 42;
}

} // namespace

TEST(SeeThrough, GivesTheOutcomeOfTheTask) {
    in_loop([]() -> rondo::coro<> {
        rondo::event go;
        go.set();
        EXPECT_EQ(co_await see_through(rondo::create_task(answer_after, &go)), 42);

        auto failing = rondo::create_task([]() -> rondo::coro<int> {
            co_await rondo::yield();
            throw std::runtime_error("no");
        });
        EXPECT_TRUE((co_await rondo::as_result(see_through(failing))).holds<std::runtime_error>());
    });
}

TEST(SeeThrough, IsNotEndedByCancellingTheTaskHoweverOften) {
    in_loop([]() -> rondo::coro<> {
        rondo::event go;
        auto work = rondo::create_task(answer_after, &go);
        int got = 0;
        auto waiter = rondo::create_task([&]() -> rondo::coro<> { got = co_await see_through(work); });
        for (int i = 0; i < 3; ++i) {
            co_await rondo::yield();
            waiter.cancel();
        }
        for (int i = 0; i < 10; ++i) co_await rondo::yield();
        EXPECT_FALSE(waiter.done());
        go.set();
        (void)co_await rondo::as_result(waiter);
        EXPECT_EQ(got, 42);
    });
}

/// Or whoever goes on after it, and tries something until it succeeds, would never end.
TEST(SeeThrough, PutsTheCancellationOffToTheNextWait) {
    in_loop([]() -> rondo::coro<> {
        rondo::event go;
        auto work = rondo::create_task(answer_after, &go);
        int got = 0;
        auto waiter = rondo::create_task([&]() -> rondo::coro<> {
            got = co_await see_through(work);
            co_await rondo::sleep(std::chrono::hours(1));
        });
        co_await rondo::yield();
        waiter.cancel();
        co_await rondo::yield();
        go.set();
        EXPECT_TRUE((co_await rondo::as_result(waiter)).cancelled());
        EXPECT_EQ(got, 42);
    });
}

TEST(SeeThrough, IsNotEndedByACancelledScope) {
    in_loop([]() -> rondo::coro<> {
        rondo::event go;
        auto work = rondo::create_task(answer_after, &go);
        int got = 0;
        co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
            group.create_task([&]() -> rondo::coro<> { got = co_await see_through(work); });
            co_await rondo::yield();
            co_await rondo::yield();
            rondo::running_loop().call_later(std::chrono::milliseconds(5), [&] { go.set(); });
            group.cancel();
        });
        EXPECT_EQ(got, 42);
    });
}

} // namespace mayhem
