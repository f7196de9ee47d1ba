// async-with: what is printed, in which order, and when.
#include "gallery/gallery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace gallery::test {
namespace {

using lines = std::vector<std::string>;

/// What is printed under a heading, which begins with this.
lines under(const finished& run, std::string_view heading) {
    lines found;
    for (std::size_t i = run.find(heading) + 1; i < run.out.size() && run.out[i].starts_with("  "); ++i)
        found.push_back(run.out[i].substr(2));
    return found;
}

class AsyncWith : public testing::Test {
protected:
    finished run_ = test::run("async-with", {"--virtual-time"});
};

TEST_F(AsyncWith, EntersAndLeavesOnEveryWayOut) {
    EXPECT_EQ(run_.code, 0);
    EXPECT_EQ(under(run_, "with a value"), (lines{"bank: open", "bank: leaving", "bank: closed", "the answer is 36"}));
    EXPECT_EQ(under(run_, "with an error"), (lines{"bank: open", "bank: leaving, because of an error", "bank: closed",
                                                   "afterwards: there is no answer to that"}));
    EXPECT_EQ(under(run_, "with a timeout"),
              (lines{"bank: open", "bank: leaving, because of an error", "bank: closed", "afterwards: too late"}));
}

TEST_F(AsyncWith, LeavingMaySwallowTheError) {
    EXPECT_EQ(under(run_, "with an error that is swallowed"),
              (lines{"transaction: rolled back", "afterwards: not booked"}));
}

TEST_F(AsyncWith, LeavesInReverseOrder) {
    EXPECT_EQ(under(run_, "two, left"),
              (lines{"bank: open", "shop: open", "shop: leaving", "shop: closed", "bank: leaving", "bank: closed"}));
}

TEST_F(AsyncWith, AGeneratorsCleanupRunsWhereSomebodyCanWaitForIt) {
    EXPECT_EQ(under(run_, "a generator to its end"), (lines{"row 1", "row 2", "cursor closed"}));
    EXPECT_EQ(under(run_, "a generator that is dropped"), (lines{"row 1"}));
    EXPECT_EQ(under(run_, "the same, closed by"), (lines{"row 1", "cursor closed"}));
    EXPECT_EQ(under(run_, "one that is still there"), (lines{"row 1", "cursor closed"}));
}

TEST_F(AsyncWith, DoesTheSameInRealTime) {
    const finished real = test::run("async-with");
    EXPECT_EQ(real.out, run_.out);
    EXPECT_TRUE(real.err.empty());
}

} // namespace
} // namespace gallery::test
