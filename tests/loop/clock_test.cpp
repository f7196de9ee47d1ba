#include <rondo/loop/clock.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace rondo {
namespace {

using namespace std::chrono_literals;

constexpr time_point noon{12h};

TEST(Deadline, IsTheDelayAfterNow) {
    EXPECT_EQ(detail::deadline_after(noon, 1s), noon + 1s);
    EXPECT_EQ(detail::deadline_after(noon, 0.5s), noon + 500ms);
    EXPECT_EQ(detail::deadline_after(noon, 0ns), noon);
    EXPECT_EQ(detail::deadline_after(noon, -1h), noon - 1h);
}

TEST(Deadline, WithoutATimeoutThereIsNone) { EXPECT_EQ(detail::deadline_after(noon, no_timeout), std::nullopt); }

TEST(Deadline, StopsAtTheEndsOfTime) {
    EXPECT_EQ(detail::deadline_after(noon, 24h * 365 * 1'000'000), time_point::max());
    EXPECT_EQ(detail::deadline_after(noon, -24h * 365 * 1'000'000), noon - (duration::max() - 1ns));
    EXPECT_EQ(detail::deadline_after(time_point::max(), 1ns), time_point::max());
    EXPECT_EQ(detail::deadline_after(time_point::min(), -1ns), time_point::min());
    EXPECT_EQ(detail::deadline_after(time_point::min() + 1ns, -1ns), time_point::min());
    EXPECT_EQ(detail::deadline_after(noon, std::chrono::duration<double>(std::numeric_limits<double>::infinity())),
              time_point::max());
}

} // namespace
} // namespace rondo
