// exception_group and except_star (PEP 654).
#include <rondo/task/errors.hpp>
#include <rondo/task/exception_group.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace rondo {
namespace {

std::exception_ptr error(const char* what) { return std::make_exception_ptr(std::out_of_range(what)); }
std::exception_ptr other(const char* what) { return std::make_exception_ptr(std::length_error(what)); }
std::exception_ptr grouped(const char* message, std::vector<std::exception_ptr> members) {
    return std::make_exception_ptr(exception_group(message, std::move(members)));
}

TEST(ExceptionGroup, HoldsItsErrorsInOrderAndOneIsAGroupToo) {
    const auto a = error("a");
    const auto b = other("b");
    const exception_group group("both", {a, b});
    EXPECT_EQ(group.message(), "both");
    EXPECT_EQ(group.size(), 2u);
    EXPECT_EQ(group.exceptions(), (std::vector{a, b}));
    EXPECT_STREQ(group.what(), "both (2 sub-exceptions)");
    EXPECT_STREQ(exception_group("one", {a}).what(), "one (1 sub-exception)");
    const exception_group copy = group;
    EXPECT_EQ(&copy.exceptions(), &group.exceptions()); // shared
}

TEST(ExceptionGroup, WithoutErrorsIsAValueError) { EXPECT_THROW(exception_group("none", {}), value_error); }

TEST(ExceptionGroup, ContainsLooksAtAnyDepthAndAtBases) {
    const exception_group group("outer", {error("a"), grouped("inner", {other("b")})});
    EXPECT_TRUE(group.contains<std::length_error>());
    EXPECT_TRUE(group.contains<std::logic_error>());
    EXPECT_TRUE(group.contains<std::exception>());
    EXPECT_FALSE(group.contains<timeout_error>());
}

TEST(ExceptionGroup, HasBaseWhenSomethingInItMustNotBeSwallowed) {
    EXPECT_FALSE(exception_group("", {error("a"), grouped("", {error("b")})}).has_base());
    EXPECT_TRUE(
        exception_group("", {error("a"), grouped("", {std::make_exception_ptr(cancelled_error())})}).has_base());
    EXPECT_TRUE(exception_group("", {std::make_exception_ptr(keyboard_interrupt())}).has_base());
}

TEST(ExceptionGroup, SplitKeepsTheNestingOnBothSides) {
    const auto a = error("a");
    const auto b = other("b");
    const auto c = error("c");
    const exception_group group("outer", {a, grouped("inner", {b, c})});
    const auto [matching, rest] = group.split<std::out_of_range>();
    ASSERT_TRUE(matching && rest);
    EXPECT_EQ(matching->message(), "outer");
    ASSERT_EQ(matching->size(), 2u);
    EXPECT_EQ(matching->exceptions()[0], a);
    const auto* inner = detail::exception_cast<exception_group>(matching->exceptions()[1]);
    ASSERT_TRUE(inner);
    EXPECT_EQ(inner->message(), "inner");
    EXPECT_EQ(inner->exceptions(), std::vector{c});
    ASSERT_EQ(rest->size(), 1u);
    inner = detail::exception_cast<exception_group>(rest->exceptions()[0]);
    ASSERT_TRUE(inner);
    EXPECT_EQ(inner->exceptions(), std::vector{b});
}

TEST(ExceptionGroup, SplitLeavesAMemberGroupThatMatchesWhollyAsItIs) {
    const auto inner = grouped("inner", {error("a"), error("b")});
    const exception_group group("outer", {inner, other("c")});
    const auto [matching, rest] = group.split<std::out_of_range>();
    ASSERT_TRUE(matching);
    EXPECT_EQ(matching->exceptions(), std::vector{inner});
    const auto nothing = group.split<timeout_error>();
    EXPECT_FALSE(nothing.first);
    ASSERT_TRUE(nothing.second);
    EXPECT_EQ(nothing.second->size(), 2u);
}

TEST(ExceptionGroup, SubgroupIsTheMatchingHalf) {
    const exception_group group("g", {error("a"), other("b")});
    EXPECT_EQ(group.subgroup<std::length_error>()->size(), 1u);
    EXPECT_FALSE(group.subgroup<timeout_error>());
    EXPECT_EQ(group.subgroup([](const std::exception_ptr&) { return true; })->size(), 2u);
}

TEST(ExceptionGroup, PrintsAsATreeWithCauses) {
    std::exception_ptr nested;
    try {
        try {
            throw std::out_of_range("root");
        } catch (...) {
            std::throw_with_nested(std::length_error("leaf"));
        }
    } catch (...) {
        nested = std::current_exception();
    }
    const exception_group group("outer", {error("a"), grouped("inner", {nested})});
    EXPECT_EQ(group.tree(), "outer (2 sub-exceptions)\n"
                            "  - std::out_of_range: a\n"
                            "  - inner (1 sub-exception)\n"
                            "      - std::_Nested_exception<std::length_error>: leaf\n"
                            "          caused by std::out_of_range: root\n");
}

TEST(ExceptStar, EachHandlerGetsItsPartAndTheRestIsThrown) {
    int ranges = 0;
    int lengths = 0;
    try {
        except_star(grouped("g", {error("a"), other("b"), error("c"), std::make_exception_ptr(timeout_error())}))
            .on<std::out_of_range>([&](const exception_group& part) { ranges += static_cast<int>(part.size()); })
            .on<std::length_error>([&](const exception_group& part) { lengths += static_cast<int>(part.size()); })
            .on<std::out_of_range>([&](const exception_group&) { FAIL() << "taken already"; })
            .rethrow_rest();
        FAIL();
    } catch (const exception_group& rest) {
        EXPECT_EQ(rest.message(), "g");
        EXPECT_EQ(rest.size(), 1u);
        EXPECT_TRUE(rest.contains<timeout_error>());
    }
    EXPECT_EQ(ranges, 2);
    EXPECT_EQ(lengths, 1);
}

TEST(ExceptStar, ThrowsNothingWhenAllIsHandledOrThereWasNothing) {
    except_star(grouped("g", {error("a")})).on<std::exception>([](const exception_group&) {}).rethrow_rest();
    except_star(std::exception_ptr()).on<std::exception>([](const exception_group&) { FAIL(); }).rethrow_rest();
}

TEST(ExceptStar, ANakedExceptionIsAGroupOfOneAndThrownNakedWhenNobodyTakesIt) {
    std::size_t seen = 0;
    except_star(error("a"))
        .on<std::out_of_range>([&](const exception_group& part) { seen = part.size(); })
        .rethrow_rest();
    EXPECT_EQ(seen, 1u);
    EXPECT_THROW(except_star(error("a")).on<timeout_error>([](const exception_group&) {}).rethrow_rest(),
                 std::out_of_range);
}

TEST(ExceptStar, WhatHandlersThrowIsCollectedWithWhatNobodyTook) {
    try {
        except_star(grouped("g", {error("a"), other("b"), std::make_exception_ptr(timeout_error())}))
            .on<std::out_of_range>([](const exception_group&) { throw std::domain_error("one"); })
            .on<std::length_error>([](const exception_group&) { throw std::domain_error("two"); })
            .rethrow_rest();
        FAIL();
    } catch (const exception_group& all) {
        EXPECT_EQ(all.size(), 3u);
        EXPECT_EQ(all.subgroup<std::domain_error>()->size(), 2u);
        EXPECT_TRUE(all.contains<timeout_error>());
    }
}

#ifndef NDEBUG
TEST(ExceptStar, DroppedWithoutRethrowRestItAsserts) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(static_cast<void>(except_star(error("a"))), "rethrow_rest");
}
#endif

TEST(TimeoutError, IsASystemErrorWithETimedOut) {
    const timeout_error plain;
    EXPECT_EQ(plain.code(), std::errc::timed_out);
    EXPECT_THAT(timeout_error("connecting").what(), testing::HasSubstr("connecting"));
    const auto nested = detail::make_timeout_error(std::make_exception_ptr(cancelled_error("x")));
    EXPECT_TRUE(detail::exception_cast<timeout_error>(nested));
    EXPECT_TRUE(detail::is_cancellation(cause_of(nested)));
    EXPECT_EQ(cause_of(detail::make_timeout_error(nullptr)), nullptr);
}

} // namespace
} // namespace rondo
