#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using gallery::test::finished;

// The lines after the one with `title`, up to an empty one.
std::vector<std::string> part(const finished& run, const std::string& title) {
    std::vector<std::string> lines;
    for (std::size_t i = run.find(title) + 1; i < run.out.size() && !run.out[i].empty(); ++i)
        lines.push_back(run.out[i].substr(2));
    return lines;
}

using lines = std::vector<std::string>;

TEST(SendAndThrow, WhatIsSentIsAddedUpToTheLimit) {
    const finished run = gallery::test::run("send-and-throw");
    EXPECT_EQ(run.code, 0);
    EXPECT_EQ(part(run, "A running total up to 10"),
              (lines{"sent 3, got 3", "sent 1, got 4", "sent 4, got 8", "sent 2, got 10", "sent 3, and it ended"}));
}

TEST(SendAndThrow, BeforeTheFirstYieldNothingCanBeSent) {
    EXPECT_TRUE(
        gallery::test::run("send-and-throw").printed("sent 3 before the first next(): there is no co_yield yet"));
}

TEST(SendAndThrow, ASentValueStartsTheCountdownAnew) {
    EXPECT_EQ(part(gallery::test::run("send-and-throw"), "A countdown from 3"), lines{"3 2 5 4 3 2 1"});
}

TEST(SendAndThrow, AFaultStartsTheRaceAnewWhetherSentOrThrown) {
    const finished run = gallery::test::run("send-and-throw");
    EXPECT_EQ(part(run, "that is sent a fault"),
              (lines{"On your marks.", "Set.", "(fault)", "On your marks.", "Set.", "Go!"}));
    EXPECT_EQ(part(run, "into which a fault is thrown"),
              (lines{"On your marks.", "(fault)", "On your marks.", "Set.", "Go!"}));
}

} // namespace
