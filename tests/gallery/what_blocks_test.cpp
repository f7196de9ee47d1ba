// what-blocks: the slow steps are told of, and the profile tells who.
#include "gallery/numbers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace gallery::test {
namespace {

/// The lines of stderr from one heading to the next.
std::vector<std::string> told(const finished& run, const std::string& from, const std::string& to) {
    const auto begin = std::find(run.err.begin(), run.err.end(), from);
    return {begin == run.err.end() ? begin : begin + 1, std::find(begin, run.err.end(), to)};
}

TEST(WhatBlocks, DebugModeTellsOfStepsAboveTheThreshold) {
    const finished run = test::run("what-blocks");
    EXPECT_EQ(run.code, 0);
    EXPECT_GE(told(run, "steps of 100 ms and more:", "steps of 50 ms and more:").size(), 1u) << "120 ms of computing";
    EXPECT_GE(told(run, "steps of 50 ms and more:", "").size(), 2u) << "and 90 ms of blocking";
}

TEST(WhatBlocks, TheWatchdogTellsWhoItIsWhileItLasts) {
    const finished run = test::run("what-blocks");
    const auto lines = told(run, "steps of 50 ms and more:", "");
    const auto now = [&](const std::string& task, const std::string& what) {
        return std::ranges::any_of(lines, [&](const std::string& line) {
            return line.starts_with("  now: task '" + task + "'") && line.find(what) != std::string::npos;
        });
    };
    EXPECT_TRUE(now("computes", "computes for "));
    EXPECT_TRUE(now("blocks", "nanosleep() for "));
}

TEST(WhatBlocks, TheProfileTellsWhoComputesWhoBlocksAndWhoWaits) {
    const finished run = test::run("what-blocks");
    enum column { steps, computing, blocked, crowded_out, waiting, longest };
    const auto computes = numbers_after(run, "computes  ");
    const auto sliced = numbers_after(run, "computes in slices ");
    const auto in_thread = numbers_after(run, "computes in a thread ");
    const auto blocks = numbers_after(run, "blocks ");
    const auto waits = numbers_after(run, "waits ");
    EXPECT_EQ(computes[steps], 2);
    EXPECT_GE(computes[computing], 119);
    EXPECT_GE(computes[longest], 120);
    EXPECT_EQ(sliced[steps], 13);
    EXPECT_GE(sliced[computing], 119);
    EXPECT_LT(in_thread[computing], 60);
    EXPECT_GE(in_thread[waiting], 119);
    EXPECT_LT(blocks[computing], 30);
    EXPECT_GE(blocks[blocked], 85);
    EXPECT_LT(computes[blocked], blocks[blocked]);
    EXPECT_LT(sliced[blocked], blocks[blocked]);
    EXPECT_GE(blocks[longest], 90);
    EXPECT_GE(waits[waiting], 119);
    EXPECT_LT(waits[longest], 60);
}

} // namespace
} // namespace gallery::test
