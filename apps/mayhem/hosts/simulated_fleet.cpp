#include "hosts/simulated_fleet.hpp"

#include "base/errors.hpp"

#include <utility>

namespace mayhem {

simulated_fleet::simulated_fleet(std::vector<std::string> names, simulation_terms terms, std::uint64_t seed)
    : names_(std::move(names)), known_(names_.begin(), names_.end()), terms_(terms), random_(seed) {}

rondo::coro<> simulated_fleet::start() { co_return; }

rondo::coro<restart_report> simulated_fleet::restart(std::string host) {
    if (!known_.contains(host)) throw restart_impossible("there is no host " + host);

    const double fortune = std::uniform_real_distribution<double>(0, 1)(random_);
    const std::chrono::nanoseconds took(
        std::uniform_int_distribution<std::int64_t>(terms_.shortest.count(), terms_.longest.count())(random_));
    co_await rondo::sleep(took);

    if (fortune < terms_.impossible_rate) throw restart_impossible(host + " is gone for good (simulated)");
    if (fortune < terms_.impossible_rate + terms_.failure_rate)
        throw restart_failed(host + " did not come back (simulated)");
    ++instances_;
    co_return restart_report{.before = {}, .after = std::to_string(instances_), .took = took};
}

std::vector<host_status> simulated_fleet::hosts() const { return {}; }

rondo::coro<> simulated_fleet::close() { co_return; }

} // namespace mayhem
