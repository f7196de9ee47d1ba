// What happened in this run, and whether it adds up.
#pragma once

#include "base/histogram.hpp"
#include "broker/broker.hpp"
#include "hosts/host_driver.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace mayhem {

/// Counted by the pipeline while it works.
struct tally {
    std::uint64_t restarted = 0; // requests acknowledged because their host was restarted
    std::uint64_t failed = 0;    // acknowledged because it never can be
    std::uint64_t already_recorded =
        0;                     // of these two: the restart was another delivery's, only the acknowledgement was ours
    std::uint64_t retried = 0; // attempts that failed and are made again
    std::uint64_t leases_lost = 0; // noticed by whoever was at work
    std::uint64_t saves_retried = 0;
    std::size_t in_flight_max = 0;
    histogram restart_took; // from kill to health
    histogram request_took; // from delivery to acknowledgement
};

/// The four fates of a request. `requested` counts what this run had to answer for: what was published during it and what
/// an earlier run left in the journal. `returned` is what it leaves for the next one, whether it was ever delivered or not.
struct balance {
    std::uint64_t requested = 0;
    std::uint64_t restarted = 0;
    std::uint64_t failed = 0;
    std::uint64_t dead_lettered = 0;
    std::uint64_t returned = 0;

    bool holds() const noexcept { return requested == restarted + failed + dead_lettered + returned; }
};

/// Each side from its own source: the broker knows what came in and what is left, the pipeline what it has done.
balance make_balance(const broker_statistics& b, const tally& t);

struct books {
    balance sums = {};
    tally counted = {};
    broker_statistics broker = {};
    histogram loop_lag = {};
    std::chrono::nanoseconds ran_for = {};
    std::string ended_by = {};
    std::string driver = {};
    std::string backend = {};
    std::uint64_t seed = 0;
    std::size_t fleet_size = 0;
    std::vector<host_status> hosts = {};
    std::vector<message> dead_letters = {};
};

/// The content of the --json file; README.md says what each key means.
nlohmann::ordered_json to_json(const books& b);

} // namespace mayhem
