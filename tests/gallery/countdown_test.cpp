#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using gallery::test::finished;

TEST(Countdown, IsTheSameAsALoopAnIteratorAndAGenerator) {
    const finished run = gallery::test::run("countdown");
    EXPECT_EQ(run.code, 0);
    for (const std::string way : {"a loop:     ", "an iterator:", "a generator:", "range-for:  "})
        EXPECT_TRUE(run.printed("  " + way + " 5 4 3 2 1")) << way;
}

TEST(Countdown, FiveFibonacciNumbersAreOneOneTwoThreeFive) {
    const finished run = gallery::test::run("countdown");
    const std::size_t fib = run.find("fib(5)");
    EXPECT_NE(run.find("an iterator: 1 1 2 3 5", fib), run.out.size());
    EXPECT_NE(run.find("a generator: 1 1 2 3 5", fib), run.out.size());
}

TEST(Countdown, WhatHasEndedStaysEnded) {
    EXPECT_TRUE(gallery::test::run("countdown").printed("countdown(2), asked four times: 2, 1, nothing, nothing"));
}

TEST(Countdown, FromNothingThereIsNothing) {
    const finished run = gallery::test::run("countdown", {"--from", "0", "--fib=0"});
    EXPECT_EQ(run.code, 0);
    EXPECT_EQ(run.find("a generator:"), run.find("a generator:", run.find("countdown(0)")));
    EXPECT_EQ(run.out[run.find("a generator:")], "  a generator:");
}

} // namespace
