#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using gallery::test::finished;

TEST(Scheduler, LucasNumbersBeginWithTwoAndOne) {
    EXPECT_TRUE(gallery::test::run("scheduler").printed("Lucas numbers: 2 1 3 4 7 11 18 29 47 76 123 199"));
}

TEST(Scheduler, TwoSearchesAtOnceFindBoth) {
    const finished run = gallery::test::run("scheduler");
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.printed("task 0: 103682"));
    EXPECT_TRUE(run.printed("task 1: 141422324"));
}

TEST(Scheduler, TheNumberOfDigitsIsAnOption) {
    EXPECT_TRUE(gallery::test::run("scheduler", {"--digits", "6"}).printed("task 1: 103682"));
    const finished refused = gallery::test::run("scheduler", {"--digits", "nine"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_EQ(refused.err,
              std::vector<std::string>{"gallery/scheduler: --digits needs a whole number from 1 to 18, not 'nine'"});
}

TEST(Scheduler, EachMakesAStepInTurn) {
    const finished run = gallery::test::run("scheduler");
    const std::size_t first = run.find("task 0 runs");
    for (std::size_t i = 0; i < 12; ++i)
        EXPECT_EQ(run.out[first + i], "  task " + std::to_string(i % 3) + " runs: it yields");
}

TEST(Scheduler, OneThatFailsLeavesTheOthersAlone) {
    const finished run = gallery::test::run("scheduler");
    const std::size_t failed = run.find("task 2 runs: it failed: nothing found");
    ASSERT_NE(failed, run.out.size());
    EXPECT_LT(failed, run.find("task 0 runs: it found 103682"));
    EXPECT_TRUE(run.printed("task 2: failed, nothing found"));
}

} // namespace
