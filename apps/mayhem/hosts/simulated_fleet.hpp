// Hosts that exist in name only: a restart is a random short wait, and sometimes a failure.
#pragma once

#include "hosts/host_driver.hpp"
#include "settings/settings.hpp"

#include <random>
#include <unordered_set>

namespace mayhem {

/// Restarts of the same host may overlap: this measures the service, not hosts.
class simulated_fleet final : public host_driver {
public:
    simulated_fleet(std::vector<std::string> names, simulation_terms terms, std::uint64_t seed);

    rondo::coro<> start() override;
    rondo::coro<restart_report> restart(std::string host) override;
    std::vector<host_status> hosts() const override;
    rondo::coro<> close() override;

private:
    std::vector<std::string> names_;
    std::unordered_set<std::string> known_;
    simulation_terms terms_;
    std::mt19937_64 random_;
    std::uint64_t instances_ = 0;
};

} // namespace mayhem
