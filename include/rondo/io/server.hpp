// Servers: start_server and start_unix_server.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>
#include <rondo/io/detail/connection_handler.hpp>
#include <rondo/io/host_list.hpp>
#include <rondo/io/stream_reader.hpp>
#include <rondo/io/stream_writer.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

class event_loop;

struct server_options {
    std::size_t limit = default_limit; // of the readers
    int backlog = 100;                 // connections that the kernel keeps for us (listen(2))
    bool reuse_address = true;         // SO_REUSEADDR
    bool reuse_port = false;           // SO_REUSEPORT
    bool start_serving = true;         // false: bound, and silent until start_serving()
    bool cleanup_socket = true;        // Unix servers: removes its file when it closes, if it is still its own
    int family = 0;                    // AF_INET or AF_INET6: its addresses only
    int flags = 0;                     // AI_*, in the lookup, beside AI_PASSIVE
    int sock = -1;                     // a bound stream socket in place of host and port, or of the path
    bool keep_alive = false;           // SO_KEEPALIVE, for the connections
};

/// What became of the connections that were there when server::shutdown() was called.
struct shutdown_report {
    std::size_t finished = 0;  // ended by themselves
    std::size_t cancelled = 0; // ended when their handlers were cancelled
    std::size_t aborted = 0;   // had to be broken off
};

namespace detail {
class server_core;
void retain(server_core& s) noexcept;
void release(server_core& s) noexcept;
struct server_access;
} // namespace detail

/// A listening server, and the connections it has accepted. Each connection is given to the handler in a turn of its own; a
/// handler that is a coroutine function runs as a task. A handler that throws is reported to the exception handler
/// ("unhandled exception in connection handler") and its connection is closed; one that is cancelled has it closed silently.
///
/// When descriptors or memory run out, that is reported, nothing is accepted for a second, then it goes on. Move-only;
/// belongs to the loop's thread; the destructor closes, and leaves the connections to their handlers. (asyncio.Server)
class server {
public:
    explicit server(detail::counted_ptr<detail::server_core> core) noexcept : core_(std::move(core)) {}
    server(server&& other) noexcept = default;
    server& operator=(server&& other) noexcept;
    ~server();

    /// Stops listening, at once; connections go on. Idempotent.
    void close();
    /// Closes the connections, once what they have queued is sent; breaks them off.
    void close_clients();
    void abort_clients();
    /// Begins to accept, if it did not yet. Closed: runtime_error.
    coro<> start_serving();
    /// start_serving(), and waits until the server is closed and its connections are gone. Cancelled, it closes the server
    /// and waits for that too. A second time, or closed: runtime_error. After close() it returns, where asyncio's is cancelled.
    coro<> serve_forever();
    /// Until the server is closed, its connections are gone and its addresses are free. When nobody closes it, it waits.
    coro<> wait_closed();
    /// Closes, gives the handlers `grace` to finish, then cancels those that have not, and at last, a second later, breaks
    /// off the connections that are still there; of those, handlers that go on regardless are not waited for longer than
    /// another second. Cancelled: cancels the handlers at once, and does not wait for them.
    coro<shutdown_report> shutdown(delay grace);

    bool is_serving() const noexcept;
    /// Where it listens; empty after close().
    std::vector<address> addresses() const;
    /// Of the first address; 0 for a Unix server, and after close().
    std::uint16_t port() const;
    event_loop& loop() const;

private:
    friend struct detail::server_access;
    detail::counted_ptr<detail::server_core> core_;
};

namespace detail {
coro<server> start_tcp_server(std::unique_ptr<connection_handler> handler, host_list on, std::uint16_t port,
                              server_options options, std::source_location where);
coro<server> start_unix_server(std::unique_ptr<connection_handler> handler, std::string path, server_options options,
                               std::source_location where);
template <class H> std::unique_ptr<connection_handler> erase_handler(H&& handler) {
    return std::make_unique<handler_of<std::decay_t<H>>>(std::forward<H>(handler));
}
} // namespace detail

/// Listens on every address of the hosts ("" is every interface, IPv4 and IPv6) and gives each connection to
/// handler(stream_reader, stream_writer) or handler(tcp_stream), a coroutine function or a plain one, which the server keeps.
/// Port 0 is a free one, the same for all addresses; an address that several hosts have counts once. An address that this
/// machine does not have is skipped; any other that cannot be bound: std::system_error that names it.
///
/// options.sock, which may listen already, is the server's from now on, also when this throws, and is made non-blocking; but
/// value_error, for what is no stream socket or when a host or port is given beside it, leaves it alone: say "" and 0.
///
///     auto server = co_await rondo::start_server(
///         [](rondo::stream_reader r, rondo::stream_writer w) -> rondo::coro<> {
///             while (auto line = co_await r.read_line()) co_await w.write(*line);
///         }, "127.0.0.1", 8080);
///     co_await server.serve_forever();
template <class H>
    requires detail::handles_connections<H>
RONDO_CORO_OWNER coro<server> start_server(H&& handler, host_list on, std::uint16_t port, server_options options = {},
                                           std::source_location where = std::source_location::current()) {
    return detail::start_tcp_server(detail::erase_handler(std::forward<H>(handler)), std::move(on), port, options,
                                    where);
}

/// The same on a Unix socket. A socket file that belongs to no socket any more is replaced; one in use, or another kind of
/// file: std::system_error (EADDRINUSE). A path that begins with a 0 byte is an abstract name. options.sock has to be a Unix
/// socket, and the path empty.
template <class H>
    requires detail::handles_connections<H>
RONDO_CORO_OWNER coro<server> start_unix_server(H&& handler, std::string path, server_options options = {},
                                                std::source_location where = std::source_location::current()) {
    return detail::start_unix_server(detail::erase_handler(std::forward<H>(handler)), std::move(path), options, where);
}

} // namespace rondo
