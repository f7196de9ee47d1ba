// retry(): another attempt, after a while.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/retry.hpp>

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class Retry : public test::loop_test {};
RONDO_IN_EACH_WORLD(Retry);

TEST_P(Retry, OfWhatSucceedsAtOnceIsOneAttemptAndCostsNoPass) {
    run([&]() -> coro<> {
        int calls = 0;
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await retry({}, [&]() -> coro<std::string> { co_return std::to_string(++calls); }), "1");
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Retry, CallsAnewUntilItSucceeds) {
    run([&]() -> coro<> {
        int calls = 0;
        const int value = co_await retry({.initial = 0ms}, [&]() -> coro<int> {
            if (++calls < 3) throw std::out_of_range("x");
            co_return calls;
        });
        EXPECT_EQ(value, 3);
        co_await retry({.initial = 0ms}, [&]() -> coro<> {
            if (++calls < 5) throw 7; // of no family
            co_return;
        });
        EXPECT_EQ(calls, 5);
    });
}

TEST_P(Retry, ThrowsTheLastErrorWhenTheAttemptsAreUsedUp) {
    run([&]() -> coro<> {
        int calls = 0;
        auto outcome = co_await as_result(retry({.attempts = 3, .initial = 0ms}, [&]() -> coro<> {
            ++calls;
            throw std::out_of_range(std::to_string(calls));
            co_return;
        }));
        EXPECT_EQ(calls, 3);
        EXPECT_THROW(
            try { outcome.value(); } catch (const std::out_of_range& e) {
                EXPECT_STREQ(e.what(), "3");
                throw;
            },
            std::out_of_range);
    });
}

TEST_P(Retry, OnlyWhatRetryIfTakesIsTriedAgain) {
    run([&]() -> coro<> {
        int calls = 0;
        const auto wanted = [](const std::exception_ptr& e) { return detail::exception_cast<std::out_of_range>(e); };
        auto outcome = co_await as_result(
            retry({.initial = 0ms, .retry_if = [&](const auto& e) { return wanted(e) != nullptr; }}, [&]() -> coro<> {
                if (++calls < 2) throw std::out_of_range("again");
                throw std::logic_error("enough");
                co_return;
            }));
        EXPECT_EQ(calls, 2);
        EXPECT_TRUE(outcome.holds<std::logic_error>());
    });
}

TEST_P(Retry, ACancellationIsNeverTriedAgain) {
    run([&]() -> coro<> {
        int calls = 0;
        const auto count_and_wait = [&]() -> coro<> {
            ++calls;
            co_await sleep_forever();
        };
        auto during = create_task([&]() -> coro<> {
            co_await retry({.initial = 0ms, .retry_if = [](const auto&) { return true; }}, count_and_wait);
        });
        co_await test::pass_by(2);
        during.cancel();
        EXPECT_TRUE((co_await as_result(during)).cancelled());
        EXPECT_EQ(calls, 1);
    });
}

TEST_P(Retry, CancelledBetweenTwoAttemptsItEndsAtOnce) {
    run([&]() -> coro<> {
        int calls = 0;
        auto t = create_task([&]() -> coro<> {
            co_await retry({.initial = 1h, .maximum = 1h}, [&]() -> coro<> {
                ++calls;
                throw std::out_of_range("x");
                co_return;
            });
        });
        co_await test::pass_by(2);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(calls, 1);
    });
}

TEST_P(Retry, ThePausesGrowToTheMaximumLessTheJitter) {
    run([&]() -> coro<> {
        detail::retry_state steady({.initial = 100ms, .factor = 2.0, .maximum = 350ms, .jitter = 0.0});
        EXPECT_EQ(steady.pause(), 100ms);
        EXPECT_EQ(steady.pause(), 200ms);
        EXPECT_EQ(steady.pause(), 350ms);
        EXPECT_EQ(steady.pause(), 350ms);
        detail::retry_state random({.initial = 100ms, .factor = 1.0, .jitter = 0.5});
        bool differ = false;
        const duration first = random.pause();
        for (int i = 0; i < 100; ++i) {
            const duration pause = random.pause();
            EXPECT_GE(pause, 50ms);
            EXPECT_LE(pause, 100ms);
            differ = differ || pause != first;
        }
        EXPECT_TRUE(differ);
        co_return;
    });
}

TEST_P(Retry, RefusesAPolicyThatMakesNoSense) {
    run([&]() -> coro<> {
        const auto one = []() -> coro<int> { co_return 1; };
        EXPECT_TRUE((co_await as_result(retry({.attempts = 0}, one))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(retry({.initial = -1ms}, one))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(retry({.maximum = -1ms}, one))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(retry({.factor = 0.5}, one))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(retry({.jitter = 1.5}, one))).holds<value_error>());
        const double nan = std::numeric_limits<double>::quiet_NaN();
        EXPECT_TRUE((co_await as_result(retry({.jitter = nan}, one))).holds<value_error>());
    });
}

} // namespace
} // namespace rondo
