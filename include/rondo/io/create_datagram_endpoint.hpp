// Datagram sockets: event_loop::create_datagram_endpoint.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>
#include <rondo/io/datagram_protocol.hpp>
#include <rondo/io/datagram_transport.hpp>
#include <rondo/io/detail/protocol_factory.hpp>
#include <rondo/io/endpoint.hpp>
#include <rondo/loop/event_loop.hpp>

#include <memory>
#include <optional>
#include <source_location>
#include <utility>

namespace rondo {

struct datagram_options {
    std::optional<rondo::address> local_address = std::nullopt;  // to bind to
    std::optional<rondo::address> remote_address = std::nullopt; // the only one to send to, and to receive from
    int family = 0;                                              // AF_*; needed when there is no address
    bool reuse_port = false;                                     // SO_REUSEPORT
    bool allow_broadcast = false; // SO_BROADCAST; anybody may then answer to what was sent to the remote address
    int protocol = 0;             // IPPROTO_*
    int sock = -1;                // a datagram socket, bound or connected or neither, in place of all that
};

namespace detail {
coro<endpoint<datagram_protocol, datagram_transport>>
create_datagram_endpoint(event_loop& loop, std::unique_ptr<protocol_factory<datagram_protocol>> factory,
                         datagram_options options, std::source_location where);
} // namespace detail

/// A socket for datagrams, over IP (UDP) or Unix paths; returns when connection_made() has. A Unix path that belongs to no
/// socket any more is replaced. No address and no family, or two that differ: value_error. What cannot be bound or
/// connected: std::system_error that names the address. To be awaited in this loop: elsewhere runtime_error.
/// (loop.create_datagram_endpoint)
///
/// options.sock is the loop's from now on, also when this throws, and is made non-blocking; but value_error, for a stream
/// socket, for what is no socket, or when another option is set beside it, leaves it alone.
///
///     auto [transport, protocol] = co_await loop.create_datagram_endpoint(
///         [] { return std::make_shared<pong>(); }, {.local_address = rondo::address("127.0.0.1", 9999)});
template <factory_of<datagram_protocol> F>
coro<endpoint<factory_protocol_t<F>, datagram_transport>>
event_loop::create_datagram_endpoint(F factory, detail::late_t<datagram_options, F> options,
                                     std::source_location where) {
    co_return detail::typed_endpoint<F>(co_await detail::create_datagram_endpoint(
        *this, detail::erase_factory<datagram_protocol>(std::move(factory)), std::move(options), where));
}

} // namespace rondo
