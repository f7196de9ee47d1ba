// Connecting: open_connection and open_unix_connection.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>
#include <rondo/io/connection.hpp>
#include <rondo/loop/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace rondo {

struct connect_options {
    std::size_t limit = default_limit;                           // of the reader
    std::optional<rondo::address> local_address = std::nullopt;  // to bind to, for addresses of its family
    delay happy_eyeballs_delay = std::chrono::milliseconds(250); // RFC 8305; no_timeout: one address after the other
    bool all_errors = false;                                     // throw an exception_group of all that failed
};

/// Connects to a host by TCP. A numeric host is used as it is; a name is looked up by the loop's resolver, by default
/// getaddrinfo(3) in the default executor.
///
/// The addresses are tried in their order, families alternating where there is a delay: the next one when one has failed or
/// the delay has passed (RFC 8305); the first connection wins, the other attempts are cancelled and awaited. When all fail:
/// the error, if it is one; otherwise a std::system_error that lists them ("Multiple exceptions: ..."), of their class where they have the same
/// errno; with all_errors an exception_group. A name that cannot be resolved: std::system_error that says why. Cancelling
/// closes every socket before it returns. (asyncio.open_connection)
///
///     auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", 8080);
coro<connection> open_connection(std::string host, std::uint16_t port, connect_options options = {});

/// Connects to a Unix socket; a path that begins with a 0 byte is an abstract name. value_error for a path that cannot be one.
coro<connection> open_unix_connection(std::string path, connect_options options = {});

} // namespace rondo
