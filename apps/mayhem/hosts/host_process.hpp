// What runs in the process of a host of the local fleet: an HTTP server with a health page.
#pragma once

#include "settings/options.hpp"

#include <rondo/rondo.hpp>

namespace mayhem {

/// Listens on a free loopback port, writes the port and a newline to standard output, and serves GET /health until standard
/// input ends. The fleet holds the other end of that pipe: however it dies, its hosts die with it.
rondo::coro<> host_main(host_settings settings);

} // namespace mayhem
