#include <rondo/task/finally.hpp>

#include "support/loop_test.hpp"

#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using trace = std::vector<std::string>;

class Finally : public rondo::test::loop_test {
protected:
    trace log;
    auto cleanup() {
        return [this]() -> coro<> {
            co_await rondo::yield();
            log.push_back("cleaned up");
        };
    }
};
RONDO_IN_EACH_WORLD(Finally);

TEST_P(Finally, GivesTheValueOfTheBodyAfterTheCleanup) {
    run([&]() -> coro<> {
        const int x = co_await rondo::finally([]() -> coro<int> { co_return 7; }, cleanup());
        EXPECT_EQ(x, 7);
        EXPECT_EQ(log, (trace{"cleaned up"}));
    });
}

TEST_P(Finally, TakesAnAwaitableAndAPlainCleanup) {
    run([&]() -> coro<> {
        co_await rondo::finally(rondo::yield(), [&] { log.push_back("plain"); });
        EXPECT_EQ(log, (trace{"plain"}));
    });
}

TEST_P(Finally, TheErrorOfTheBodyGoesOn) {
    run([&]() -> coro<> {
        auto failed = co_await rondo::as_result(
            rondo::finally([]() -> coro<> { throw std::runtime_error("body"), co_await rondo::yield(); }, cleanup()));
        EXPECT_TRUE(failed.holds<std::runtime_error>());
        EXPECT_EQ(log, (trace{"cleaned up"}));
    });
}

TEST_P(Finally, ABodyThatThrowsBeforeItIsACoroutineIsCleanedUpToo) {
    run([&]() -> coro<> {
        auto failed = co_await rondo::as_result(rondo::finally(
            []() -> coro<> {
                if (true) throw std::runtime_error("no coroutine");
                return rondo::detail::as_coro(rondo::yield());
            },
            cleanup()));
        EXPECT_TRUE(failed.holds<std::runtime_error>());
        EXPECT_EQ(log, (trace{"cleaned up"}));
    });
}

TEST_P(Finally, RunsTheCleanupWholeWhenTheTaskWasCancelled) {
    run([&]() -> coro<> {
        auto t = rondo::create_task([&]() -> coro<> { co_await rondo::finally(rondo::sleep_forever(), cleanup()); });
        co_await rondo::yield();
        t.cancel();
        EXPECT_TRUE((co_await rondo::as_result(t)).cancelled());
        EXPECT_EQ(log, (trace{"cleaned up"}));
    });
}

TEST_P(Finally, ACancellationDuringTheCleanupIsDeliveredAfterIt) {
    run([&]() -> coro<> {
        auto t = rondo::create_task([&]() -> coro<> {
            co_await rondo::finally([]() -> coro<> { co_return; }, cleanup());
            log.push_back("after");
            co_await rondo::yield();
            log.push_back("never");
        });
        co_await rondo::yield(); // it waits in its cleanup
        t.cancel();
        EXPECT_TRUE((co_await rondo::as_result(t)).cancelled());
        EXPECT_EQ(log, (trace{"cleaned up", "after"}));
    });
}

TEST_P(Finally, ACancelledScopeAroundItDoesNotReachTheCleanup) {
    run([&]() -> coro<> {
        rondo::cancel_scope scope;
        auto left = co_await scope.run([&]() -> coro<> {
            scope.cancel();
            co_await rondo::finally(rondo::sleep_forever(), cleanup());
        });
        EXPECT_FALSE(left);
        EXPECT_EQ(log, (trace{"cleaned up"}));
    });
}

TEST_P(Finally, ACleanupThatTakesTooLongIsCancelledAndATimeout) {
    run([&]() -> coro<> {
        auto late = co_await rondo::as_result(rondo::finally(
            []() -> coro<> { co_return; }, [] { return rondo::sleep_forever(); }, {.cleanup_timeout = 1ms}));
        EXPECT_TRUE(late.holds<rondo::timeout_error>());
    });
}

coro<> fails_with(auto error) {
    co_await rondo::yield();
    throw error;
}
class odd_error {}; // of no family

TEST_P(Finally, WhatTheCleanupThrowsReplacesTheErrorAndHasItAsItsCause) {
    run([&]() -> coro<> {
        auto failed = co_await rondo::as_result(rondo::finally(
            fails_with(std::out_of_range("body")), [] { return fails_with(std::length_error("cleanup")); }));
        EXPECT_TRUE(failed.holds<std::length_error>());
        EXPECT_TRUE(failed.holds<std::logic_error>());
        EXPECT_FALSE(failed.holds<std::out_of_range>());
        try {
            failed.value();
        } catch (const std::logic_error& e) {
            EXPECT_STREQ(e.what(), "cleanup");
        }
        const std::exception_ptr cause = rondo::cause_of(failed.error());
        const auto* first = rondo::detail::exception_cast<std::out_of_range>(cause);
        EXPECT_TRUE(first);
        if (first) EXPECT_STREQ(first->what(), "body");
        EXPECT_EQ(rondo::cause_of(cause), nullptr);
    });
}

TEST_P(Finally, NestedOnesMakeAChainOfCauses) {
    run([&]() -> coro<> {
        auto failed = co_await rondo::as_result(
            rondo::finally(rondo::finally(fails_with(odd_error()), [] { return fails_with(std::range_error("2")); }),
                           [] { return fails_with(rondo::value_error("3")); }));
        EXPECT_TRUE(failed.holds<rondo::value_error>());
        const std::exception_ptr second = rondo::cause_of(failed.error());
        EXPECT_TRUE(rondo::detail::exception_cast<std::range_error>(second));
        EXPECT_TRUE(rondo::detail::exception_cast<odd_error>(rondo::cause_of(second)));
    });
}

TEST_P(Finally, ACleanupThatTakesTooLongHasTheErrorOfTheBodyAsItsCause) {
    run([&]() -> coro<> {
        auto late = co_await rondo::as_result(rondo::finally(
            fails_with(std::out_of_range("body")), [] { return rondo::sleep_forever(); }, {.cleanup_timeout = 1ms}));
        EXPECT_TRUE(late.holds<rondo::timeout_error>());
        EXPECT_TRUE(rondo::detail::exception_cast<std::out_of_range>(rondo::cause_of(late.error())));
    });
}

TEST_P(Finally, AnErrorThatCannotBeACauseIsReported) {
    run([&]() -> coro<> {
        auto failed = co_await rondo::as_result(
            rondo::finally(fails_with(std::out_of_range("body")), [] { return fails_with(42); }));
        EXPECT_TRUE(failed.holds<int>());
        EXPECT_EQ(reports.count(), 1U);
        auto cancelled = co_await rondo::as_result(
            rondo::finally(fails_with(std::out_of_range("body")), [] { return fails_with(rondo::cancelled_error()); }));
        EXPECT_TRUE(cancelled.cancelled());
    });
    EXPECT_EQ(reports.take().size(), 2U);
}

} // namespace
