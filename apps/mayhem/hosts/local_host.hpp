// One host of the local fleet: a process that is killed, reaped, started anew and asked for its health.
#pragma once

#include "hosts/host_driver.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mayhem {

class local_host {
public:
    /// `program` is run as: program host --name NAME
    local_host(std::string program, std::string name);

    /// Starts the process and waits until its health page answers. Throws restart_failed; then the process is gone again.
    rondo::coro<> start();
    /// Kills the process and waits until it is reaped. Nothing when there is none.
    rondo::coro<> stop();
    /// Kill, reap, start, health. One at a time, in the order of the calls. Throws restart_failed.
    rondo::coro<restart_report> restart();

    const std::string& name() const noexcept { return name_; }
    host_status status() const;

private:
    rondo::coro<> come_up();
    rondo::coro<restart_report> kill_and_start();

    std::string program_;
    std::string name_;
    rondo::lock one_at_a_time_;
    std::optional<rondo::process> process_; // its standard input is held open: see host_main
    std::string first_instance_;
    std::uint64_t restarts_ = 0;
};

} // namespace mayhem
