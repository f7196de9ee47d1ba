// Connections with a protocol: event_loop::create_connection, create_unix_connection and connect_accepted_socket.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/detail/protocol_factory.hpp>
#include <rondo/io/endpoint.hpp>
#include <rondo/io/open_connection.hpp>
#include <rondo/io/protocol.hpp>
#include <rondo/io/transport.hpp>
#include <rondo/loop/event_loop.hpp>

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

namespace rondo {

namespace detail {
using stream_factory = std::unique_ptr<protocol_factory<protocol>>;
coro<endpoint<protocol>> create_connection(event_loop& loop, stream_factory factory, std::string host,
                                           std::uint16_t port, connect_options options, std::source_location where);
coro<endpoint<protocol>> create_unix_connection(event_loop& loop, stream_factory factory, std::string path,
                                                connect_options options, std::source_location where);
coro<endpoint<protocol>> connect_accepted_socket(event_loop& loop, stream_factory factory, int fd,
                                                 std::source_location where);
} // namespace detail

/// Connects as open_connection() does, then calls the factory (any callable that gives a shared_ptr<P>, P a protocol) and
/// returns when connection_made() has. What the factory throws is thrown, and the connection is closed. Cancelling closes it.
/// To be awaited in this loop: elsewhere runtime_error. options.limit means nothing here. (loop.create_connection)
///
///     auto [transport, protocol] =
///         co_await loop.create_connection([] { return std::make_shared<echo>(); }, "127.0.0.1", 8080);
///     transport->write("hello\n");
template <factory_of<protocol> F>
coro<endpoint<factory_protocol_t<F>>> event_loop::create_connection(F factory, std::string host, std::uint16_t port,
                                                                    detail::late_t<connect_options, F> options,
                                                                    std::source_location where) {
    co_return detail::typed_endpoint<F>(co_await detail::create_connection(
        *this, detail::erase_factory<protocol>(std::move(factory)), std::move(host), port, std::move(options), where));
}

/// The same to a Unix socket; a path that begins with a 0 byte is an abstract name. value_error for one that cannot be a path.
template <factory_of<protocol> F>
coro<endpoint<factory_protocol_t<F>>> event_loop::create_unix_connection(F factory, std::string path,
                                                                         detail::late_t<connect_options, F> options,
                                                                         std::source_location where) {
    co_return detail::typed_endpoint<F>(co_await detail::create_unix_connection(
        *this, detail::erase_factory<protocol>(std::move(factory)), std::move(path), std::move(options), where));
}

/// The same on a connected stream socket, which is the loop's from now on, also when this throws, and is made non-blocking; but
/// value_error, for what is no such socket, leaves it alone. options mean nothing here. (loop.connect_accepted_socket)
template <factory_of<protocol> F>
coro<endpoint<factory_protocol_t<F>>>
event_loop::connect_accepted_socket(F factory, int fd, detail::late_t<connect_options, F>, std::source_location where) {
    co_return detail::typed_endpoint<F>(co_await detail::connect_accepted_socket(
        *this, detail::erase_factory<protocol>(std::move(factory)), fd, where));
}

} // namespace rondo
