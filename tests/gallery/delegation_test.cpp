#include "gallery/parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using gallery::test::finished;
using gallery::test::indented_part;
using gallery::test::lines;

TEST(Delegation, ALoopThatYieldsAgainLosesWhatIsSent) {
    const finished run = gallery::test::run("delegation");
    EXPECT_EQ(run.code, 0);
    EXPECT_EQ(indented_part(run, "Yielding again"), (lines{"Welcome!", "On your marks.", "Set.", "(fault)", "Go!"}));
}

TEST(Delegation, WhatIsSentArrivesAndWhatIsReturnedComesBack) {
    const finished run = gallery::test::run("delegation");
    EXPECT_EQ(indented_part(run, "Delegating: they arrive"),
              (lines{"Welcome!", "On your marks.", "Set.", "(fault)", "On your marks.", "Set.", "(fault)",
                     "On your marks.", "Set.", "Go!", "Race started after 2 faults."}));
}

TEST(Delegation, ItGoesThroughAnyNumberOfGenerators) {
    const finished run = gallery::test::run("delegation", {"--faults", "3"});
    const lines said = indented_part(run, "Delegating to who delegates");
    ASSERT_FALSE(said.empty());
    EXPECT_EQ(std::count(said.begin(), said.end(), "(fault)"), 3);
    EXPECT_EQ(std::count(said.begin(), said.end(), "Race started after 3 faults."), 1);
    EXPECT_EQ(said.back(), "Race started after 0 faults.");
    EXPECT_EQ(run.out.back(), "3 faults in all");
}

} // namespace
