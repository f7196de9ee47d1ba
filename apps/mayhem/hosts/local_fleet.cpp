#include "hosts/local_fleet.hpp"

#include "base/errors.hpp"

namespace mayhem {

namespace {

// Processes that come up at the same time; more of them would only wait for each other.
constexpr std::ptrdiff_t at_once = 8;

rondo::coro<> start_in_turn(local_host* host, rondo::semaphore* turns) {
    const auto turn = co_await turns->scoped_acquire();
    co_await host->start();
}

} // namespace

local_fleet::local_fleet(std::string program, const std::vector<std::string>& names) {
    for (const std::string& name : names) hosts_.emplace(name, std::make_unique<local_host>(program, name));
}

rondo::coro<> local_fleet::start() {
    rondo::semaphore turns(at_once);
    co_await rondo::task_group::run([&](rondo::task_group& starting) -> rondo::coro<> {
        for (const auto& [name, host] : hosts_) starting.start_soon(start_in_turn, host.get(), &turns);
        co_return;
    });
}

rondo::coro<restart_report> local_fleet::restart(std::string host) {
    const auto found = hosts_.find(host);
    if (found == hosts_.end()) throw restart_impossible("there is no host " + host);
    co_return co_await found->second->restart();
}

std::vector<host_status> local_fleet::hosts() const {
    std::vector<host_status> all;
    all.reserve(hosts_.size());
    for (const auto& [name, host] : hosts_) all.push_back(host->status());
    return all;
}

rondo::coro<> local_fleet::close() {
    co_await rondo::task_group::run([&](rondo::task_group& stopping) -> rondo::coro<> {
        for (const auto& [name, host] : hosts_)
            stopping.start_soon([](local_host* h) { return h->stop(); }, host.get());
        co_return;
    });
}

} // namespace mayhem
