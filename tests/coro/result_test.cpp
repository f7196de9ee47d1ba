// result<T>: a value, an error, or a cancellation.
#include <rondo/coro/result.hpp>

#include "support/tracked.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace rondo {
namespace {

std::exception_ptr far_away() { return std::make_exception_ptr(std::out_of_range("far")); }

TEST(Result, HoldsAValue) {
    result<int> r(3);
    EXPECT_TRUE(r.has_value());
    EXPECT_TRUE(r);
    EXPECT_EQ(r.value(), 3);
    EXPECT_EQ(*r, 3);
    EXPECT_EQ(r.error(), nullptr);
    EXPECT_FALSE(r.cancelled());
    EXPECT_FALSE(r.holds<std::exception>());
    *r = 4;
    EXPECT_EQ(std::as_const(r).value(), 4);
    result<std::string> s(std::string("abc"));
    EXPECT_EQ(s->size(), 3U);
    EXPECT_EQ(std::as_const(s)->size(), 3U);
}

TEST(Result, HoldsAnErrorAndThrowsItEveryTime) {
    result<int> r(far_away());
    EXPECT_FALSE(r);
    EXPECT_TRUE(r.holds<std::out_of_range>());
    EXPECT_TRUE(r.holds<std::logic_error>());
    EXPECT_FALSE(r.holds<std::runtime_error>());
    EXPECT_FALSE(r.cancelled());
    EXPECT_THROW(r.value(), std::out_of_range);
    EXPECT_THROW(std::as_const(r).value(), std::out_of_range);
    EXPECT_THROW(static_cast<void>(std::move(r).value()), std::out_of_range);
}

TEST(Result, ThrowsTheSameExceptionObject) {
    const auto error = far_away();
    const result<int> r(error);
    EXPECT_EQ(r.error(), error);
    try {
        static_cast<void>(r.value());
    } catch (...) {
        EXPECT_EQ(std::current_exception(), error);
    }
}

TEST(Result, TellsACancellation) {
    EXPECT_TRUE(result<int>(std::make_exception_ptr(cancelled_error())).cancelled());
    EXPECT_TRUE(result<void>(std::make_exception_ptr(cancelled_error())).cancelled());
    EXPECT_FALSE(result<void>().cancelled());
    EXPECT_FALSE(result<void>(far_away()).cancelled());
}

TEST(Result, OfVoidHasNoValueToGive) {
    result<void> good;
    EXPECT_TRUE(good);
    good.value();
    result<void> bad(far_away());
    EXPECT_FALSE(bad);
    EXPECT_THROW(bad.value(), std::out_of_range);
    EXPECT_THROW(std::move(bad).value(), std::out_of_range);
    static_assert(std::is_void_v<decltype(good.value())>);
    good.set_error(far_away());
    EXPECT_FALSE(good);
    good.emplace();
    EXPECT_TRUE(good);
}

TEST(Result, ValueOrGivesTheFallbackInPlaceOfAnError) {
    const result<int> good(1);
    const result<int> bad(far_away());
    EXPECT_EQ(good.value_or(7), 1);
    EXPECT_EQ(bad.value_or(7), 7);
    EXPECT_EQ(*result<std::unique_ptr<int>>(far_away()).value_or(std::make_unique<int>(2)), 2);
    EXPECT_EQ(*result<std::unique_ptr<int>>(std::make_unique<int>(1)).value_or(nullptr), 1);
}

TEST(Result, MovesWhatOnlyMoves) {
    static_assert(!std::copyable<result<std::unique_ptr<int>>> && std::movable<result<std::unique_ptr<int>>>);
    result<std::unique_ptr<int>> r(std::make_unique<int>(5));
    result<std::unique_ptr<int>> moved = std::move(r);
    EXPECT_TRUE(r.has_value()); // it keeps its kind NOLINT(bugprone-use-after-move)
    EXPECT_EQ(*std::move(moved).value(), 5);
}

TEST(Result, CopiesAndAssignsEveryKindOverEveryOther) {
    const result<std::string> value(std::string("value"));
    const result<std::string> error(far_away());
    for (const auto& from : {value, error}) {
        for (const auto& to : {value, error}) {
            result<std::string> copied = to;
            copied = from;
            EXPECT_EQ(copied.has_value(), from.has_value());
            if (from) EXPECT_EQ(*copied, "value");
            result<std::string> moved = to;
            result<std::string> source = from;
            moved = std::move(source);
            EXPECT_EQ(moved.has_value(), from.has_value());
            moved = *&moved;
            EXPECT_EQ(moved.has_value(), from.has_value());
        }
    }
}

TEST(Result, DestroysWhatItHoldsOnce) {
    int living = 0;
    {
        result<test::tracked> r{test::tracked(living)};
        EXPECT_EQ(living, 1);
        result<test::tracked> copy = r;
        EXPECT_EQ(living, 2);
        copy.set_error(far_away());
        EXPECT_EQ(living, 1);
        copy = r;
        EXPECT_EQ(living, 2);
        copy.emplace(living);
        EXPECT_EQ(living, 2);
    }
    EXPECT_EQ(living, 0);
}

struct picky {
    explicit picky(int x) {
        if (x < 0) throw std::length_error("negative");
    }
    picky(const picky&) { throw std::length_error("copied"); }
    picky& operator=(const picky&) = default;
};

TEST(Result, AConstructorThatThrowsInEmplaceIsTheError) {
    result<picky> r(far_away());
    r.emplace(-1);
    EXPECT_TRUE(r.holds<std::length_error>());
    r.emplace(1);
    EXPECT_TRUE(r);
    r.emplace(-1);
    EXPECT_TRUE(r.holds<std::length_error>());
}

TEST(Result, ACopyThatThrowsLeavesNoValueBehind) {
    result<picky> good(far_away());
    good.emplace(1);
    EXPECT_THROW(const result<picky> copy(std::as_const(good)), std::length_error);
    result<picky> target(far_away());
    EXPECT_THROW(target = std::as_const(good), std::length_error);
    EXPECT_FALSE(target);
}

TEST(Result, TakeErrorGivesItAway) {
    result<int> r(far_away());
    EXPECT_TRUE(detail::exception_cast<std::out_of_range>(r.take_error()));
    result<int> value(1);
    EXPECT_EQ(value.take_error(), nullptr);
    EXPECT_TRUE(value);
}

TEST(Result, MovingIsNoexceptWhereTheValuesIs) {
    static_assert(std::is_nothrow_move_constructible_v<result<int>>);
    static_assert(std::is_nothrow_move_constructible_v<result<std::string>>);
    static_assert(!std::is_nothrow_move_constructible_v<result<picky>>);
    static_assert(std::is_nothrow_move_constructible_v<result<void>>);
}

} // namespace
} // namespace rondo
