#include "gallery/parts.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

using gallery::test::finished;
using gallery::test::lines;
using gallery::test::part;

double cpu_time(const finished& run, const std::string& row) {
    double time = 0, cpu = 0;
    const std::size_t line = run.find(row, run.find("CPU"));
    if (line != run.out.size()) std::sscanf(run.out[line].substr(row.size()).c_str(), "%lf s %lf s", &time, &cpu);
    return cpu;
}

// A tenth of a second between tick and tock: what else this machine does may not bring them out of order.
const finished& slept() {
    static const finished run = gallery::test::run("busy-sleep", {"--unit", "0.1"});
    return run;
}

TEST(BusySleep, TheOutputIsTheSame) {
    EXPECT_EQ(slept().code, 0);
    EXPECT_EQ(part(slept(), "With a timer:"),
              (lines{"  tick 1", "      tock 1", "  tick 2", "      tock 2", "  tick 3", "      tock 3"}));
    EXPECT_EQ(part(slept(), "Asking for the time:"), part(slept(), "With a timer:"));
}

TEST(BusySleep, ATimerCostsNextToNothing) {
    const double busy = cpu_time(slept(), "asking for the time");
    const double timer = cpu_time(slept(), "with a timer");
    EXPECT_GT(timer, 0);
    EXPECT_GT(busy, 5 * timer);
}

} // namespace
