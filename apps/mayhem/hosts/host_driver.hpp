// What can restart a host: the seam to processes, service managers, machines.
#pragma once

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace mayhem {

struct restart_report {
    std::string before = {}; // which instance of the host was there, and which is now: process ids, for processes
    std::string after = {};
    std::chrono::nanoseconds took = {};
};

/// One host as the summary and the books show it.
struct host_status {
    std::string name = {};
    std::string instance = {};       // now; empty while it is down
    std::string first_instance = {}; // when the fleet had started
    std::uint64_t restarts = 0;
};

class host_driver {
public:
    virtual ~host_driver() = default;

    /// Brings the fleet up; throws when a host does not come up.
    virtual rondo::coro<> start() = 0;

    /// Returns when the host is healthy again. Throws restart_failed or restart_impossible.
    /// Cancelled before the host was touched: nothing happened. Later: the restart is carried through first, so that no host is
    /// left dead; its outcome is given, and the cancellation comes with the next thing that is awaited.
    virtual rondo::coro<restart_report> restart(std::string host) = 0;

    virtual std::vector<host_status> hosts() const = 0;

    /// Takes the fleet down where it is ours. Called once, last.
    virtual rondo::coro<> close() = 0;
};

} // namespace mayhem
