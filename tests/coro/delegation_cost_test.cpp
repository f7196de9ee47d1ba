// What a step costs through many levels of delegation: instructions, counted.
#include <rondo/coro/generator.hpp>

#include "support/instruction_count.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

using rondo::elements_of;
using rondo::generator;

constexpr int deep = 100'000;

struct cleanup {
    int& count;
    ~cleanup() { ++count; }
};

generator<int, int> innermost(int& cleaned_up) {
    const cleanup at_end{cleaned_up};
    for (int next = 0;;) {
        try {
            const auto sent = co_yield next;
            next = sent ? *sent : next + 1;
        } catch (const std::out_of_range&) {
            next = -1;
        }
    }
}
/// Gives back what it is sent, and -1 for an out_of_range, through so many levels of delegation.
generator<int, int> echo(int depth, int& cleaned_up) {
    const cleanup at_end{cleaned_up};
    if (depth == 0) co_yield elements_of(innermost(cleaned_up));
    else co_yield elements_of(echo(depth - 1, cleaned_up));
}

/// What one call on a generator of that depth costs when all of the code has run before.
template <class F> std::uint64_t cost(int depth, F call) {
    int cleaned_up = 0;
    auto g = echo(depth, cleaned_up);
    g.next();
    for (int i = 0; i < 3; ++i) call(g);
    return rondo::test::instructions_of([&] { call(g); }).value_or(0);
}

TEST(DelegationCost, OfAStepIsTheSameThroughAHundredThousandLevelsAsThroughOne) {
    const auto next = [](auto& g) { g.next(); };
    const auto send = [](auto& g) { g.send(7); };
    const std::uint64_t shallow = cost(1, next);
    if (shallow == 0) GTEST_SKIP() << "nobody may trace here";
    // Where an object happens to lie may cost some instructions; one for each level would be a hundred thousand.
    EXPECT_NEAR(static_cast<double>(cost(deep, next)), static_cast<double>(shallow), 100.0);
    EXPECT_NEAR(static_cast<double>(cost(deep, send)), static_cast<double>(cost(1, send)), 100.0);
}

TEST(DelegationCost, OfAnExceptionThatIsThrownInIsTheSameToo) {
    const auto throw_in = [](auto& g) { g.throw_(std::out_of_range("x")); };
    const std::uint64_t shallow = cost(1, throw_in);
    if (shallow == 0) GTEST_SKIP() << "nobody may trace here";
    EXPECT_NEAR(static_cast<double>(cost(deep, throw_in)), static_cast<double>(shallow), 10'000.0);
}

TEST(DelegationCost, ClosingVisitsEveryLevelOnceWithoutRecursion) {
    int cleaned_up = 0;
    auto g = echo(deep, cleaned_up);
    EXPECT_EQ(g.next(), 0);
    g.close();
    EXPECT_EQ(cleaned_up, deep + 2);
    EXPECT_EQ(g.next(), std::nullopt);
}

TEST(DelegationCost, AnErrorOfTheInnermostOnePassesEveryLevelOnceWithoutRecursion) {
    int cleaned_up = 0;
    auto g = echo(deep, cleaned_up);
    EXPECT_EQ(g.next(), 0);
    EXPECT_EQ(g.throw_(std::out_of_range("caught inside")), -1);
    EXPECT_THROW(g.throw_(std::runtime_error("not caught")), std::runtime_error);
    EXPECT_EQ(cleaned_up, deep + 2);
}

} // namespace
