#include "base/histogram.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace mayhem {

TEST(Histogram, IsZeroWhenEmpty) {
    const histogram h;
    EXPECT_EQ(h.quantile(0.99), 0ns);
    EXPECT_EQ(h.max(), 0ns);
}

TEST(Histogram, QuantilesAreWithinASixteenth) {
    histogram h;
    for (int i = 1; i <= 1000; ++i) h.record(i * 1us);
    EXPECT_NEAR(static_cast<double>(h.quantile(0.5).count()), 500e3, 500e3 / 16);
    EXPECT_NEAR(static_cast<double>(h.quantile(0.99).count()), 990e3, 990e3 / 16);
    EXPECT_EQ(h.quantile(1.0), 1000us);
    EXPECT_EQ(h.max(), 1000us);
    EXPECT_EQ(h.count(), 1000u);
}

TEST(Histogram, TakesTheSmallestAndTheLargest) {
    histogram h;
    h.record(-5ns);
    h.record(std::chrono::nanoseconds::max());
    EXPECT_EQ(h.quantile(0.5), 0ns);
    EXPECT_EQ(h.quantile(1.0), std::chrono::nanoseconds::max());
}

} // namespace mayhem
