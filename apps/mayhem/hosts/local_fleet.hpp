// Hosts that are processes of this machine.
#pragma once

#include "hosts/host_driver.hpp"
#include "hosts/local_host.hpp"

#include <map>
#include <memory>

namespace mayhem {

/// Hosts die with this process, however it dies.
class local_fleet final : public host_driver {
public:
    local_fleet(std::string program, const std::vector<std::string>& names);

    rondo::coro<> start() override;
    rondo::coro<restart_report> restart(std::string host) override;
    std::vector<host_status> hosts() const override;
    rondo::coro<> close() override;

private:
    std::map<std::string, std::unique_ptr<local_host>> hosts_;
};

} // namespace mayhem
