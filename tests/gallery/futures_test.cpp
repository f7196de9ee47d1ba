#include "gallery/parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

using gallery::test::finished;
using gallery::test::lines;
using gallery::test::part;

TEST(Futures, AllThreeWaysFindTheNumberAfterTheSameYields) {
    const finished run = gallery::test::run("futures", {"--virtual-time"});
    EXPECT_EQ(run.code, 0);
    for (const char* way : {"A future", "A task", "gather"}) {
        const lines said = part(run, way);
        ASSERT_GE(said.size(), 3u) << way;
        EXPECT_EQ(said[0], "  Waiting...") << way;
        EXPECT_EQ(said[1], "  Done!") << way;
        EXPECT_TRUE(said[2].starts_with("  5600748293801, after 2,830,808 cooperative yields in ")) << said[2];
    }
}

TEST(Futures, TheMonitorSpeaksEverySecondAndOnceAtTheEnd) {
    const finished run = gallery::test::run("futures", {"--virtual-time", "--slow"});
    for (const char* way : {"A future", "A task", "gather"}) {
        const lines said = part(run, way);
        // 2,830,808 yields, of which every 2000th sleeps for 5 ms: 7.07 s
        EXPECT_EQ(std::count(said.begin(), said.end(), "  Waiting..."), 8) << way;
        EXPECT_EQ(std::count(said.begin(), said.end(), "  Done!"), 1) << way;
        ASSERT_EQ(said.size(), 10u) << way;
        EXPECT_EQ(said[8], "  Done!") << way;
    }
}

TEST(Futures, AnErrorTravelsThroughTheFuture) {
    const finished run = gallery::test::run("futures", {"--virtual-time", "--digits", "5"});
    EXPECT_EQ(part(run, "An error, through the future"), (lines{"  Waiting...", "  Done!", "  no such number"}));
}

TEST(Futures, InRealTimeGivingWayIsCheap) {
    const finished run = gallery::test::run("futures", {"--digits", "10"});
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.printed("6643838879, after "));
    EXPECT_TRUE(run.printed("giving way cost "));
}

} // namespace
