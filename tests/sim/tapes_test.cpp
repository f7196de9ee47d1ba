// The simulator as a whole: saved tapes, seeds that are run twice, and every kind of trouble. ./dev sim runs more of it.
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>

#include "../fuzz/programs.hpp"
#include "sim/at_length.hpp"
#include "sim/labels.hpp"
#include "sim/machine.hpp"
#include "sim/odds_and_ends.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using rondo::coro;
using rondo::fuzz::program;
using rondo::fuzz::programs;
using rondo::test::explored_program;
using rondo::test::number_from_environment;

struct saved {
    std::string_view name;
    std::string_view tape;
};

/// The plain run of each program, and what a fuzzer or an exploration has once found in it: the line that it printed goes here.
constexpr saved tapes[] = {
    {"echo", "1@"},
    {"pipeline", "1@"},
    {"contention", "1@"},
    {"cut off", "1@"},
    // What is still to be sent to a host that is off takes TCP longer than a minute to give up.
    {"cut off", "30090@12=3,20=1,36=3,43=3,65=3,71=3,77=3"},
};

TEST(Tapes, WhatWasFoundOnceIsNotFoundAgain) {
    for (const auto& [name, tape] : tapes) {
        const auto which = std::ranges::find(programs, name, &program::name);
        ASSERT_NE(which, programs.end()) << name;
        const auto outcome = rondo::sim::replay({.faults = rondo::sim::fault_classes::all()}, tape, which->body);
        EXPECT_FALSE(outcome.failure) << outcome.failure->str();
    }
}

TEST(Tapes, BytesAreChoices) {
    std::vector<std::uint32_t> drawn;
    const auto draw = [&]() -> coro<> {
        for (int i = 0; i < 4; ++i) drawn.push_back(rondo::sim::choose(10, "a number"));
        co_return;
    };
    const std::uint8_t bytes[]{3, 12, 255};
    EXPECT_FALSE(rondo::sim::run_bytes({}, bytes, draw).failure);
    EXPECT_EQ(drawn, (std::vector<std::uint32_t>{3, 2, 5, 0}));
}

TEST(Tapes, AnyBytesMakeARun) {
    std::mt19937 random(1);
    for (int i = 0; i < 200; ++i) {
        std::vector<std::uint8_t> bytes(random() % 300);
        for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % 4 ? 0 : random());
        const program& which = programs[random() % programs.size()];
        const auto outcome = rondo::sim::run_bytes({.faults = rondo::sim::fault_classes::all()}, bytes, which.body);
        EXPECT_FALSE(outcome.failure) << which.name << ": " << outcome.failure->str();
    }
}

// RONDO_SIM_SEEDS: how many.
TEST(Seeds, EachMakesTheSameRunTwice) {
    const std::size_t seeds = number_from_environment("RONDO_SIM_SEEDS", 10'000);
    const std::vector<explored_program> all{{"pipeline", rondo::fuzz::pipeline, {.replayed = 0}},
                                            {"contention", rondo::fuzz::contention, {.replayed = 0}}};
    rondo::test::at_length first("seeds, the first time");
    const auto once = first.explore(all, seeds);
    ASSERT_FALSE(once.counter_example) << *once.counter_example;
    rondo::test::at_length second("seeds, the second time");
    const auto twice = second.explore(all, seeds);
    ASSERT_FALSE(twice.counter_example) << *twice.counter_example;
    EXPECT_EQ(once.traces, twice.traces);
    if (!rondo::test::is_told()) return;
    std::printf("%zu seeds make the same runs twice; their hash is %016" PRIx64 "\n", once.schedules, once.trace());
}

// RONDO_SIM_SCHEDULES: how many.
TEST(Coverage, EveryKindOfTroubleHappens) {
    const std::size_t schedules = number_from_environment("RONDO_SIM_SCHEDULES", 4'000);
    const rondo::sim::options everything{.faults = rondo::sim::fault_classes::all(), .coverage = true};
    std::vector<explored_program> all;
    for (const program& p : programs) all.push_back({p.name, p.body, everything});
    all.push_back({"odds and ends", rondo::test::odds_and_ends, everything});
    all.push_back({"datagrams and names", rondo::test::datagrams_and_names, everything});
    all.push_back({"machine", rondo::test::machine, everything});
    all.push_back({"files", rondo::test::files_at_length, {.faults = {.storage = true}, .coverage = true}});
    // Structured: it may be cancelled anywhere.
    all.push_back({"cancelled pipeline", rondo::fuzz::pipeline, {.cancel_main = true, .coverage = true}});
    rondo::test::at_length long_run("schedules");
    auto sums = long_run.explore(all, schedules);
    ASSERT_FALSE(sums.counter_example) << *sums.counter_example;
    const double rate = long_run.rate(sums.schedules);
    std::size_t kinds = 0;
    for (const rondo::sim::label what : rondo::sim::detail::labels::all) {
        if (what == rondo::sim::detail::labels::an_allocation_fails) continue; // that is swept
        const std::size_t times = sums.deviated[std::string(what.text())];
        if (rondo::test::is_told()) std::printf("%12zu times: %s\n", times, std::string(what.text()).c_str());
        EXPECT_GT(times, 0U) << "never happened in " << sums.schedules << " schedules: " << what.text();
        ++kinds;
    }
    RecordProperty("schedules", static_cast<int>(sums.schedules));
    if (!rondo::test::is_told()) return;
    std::printf("%zu schedules, %.0f a second, with %zu kinds of trouble; their hash is %016" PRIx64 "\n",
                sums.schedules, rate, kinds, sums.trace());
}

} // namespace
