// The simulator as a whole: saved tapes, seeds that are run twice, and every kind of trouble. ./dev sim runs more of it.
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>

#include "../fuzz/programs.hpp"
#include "sim/labels.hpp"
#include "sim/odds_and_ends.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using rondo::coro;
using rondo::fuzz::program;
using rondo::fuzz::programs;

std::size_t number_from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

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
    const auto all = [&] {
        std::vector<std::uint64_t> traces;
        for (const program& p : {programs[1], programs[2]}) {
            const auto explored = rondo::sim::explore({.schedules = seeds / 2, .replayed = 0}, p.body);
            EXPECT_FALSE(explored.counter_example) << explored.counter_example->str();
            traces.push_back(explored.trace);
        }
        return traces;
    };
    EXPECT_EQ(all(), all());
}

// RONDO_SIM_SCHEDULES: how many.
TEST(Coverage, EveryKindOfTroubleHappens) {
    const std::size_t schedules = number_from_environment("RONDO_SIM_SCHEDULES", 4'000);
    std::map<std::string, std::size_t> deviated;
    std::size_t done = 0;
    const auto explore = [&](rondo::sim::options how, coro<> (*body)()) {
        how.schedules = std::max<std::size_t>(schedules / 7, 1);
        how.coverage = true;
        const auto explored = rondo::sim::explore(how, body);
        EXPECT_FALSE(explored.counter_example) << explored.counter_example->str();
        done += explored.schedules;
        for (const rondo::sim::label_count& count : explored.labels)
            deviated[std::string(count.what.text())] += count.deviated;
    };
    for (const program& p : programs) explore({.faults = rondo::sim::fault_classes::all()}, p.body);
    explore({.faults = rondo::sim::fault_classes::all()}, rondo::test::odds_and_ends);
    explore({.faults = rondo::sim::fault_classes::all()}, rondo::test::datagrams_and_names);
    explore({.cancel_main = true}, programs[1].body); // structured: it may be cancelled anywhere
    std::size_t never = 0;
    for (const rondo::sim::label what : rondo::sim::detail::labels::all) {
        if (what == rondo::sim::detail::labels::an_allocation_fails) continue; // that is swept
        const std::size_t times = deviated[std::string(what.text())];
        if (times == 0) ++never;
        EXPECT_GT(times, 0U) << "never happened in " << done << " schedules: " << what.text();
    }
    RecordProperty("schedules", static_cast<int>(done));
    RecordProperty("never", static_cast<int>(never));
}

} // namespace
