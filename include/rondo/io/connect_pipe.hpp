// Pipes with a protocol: event_loop::connect_read_pipe and connect_write_pipe.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/create_connection.hpp>
#include <rondo/io/detail/protocol_factory.hpp>
#include <rondo/io/endpoint.hpp>
#include <rondo/io/protocol.hpp>
#include <rondo/io/transport.hpp>
#include <rondo/loop/event_loop.hpp>

#include <source_location>
#include <utility>

namespace rondo {

namespace detail {
coro<endpoint<protocol>> connect_read_pipe(event_loop& loop, stream_factory factory, int fd,
                                           std::source_location where);
coro<endpoint<protocol>> connect_write_pipe(event_loop& loop, stream_factory factory, int fd,
                                            std::source_location where);
} // namespace detail

/// Receives from the reading end of a pipe, or from a FIFO, socket or character device (a terminal). The descriptor becomes
/// non-blocking, and the loop's: the transport closes it. Anything else: value_error, and the descriptor is left alone. At the
/// end of the data comes eof_received(), then connection_lost(null). To be awaited in this loop: elsewhere runtime_error.
/// (loop.connect_read_pipe)
///
///     auto [transport, lines] = co_await loop.connect_read_pipe([] { return std::make_shared<line_reader>(); }, 0);
template <factory_of<protocol> F>
coro<endpoint<factory_protocol_t<F>>> event_loop::connect_read_pipe(F factory, int fd, std::source_location where) {
    co_return detail::typed_endpoint<F>(
        co_await detail::connect_read_pipe(*this, detail::erase_factory<protocol>(std::move(factory)), fd, where));
}

/// The same for a writing end. When nobody reads the pipe, FIFO or socket any more (or its other end has written something),
/// connection_lost() tells at once: with a broken_pipe_error if something still waits to be sent. SIGPIPE is ignored from now on
/// where it had its default action. (loop.connect_write_pipe)
template <factory_of<protocol> F>
coro<endpoint<factory_protocol_t<F>>> event_loop::connect_write_pipe(F factory, int fd, std::source_location where) {
    co_return detail::typed_endpoint<F>(
        co_await detail::connect_write_pipe(*this, detail::erase_factory<protocol>(std::move(factory)), fd, where));
}

} // namespace rondo
