#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace {

using gallery::test::finished;

struct gaps {
    double before = 0;
    double after = 0;
};

gaps gaps_of(const finished& run) {
    gaps found;
    if (!run.out.empty())
        std::sscanf(run.out.back().c_str(), "largest gap: %lf s before, %lf s after", &found.before, &found.after);
    return found;
}

// The last number needs thirty million divisions, and an announcement is due every few milliseconds. The machine may be busy with
// other things, which makes gaps where there need be none: so it has three attempts.
TEST(Starvation, GivingWayBringsTheAnnouncementsBackInTime) {
    gaps measured;
    for (int attempt = 0; attempt < 3 && measured.before <= 2 * measured.after; ++attempt) {
        const finished run = gallery::test::run("starvation", {"--digits", "16", "--interval", "0.005"});
        ASSERT_EQ(run.code, 0);
        EXPECT_TRUE(run.printed("Unattended baggage will be destroyed"));
        EXPECT_TRUE(run.printed("1000000000000037 is prime"));
        measured = gaps_of(run);
        ASSERT_GE(measured.after, 0.005);
    }
    EXPECT_GT(measured.before, 2 * measured.after);
}

TEST(Starvation, BothWaysFindTheSamePrimes) {
    const finished run = gallery::test::run("starvation", {"--digits", "12"});
    for (const char* prime : {"101 is prime", "1000003 is prime", "100000000003 is prime"}) {
        const std::size_t once = run.find(prime);
        EXPECT_NE(once, run.out.size()) << prime;
        EXPECT_NE(run.find(prime, once + 1), run.out.size()) << prime;
    }
}

} // namespace
