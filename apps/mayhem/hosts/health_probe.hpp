// Asks a host for its health page.
#pragma once

#include <rondo/rondo.hpp>

#include <cstdint>
#include <string>

namespace mayhem {

struct health {
    std::string host = {};
    int pid = 0;
};

/// GET /health from a loopback port over HTTP/1.0. Throws restart_failed when the answer is not that of a healthy host, and
/// what the connection throws.
rondo::coro<health> probe_health(std::uint16_t port);

} // namespace mayhem
