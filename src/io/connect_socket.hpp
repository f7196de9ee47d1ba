// From a host or a path to a connected descriptor.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/open_connection.hpp>

#include "io/connect_race.hpp"

#include <cstdint>
#include <string>

namespace rondo::detail {

/// Of the running loop. What open_connection() and open_unix_connection() promise of addresses, errors and cancellation;
/// `method`: what the program has called.
coro<connected_socket> connect_tcp(std::string host, std::uint16_t port, connect_options options, const char* method);
coro<connected_socket> connect_unix(std::string path, connect_options options, const char* method);

} // namespace rondo::detail
