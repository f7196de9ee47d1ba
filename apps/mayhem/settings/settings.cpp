#include "settings/settings.hpp"

#include "base/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mayhem {

namespace {

// A thousand processes are what a developer's machine still carries; a simulated host is a name.
constexpr std::size_t most_local_hosts = 1000;
constexpr std::size_t most_simulated_hosts = 1'000'000;
constexpr double highest_rate = 100'000;

} // namespace

std::chrono::nanoseconds retry_terms::delay_after(std::uint32_t failures) const noexcept {
    std::chrono::nanoseconds delay = first_delay;
    for (std::uint32_t n = 1; n < failures && delay < longest_delay; ++n) delay *= 2;
    return std::min(delay, longest_delay);
}

std::string to_string(driver_kind kind) { return kind == driver_kind::local ? "local" : "simulated"; }

void validate(const settings& s) {
    const std::size_t most = s.driver == driver_kind::local ? most_local_hosts : most_simulated_hosts;
    if (s.hosts && (*s.hosts < 1 || *s.hosts > most)) {
        throw bad_input(
            fmt::format("--hosts: {} is not between 1 and {} (driver {})", *s.hosts, most, to_string(s.driver)));
    }
    if (!std::isfinite(s.rate) || s.rate < 0 || s.rate > highest_rate) {
        throw bad_input(fmt::format("--rate: {} is not between 0 and {} requests a second", s.rate, highest_rate));
    }
    if (s.run_for && *s.run_for <= std::chrono::nanoseconds::zero())
        throw bad_input("--for: must be longer than nothing");
    const double failing = s.simulation.failure_rate;
    if (!std::isfinite(failing) || failing < 0 || failing > 1) {
        throw bad_input(fmt::format("--failure-rate: {} is not between 0 and 1", failing));
    }
    if (s.data.empty()) throw bad_input("--data: the name of the directory is empty");
    if (s.json && s.json->empty()) throw bad_input("--json: the name of the file is empty");
}

} // namespace mayhem
