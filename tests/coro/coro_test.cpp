// coro<T>, without a loop: what the language level promises.
#include <rondo/coro/coro.hpp>

#include "support/tracked.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <coroutine>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using rondo::coro;
using rondo::test::tracked;

/// Runs a coroutine that awaits nothing but coroutines, without a loop.
template <class T> T run_to_end(coro<T> c) {
    struct end : rondo::detail::resumable {
        bool reached = false;
    } at_end;
    at_end.resume = [](rondo::detail::resumable* self) noexcept { static_cast<end*>(self)->reached = true; };
    auto frame = rondo::detail::coro_access::release(c);
    frame.promise().continuation = at_end.handle();
    frame.resume();
    EXPECT_TRUE(at_end.reached);
    rondo::result<T> outcome = std::move(frame.promise().outcome());
    frame.destroy();
    return std::move(outcome).value();
}

coro<int> note(std::vector<std::string>& log) {
    log.emplace_back("ran");
    co_return 1;
}

TEST(Coro, IsLazy) {
    std::vector<std::string> log;
    {
        const coro<int> never = note(log);
        EXPECT_TRUE(never);
    }
    EXPECT_TRUE(log.empty());
    coro<int> c = note(log);
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(run_to_end(std::move(c)), 1);
    EXPECT_EQ(log.size(), 1U);
}

TEST(Coro, ThatNeverRanDestroysItsArguments) {
    int living = 0;
    {
        const auto c = [](tracked) -> coro<> { co_return; }(tracked(living));
        EXPECT_EQ(living, 1);
    }
    EXPECT_EQ(living, 0);
}

TEST(Coro, MovesAndDoesNotCopy) {
    static_assert(std::movable<coro<int>> && !std::copyable<coro<int>>);
    std::vector<std::string> log;
    coro<int> a = note(log);
    coro<int> b = std::move(a);
    EXPECT_FALSE(a); // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(b);
    coro<int> c = note(log);
    c = std::move(b);
    EXPECT_EQ(run_to_end(std::move(c)), 1);
    EXPECT_EQ(log.size(), 1U);
}

TEST(Coro, IsAwaitedAsAnRvalueOnly) {
    static_assert(rondo::awaitable<coro<int>> && rondo::awaitable<coro<int>&&>);
    static_assert(!rondo::awaitable<coro<int>&> && !rondo::awaitable<const coro<int>&>);
    static_assert(std::same_as<rondo::await_result_t<coro<int>>, int>);
    static_assert(std::same_as<rondo::await_result_t<coro<>>, void>);
    static_assert(rondo::awaitable_of<coro<int>, long> && !rondo::awaitable_of<coro<int>, std::string>);
    static_assert(rondo::is_coro_v<coro<int>> && rondo::is_coro_v<coro<>&> && !rondo::is_coro_v<int>);
    static_assert(!rondo::awaitable<int>);
    static_assert(std::same_as<rondo::non_void_t<void>, std::monostate> && std::same_as<rondo::non_void_t<int>, int>);
}

TEST(Coro, AwaitedTwiceOrMovedFromIsAnInvalidState) {
    struct twice {
        static coro<int> one() { co_return 1; }
        static coro<int> await_again() {
            coro<int> c = one();
            int sum = co_await std::move(c);
            try {
                sum += co_await std::move(c); // NOLINT(bugprone-use-after-move)
            } catch (const rondo::invalid_state_error&) {
                sum += 10;
            }
            co_return sum;
        }
    };
    EXPECT_EQ(run_to_end(twice::await_again()), 11);
}

TEST(Coro, GivesValuesReferencesAsPointersAndWhatOnlyMoves) {
    struct gives {
        static coro<std::unique_ptr<int>> pointer() { co_return std::make_unique<int>(4); }
        static coro<std::string> braces() { co_return {"abc", 2}; }
        static coro<double> converted() { co_return 3; }
        static coro<int> sum() {
            const auto p = co_await pointer();
            const std::string s = co_await braces();
            co_return *p + static_cast<int>(s.size()) + static_cast<int>(co_await converted());
        }
    };
    EXPECT_EQ(run_to_end(gives::sum()), 4 + 2 + 3);
}

TEST(Coro, WhatItThrowsIsThrownByTheAwaitAndCanBeCaughtThere) {
    struct throws {
        static coro<> fail() {
            throw std::out_of_range("x");
            co_return;
        }
        static coro<int> caught() {
            try {
                co_await fail();
            } catch (const std::out_of_range&) {
                co_return 1;
            }
            co_return 0;
        }
        static coro<> passed_on() { co_await fail(); }
    };
    EXPECT_EQ(run_to_end(throws::caught()), 1);
    EXPECT_THROW(run_to_end(throws::passed_on()), std::out_of_range);
}

TEST(Coro, AValueWhoseConstructorThrowsIsAnError) {
    struct picky {
        explicit picky(int) {}
        picky(picky&&) { throw std::length_error("moved"); }
        static coro<picky> make() { co_return picky(1); }
        static coro<int> take() {
            try {
                static_cast<void>(co_await make());
            } catch (const std::length_error&) {
                co_return 1;
            }
            co_return 0;
        }
    };
    EXPECT_EQ(run_to_end(picky::take()), 1);
}

TEST(Coro, LocalsAndArgumentsDieAtTheEndAndBeforeTheAwaitingFrameGoesOn) {
    struct lives {
        static coro<> inner(int& living, tracked) {
            const tracked local(living);
            co_return;
        }
        static coro<int> outer(int& living) {
            co_await inner(living, tracked(living));
            co_return living;
        }
    };
    int living = 0;
    EXPECT_EQ(run_to_end(lives::outer(living)), 0);
}

TEST(Coro, WorksThroughStdFunctionBindFrontAndForwardingLambdas) {
    struct adds {
        static coro<int> sum(int a, int b) { co_return a + b; }
    };
    const std::function<coro<int>(int, int)> erased = adds::sum;
    EXPECT_EQ(run_to_end(erased(1, 2)), 3);
    EXPECT_EQ(run_to_end(std::bind_front(adds::sum, 3)(4)), 7);
    const auto forward = [](int x) { return adds::sum(x, x); };
    EXPECT_EQ(run_to_end(forward(5)), 10);
}

TEST(Coro, KnowsWhereItIsDefined) {
    coro<int> c = [](int x) -> coro<int> { co_return x; }(1);
    auto frame = rondo::detail::coro_access::release(c);
    const rondo::detail::frame_header& header = rondo::detail::header_of(frame);
    EXPECT_STREQ(header.function.file_name(), "tests/coro/coro_test.cpp");
    EXPECT_NE(std::string(header.function.function_name()).find("operator()"), std::string::npos);
    frame.destroy();
}

TEST(CoroDeathTest, OneThatIsNeverAwaitedIsReportedInDebugModeWithItsPlace) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe"; // a process of its own, which reads its environment anew
    ASSERT_EQ(::setenv("RONDO_DEBUG", "1", 1), 0);
    EXPECT_EXIT(
        {
            std::vector<std::string> log;
            { const coro<int> never = note(log); }
            std::exit(log.empty() ? 0 : 1);
        },
        testing::ExitedWithCode(0), "coroutine was never awaited: .*note.*tests/coro/coro_test.cpp:");
    ::unsetenv("RONDO_DEBUG");
}

TEST(CoroDeathTest, OneThatIsNeverAwaitedIsNotReportedOtherwise) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(
        {
            std::vector<std::string> log;
            { const coro<int> never = note(log); }
            std::exit(0);
        },
        testing::ExitedWithCode(0), "^$");
}

} // namespace
