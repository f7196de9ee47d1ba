#include "probe.hpp"

#include <cmath>
#include <utility>

#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else // without Debian's valgrind there is no callgrind to ask either
#define CALLGRIND_ZERO_STATS static_cast<void>(0)
#define CALLGRIND_DUMP_STATS_AT(name) static_cast<void>(name)
#endif

namespace budget {

probe::probe(std::string scenario, std::uint64_t operations, figures& into)
    : scenario_(std::move(scenario)), operations_(static_cast<double>(operations)), figures_(into), calls_(getpid()) {}

void probe::begin() {
    calls_.enable();
    allocations_ = bench::allocations();
    CALLGRIND_ZERO_STATS;
}

void probe::end() {
    CALLGRIND_DUMP_STATS_AT(scenario_.c_str());
    const auto allocations = bench::allocations() - allocations_;
    calls_.disable();
    // A few blocks that happen to be made meanwhile are not a price of each operation.
    const auto each = [this](std::uint64_t n) { return std::round(static_cast<double>(n) / operations_ * 100) / 100; };
    figures_["allocations/" + scenario_] = each(allocations);
    if (const auto calls = calls_.read()) figures_["system calls/" + scenario_] = each(*calls);
}

} // namespace budget
