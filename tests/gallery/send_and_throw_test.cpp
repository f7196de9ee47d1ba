#include "gallery/parts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using gallery::test::finished;
using gallery::test::indented_part;
using gallery::test::lines;

TEST(SendAndThrow, WhatIsSentIsAddedUpToTheLimit) {
    const finished run = gallery::test::run("send-and-throw");
    EXPECT_EQ(run.code, 0);
    EXPECT_EQ(indented_part(run, "A running total up to 10"),
              (lines{"sent 3, got 3", "sent 1, got 4", "sent 4, got 8", "sent 2, got 10", "sent 3, and it ended"}));
}

TEST(SendAndThrow, BeforeTheFirstYieldNothingCanBeSent) {
    EXPECT_TRUE(
        gallery::test::run("send-and-throw").printed("sent 3 before the first next(): there is no co_yield yet"));
}

TEST(SendAndThrow, ASentValueStartsTheCountdownAnew) {
    EXPECT_EQ(indented_part(gallery::test::run("send-and-throw"), "A countdown from 3"), lines{"3 2 5 4 3 2 1"});
}

TEST(SendAndThrow, AFaultStartsTheRaceAnewWhetherSentOrThrown) {
    const finished run = gallery::test::run("send-and-throw");
    EXPECT_EQ(indented_part(run, "that is sent a fault"),
              (lines{"On your marks.", "Set.", "(fault)", "On your marks.", "Set.", "Go!"}));
    EXPECT_EQ(indented_part(run, "into which a fault is thrown"),
              (lines{"On your marks.", "(fault)", "On your marks.", "Set.", "Go!"}));
}

} // namespace
