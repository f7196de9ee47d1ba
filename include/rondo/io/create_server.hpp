// Servers with a protocol for each connection: event_loop::create_server and create_unix_server.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/detail/protocol_factory.hpp>
#include <rondo/io/protocol.hpp>
#include <rondo/io/server.hpp>
#include <rondo/io/transport.hpp>
#include <rondo/loop/event_loop.hpp>

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

namespace rondo {

namespace detail {
coro<server> create_server(event_loop& loop, std::unique_ptr<protocol_factory<protocol>> factory, host_list on,
                           std::uint16_t port, server_options options, std::source_location where);
coro<server> create_unix_server(event_loop& loop, std::unique_ptr<protocol_factory<protocol>> factory, std::string path,
                                server_options options, std::source_location where);
} // namespace detail

/// Listens as start_server() does, and makes each connection a protocol with the factory (any callable that gives a
/// shared_ptr<P>, P a protocol). One that throws is reported to the exception handler, and its connection is closed. To be
/// awaited in this loop: elsewhere runtime_error. options.limit means nothing here. (loop.create_server)
///
///     auto server = co_await loop.create_server([] { return std::make_shared<echo>(); }, "127.0.0.1", 8080);
///     co_await server.serve_forever();
template <factory_of<protocol> F>
coro<server> event_loop::create_server(F factory, host_list on, std::uint16_t port,
                                       detail::late_t<server_options, F> options, std::source_location where) {
    co_return co_await detail::create_server(*this, detail::erase_factory<protocol>(std::move(factory)), std::move(on),
                                             port, options, where);
}

/// The same on a Unix socket, with the rules of start_unix_server().
template <factory_of<protocol> F>
coro<server> event_loop::create_unix_server(F factory, std::string path, detail::late_t<server_options, F> options,
                                            std::source_location where) {
    co_return co_await detail::create_unix_server(*this, detail::erase_factory<protocol>(std::move(factory)),
                                                  std::move(path), options, where);
}

} // namespace rondo
