// What a run of mayhem is told to do. Options fill it in; a configuration file will fill in the same structure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mayhem {

enum class driver_kind { local, simulated };

/// How long a delivery is ours, and how it is prolonged while work goes on.
struct lease_terms {
    std::chrono::nanoseconds deadline = std::chrono::seconds(10);
    std::chrono::nanoseconds extension = std::chrono::seconds(3); // from the moment of asking
    std::chrono::nanoseconds extend_every = std::chrono::seconds(2);
};

/// What happens to a request whose restart failed.
struct retry_terms {
    std::uint32_t attempts = 5; // after so many failures it becomes a dead letter
    std::chrono::nanoseconds first_delay = std::chrono::milliseconds(500);
    std::chrono::nanoseconds longest_delay = std::chrono::seconds(30);

    /// The delay after the given number of failures (1, 2, ...): doubled each time, up to the longest.
    std::chrono::nanoseconds delay_after(std::uint32_t failures) const noexcept;
};

struct simulation_terms {
    std::chrono::nanoseconds shortest = std::chrono::milliseconds(20);
    std::chrono::nanoseconds longest = std::chrono::milliseconds(300);
    double failure_rate = 0.01;     // restarts that fail and may be tried again
    double impossible_rate = 0.001; // restarts that can never succeed
};

struct settings {
    std::optional<std::chrono::nanoseconds> run_for = {}; // none: until a signal comes
    driver_kind driver = driver_kind::local;
    std::optional<std::size_t> hosts = {};
    double rate = 5; // requests published in a second; 0: none
    std::filesystem::path data = "mayhem-data";
    std::optional<std::uint64_t> seed = {}; // none: a new one for each run
    std::optional<std::filesystem::path> json = {};
    std::chrono::nanoseconds grace = std::chrono::seconds(5);

    std::size_t in_flight_limit = 1000;
    std::size_t backlog_limit = 100'000; // messages the broker holds before publishing has to wait
    std::chrono::nanoseconds lag_period = std::chrono::milliseconds(2); // how often the lag of the loop is measured
    lease_terms lease = {};
    retry_terms retry = {};
    simulation_terms simulation = {};

    /// A machine carries a handful of processes easily; a thousand simulated hosts let a thousand requests be in flight.
    std::size_t fleet_size() const noexcept { return hosts.value_or(driver == driver_kind::local ? 8 : 1000); }
};

/// "local" or "simulated", as --driver takes it and the books show it.
std::string to_string(driver_kind kind);

/// Throws bad_input for a value or a combination of values that cannot be run, naming it.
void validate(const settings& s);

} // namespace mayhem
