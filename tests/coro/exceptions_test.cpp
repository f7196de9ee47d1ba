// The exceptions of the language level, and what is asked of an exception_ptr.
#include <rondo/coro/exceptions.hpp>

#include <rondo/coro/detail/chain_exceptions.hpp>
#include <rondo/coro/detail/exception_cast.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace rondo {
namespace {

using detail::chain_exceptions;
using detail::describe_exception;
using detail::exception_cast;

template <class E> constexpr bool is_std = std::is_base_of_v<std::exception, E>;

TEST(Exceptions, WhatMustNotBeSwallowedIsNoStdException) {
    static_assert(!is_std<base_exception> && !is_std<cancelled_error> && !is_std<keyboard_interrupt>);
    static_assert(!is_std<system_exit> && !is_std<generator_exit>);
    static_assert(std::is_base_of_v<base_exception, cancelled_error> && std::is_base_of_v<base_exception, system_exit>);
    static_assert(std::is_base_of_v<base_exception, keyboard_interrupt>);
    static_assert(std::is_base_of_v<base_exception, generator_exit>);
    bool swallowed = false;
    try {
        try {
            throw cancelled_error("x");
        } catch (const std::exception&) {
            swallowed = true;
        }
    } catch (const base_exception& e) {
        EXPECT_STREQ(e.what(), "cancelled: x");
    }
    EXPECT_FALSE(swallowed);
}

TEST(Exceptions, MisuseHasTheStdClassThatOneWouldLookFor) {
    static_assert(std::is_base_of_v<std::runtime_error, runtime_error>);
    static_assert(std::is_base_of_v<std::invalid_argument, value_error>);
    static_assert(std::is_base_of_v<std::logic_error, type_error>);
    static_assert(std::is_base_of_v<std::out_of_range, lookup_error>);
    static_assert(std::is_base_of_v<std::logic_error, invalid_state_error>);
    EXPECT_STREQ(value_error("bad").what(), "bad");
}

TEST(Exceptions, ACancellationHasAMessageOrNone) {
    EXPECT_EQ(cancelled_error().message(), "");
    EXPECT_STREQ(cancelled_error().what(), "cancelled");
    EXPECT_EQ(cancelled_error("why").message(), "why");
}

TEST(Exceptions, AnExitHasItsCode) {
    EXPECT_EQ(system_exit().code(), 0);
    EXPECT_EQ(system_exit(3).code(), 3);
}

TEST(Exceptions, CauseOfIsTheNestedExceptionOrNull) {
    std::exception_ptr nested;
    try {
        try {
            throw std::out_of_range("first");
        } catch (...) {
            std::throw_with_nested(std::length_error("second"));
        }
    } catch (...) {
        nested = std::current_exception();
    }
    const std::exception_ptr cause = cause_of(nested);
    ASSERT_TRUE(exception_cast<std::out_of_range>(cause));
    EXPECT_EQ(cause_of(cause), nullptr);
    EXPECT_EQ(cause_of(nullptr), nullptr);
    EXPECT_EQ(cause_of(std::make_exception_ptr(42)), nullptr);
}

struct left_base {
    virtual ~left_base() = default;
    int left = 1;
};
struct right_base {
    virtual ~right_base() = default;
    int right = 2;
};
struct both : left_base, right_base {};
struct hidden : private right_base {
    int own = 3;
};

TEST(ExceptionCast, GivesWhatACatchClauseWouldTake) {
    const auto error = std::make_exception_ptr(both());
    ASSERT_TRUE(exception_cast<both>(error));
    ASSERT_TRUE(exception_cast<right_base>(error));
    EXPECT_EQ(exception_cast<right_base>(error)->right, 2);
    EXPECT_FALSE(exception_cast<right_base>(std::make_exception_ptr(hidden())));
    EXPECT_FALSE(exception_cast<int>(error));
    EXPECT_FALSE(exception_cast<both>(nullptr));
    ASSERT_TRUE(exception_cast<int>(std::make_exception_ptr(5)));
    EXPECT_EQ(*exception_cast<int>(std::make_exception_ptr(5)), 5);
}

TEST(ExceptionCast, TellsCancellationsAndExitRequests) {
    EXPECT_TRUE(detail::is_cancellation(std::make_exception_ptr(cancelled_error())));
    EXPECT_FALSE(detail::is_cancellation(std::make_exception_ptr(generator_exit())));
    EXPECT_FALSE(detail::is_cancellation(nullptr));
    EXPECT_TRUE(detail::is_exit_request(std::make_exception_ptr(keyboard_interrupt())));
    EXPECT_TRUE(detail::is_exit_request(std::make_exception_ptr(system_exit(1))));
    EXPECT_FALSE(detail::is_exit_request(std::make_exception_ptr(cancelled_error())));
}

TEST(DescribeException, NamesTheTypeAndWhatItSays) {
    EXPECT_EQ(describe_exception(std::make_exception_ptr(std::out_of_range("far"))), "std::out_of_range: far");
    EXPECT_EQ(describe_exception(std::make_exception_ptr(cancelled_error("why"))),
              "rondo::cancelled_error: cancelled: why");
    EXPECT_EQ(describe_exception(std::make_exception_ptr(42)), "int");
    EXPECT_EQ(describe_exception(nullptr), "no error");
}

std::exception_ptr first() { return std::make_exception_ptr(std::out_of_range("first")); }

TEST(ChainExceptions, KeepsTheTypeTheObjectAndTheBasesAndAddsTheCause) {
    const auto error = std::make_exception_ptr(both());
    const auto chained = chain_exceptions(error, first());
    EXPECT_EQ(exception_cast<both>(chained), exception_cast<both>(error));
    EXPECT_EQ(exception_cast<right_base>(chained), exception_cast<right_base>(error));
    EXPECT_FALSE(exception_cast<std::exception>(chained));
    EXPECT_TRUE(exception_cast<std::out_of_range>(cause_of(chained)));
    try {
        std::rethrow_exception(chained);
    } catch (const left_base& b) {
        EXPECT_EQ(&b, exception_cast<left_base>(error));
    }
    try {
        std::rethrow_exception(chained);
    } catch (const std::nested_exception& n) {
        EXPECT_EQ(n.nested_ptr(), cause_of(chained));
    }
    EXPECT_THROW(std::rethrow_exception(chained), both);
}

TEST(ChainExceptions, AHandlerByValueGetsACopyOfTheError) {
    const auto chained =
        chain_exceptions(std::make_exception_ptr(std::system_error(EPERM, std::generic_category())), first());
    try {
        std::rethrow_exception(chained);
    } catch (std::system_error e) { // NOLINT(misc-throw-by-value-catch-by-reference)
        EXPECT_EQ(e.code().value(), EPERM);
    }
}

TEST(ChainExceptions, CanBeCaughtRethrownAndCaughtAgain) {
    const auto chained = chain_exceptions(std::make_exception_ptr(value_error("v")), first());
    try {
        try {
            std::rethrow_exception(chained);
        } catch (const std::invalid_argument&) {
            throw;
        }
    } catch (const std::logic_error& e) {
        EXPECT_STREQ(e.what(), "v");
        EXPECT_TRUE(exception_cast<std::out_of_range>(cause_of(std::current_exception())));
    }
}

TEST(ChainExceptions, AppendsToTheChainThatIsThere) {
    const auto one =
        chain_exceptions(std::make_exception_ptr(value_error("v")), std::make_exception_ptr(type_error("t")));
    const auto two = chain_exceptions(one, first());
    EXPECT_TRUE(exception_cast<value_error>(two));
    EXPECT_TRUE(exception_cast<type_error>(cause_of(two)));
    EXPECT_TRUE(exception_cast<std::out_of_range>(cause_of(cause_of(two))));
    EXPECT_FALSE(exception_cast<std::out_of_range>(cause_of(cause_of(one)))); // the old one is as it was
    EXPECT_EQ(chain_exceptions(two, first()) == nullptr, false);
}

TEST(ChainExceptions, AppendsToWhatThrowWithNestedMade) {
    std::exception_ptr nested;
    try {
        try {
            throw type_error("t");
        } catch (...) {
            std::throw_with_nested(value_error("v"));
        }
    } catch (...) {
        nested = std::current_exception();
    }
    const auto chained = chain_exceptions(nested, first());
    EXPECT_TRUE(exception_cast<value_error>(chained));
    EXPECT_TRUE(exception_cast<type_error>(cause_of(chained)));
    EXPECT_TRUE(exception_cast<std::out_of_range>(cause_of(cause_of(chained))));
}

TEST(ChainExceptions, ACancellationAtTheEndOfAChainGivesWayToARealCause) {
    const auto timed_out =
        chain_exceptions(std::make_exception_ptr(value_error("late")), std::make_exception_ptr(cancelled_error()));
    EXPECT_TRUE(detail::is_cancellation(cause_of(timed_out)));
    const auto chained = chain_exceptions(timed_out, first());
    EXPECT_TRUE(exception_cast<std::out_of_range>(cause_of(chained)));
}

TEST(ChainExceptions, WithoutACauseOrWithItselfItIsTheErrorItself) {
    const auto error = first();
    EXPECT_EQ(chain_exceptions(error, nullptr), error);
    EXPECT_EQ(chain_exceptions(error, error), error);
    const auto chained = chain_exceptions(std::make_exception_ptr(value_error("v")), error);
    EXPECT_EQ(chain_exceptions(chained, error), chained);
}

TEST(ChainExceptions, WhatIsNoClassAndACancellationCannotHaveACause) {
    EXPECT_EQ(chain_exceptions(std::make_exception_ptr(42), first()), nullptr);
    EXPECT_EQ(chain_exceptions(std::make_exception_ptr(cancelled_error()), first()), nullptr);
}

TEST(ChainExceptions, IsDescribedAsWhatItWasThrownAs) {
    const auto chained = chain_exceptions(std::make_exception_ptr(std::length_error("long")), first());
    EXPECT_EQ(describe_exception(chained), "std::length_error: long");
    EXPECT_EQ(describe_exception(chain_exceptions(chained, std::make_exception_ptr(1))), "std::length_error: long");
}

TEST(ChainExceptions, StaysAnExitRequest) {
    EXPECT_TRUE(detail::is_exit_request(chain_exceptions(std::make_exception_ptr(system_exit(2)), first())));
}

TEST(ChainExceptions, LetsGoOfEverythingAtItsEnd) {
    struct counted {
        explicit counted(int& n) : living(&n) { ++*living; }
        counted(const counted& other) : living(other.living) { ++*living; }
        counted& operator=(const counted&) = default;
        ~counted() { --*living; }
        int* living;
    };
    int living = 0;
    {
        const auto chained =
            chain_exceptions(std::make_exception_ptr(counted(living)), std::make_exception_ptr(counted(living)));
        EXPECT_EQ(living, 2);
    }
    EXPECT_EQ(living, 0);
}

} // namespace
} // namespace rondo
