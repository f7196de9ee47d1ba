// What runs in the process of a host of the local fleet: an HTTP server with a health page.
#pragma once

#include "settings/options.hpp"

#include <rondo/rondo.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace mayhem {

/// Listens on a free loopback port, writes the port and a newline to standard output, and serves GET /health until standard
/// input ends. The fleet holds the other end of that pipe: however it dies, its hosts die with it.
rondo::coro<> host_main(host_settings settings);

/// The same, whatever standard input and output are: `tell_port` writes the port, `until_end` returns when the input has ended.
struct host_life {
    std::string name;
    int pid;
    std::function<rondo::coro<>(std::uint16_t)> tell_port;
    std::function<rondo::coro<>()> until_end;
};
rondo::coro<> live(host_life as);

} // namespace mayhem
