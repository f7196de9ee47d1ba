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
#include <source_location>
#include <string>

namespace rondo {

struct connect_options {
    std::size_t limit = default_limit;                           // of the reader
    std::optional<rondo::address> local_address = std::nullopt;  // to bind to, for addresses of its family
    delay happy_eyeballs_delay = std::chrono::milliseconds(250); // RFC 8305; no_timeout: one address after the other
    bool all_errors = false;                                     // throw an exception_group of all that failed
    int family = 0;                                              // AF_INET or AF_INET6: its addresses only
    int protocol = 0;                                            // IPPROTO_*, of the sockets and in the lookup
    int flags = 0;                                               // AI_*, in the lookup
    /// So many addresses of the first one's family before the families alternate; 0: in the resolver's order. Not set: 1 where
    /// there is a delay, otherwise 0.
    std::optional<std::size_t> interleave = std::nullopt;
    int sock = -1; // a connected stream socket in place of host and port, or of the path
};

/// Connects to a host by TCP. A numeric host is used as it is; a name is looked up by the loop's resolver, by default
/// getaddrinfo(3) in the default executor.
///
/// The addresses are tried in their order, families alternating where there is a delay: the next one when one has failed or
/// the delay has passed (RFC 8305); the first connection wins, the other attempts are cancelled and awaited. When all fail:
/// the error, if it is one or all say the same; otherwise a std::system_error that lists them ("Multiple exceptions: ..."), of
/// their class where they have the same errno; with all_errors an exception_group. A name that cannot be resolved:
/// std::system_error that says why. Cancelling closes every socket before it returns. (asyncio.open_connection)
///
/// options.sock is the loop's from now on, also when this throws, and is made non-blocking; but value_error, for what is no
/// stream socket or when a host or port is given beside it, leaves it alone. In debug mode a writer that is destroyed without
/// close() is reported with `where`.
///
///     auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", 8080);
coro<connection> open_connection(std::string host, std::uint16_t port, connect_options options = {},
                                 std::source_location where = std::source_location::current());

/// Connects to a Unix socket; a path that begins with a 0 byte is an abstract name. value_error for a path that cannot be one.
/// options.sock has to be a Unix socket, and the path empty.
coro<connection> open_unix_connection(std::string path, connect_options options = {},
                                      std::source_location where = std::source_location::current());

} // namespace rondo
