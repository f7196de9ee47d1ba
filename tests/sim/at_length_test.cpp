// Simulated worlds side by side, each in a thread of its own.
#include "sim/at_length.hpp"

#include "../fuzz/programs.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace {

using rondo::test::at_length;
using rondo::test::explored_program;

TEST(Exploration, GoesOnInSeveralThreadsAsInOne) {
    const std::vector<explored_program> programs{
        {"echo", rondo::fuzz::echo, {.faults = rondo::sim::fault_classes::all(), .replayed = 2, .coverage = true}},
        {"pipeline", rondo::fuzz::pipeline, {.replayed = 2, .coverage = true}}};
    ::setenv("RONDO_SIM_JOBS", "1", 1);
    const auto one = at_length("one thread").explore(programs, 4000);
    ::setenv("RONDO_SIM_JOBS", "3", 1);
    const auto three = at_length("three threads").explore(programs, 4000);
    ::unsetenv("RONDO_SIM_JOBS");
    EXPECT_FALSE(one.counter_example) << *one.counter_example;
    EXPECT_FALSE(three.counter_example) << *three.counter_example;
    EXPECT_EQ(one.traces.size(), 4U);
    EXPECT_EQ(one.traces, three.traces);
    EXPECT_EQ(one.deviated, three.deviated);
    EXPECT_EQ(three.schedules, 4000U);
}

} // namespace
