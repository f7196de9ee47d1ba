#include <rondo/io/open_connection.hpp>

#include <rondo/loop/event_loop.hpp>

#include "io/adopted_socket.hpp"
#include "io/connect_socket.hpp"
#include "io/inbound.hpp"
#include "io/make_stream.hpp"

#include <utility>

namespace rondo {

coro<connection> open_connection(std::string host, std::uint16_t port, connect_options options,
                                 std::source_location where) {
    detail::inbound::check_limit(options.limit);
    detail::connected_socket made = co_await detail::connect_tcp(std::move(host), port, options, "open_connection()");
    co_return detail::make_connection(running_loop(), made.fd, detail::stream_kind_of(made.family),
                                      std::move(made.peer), options.limit, where);
}

coro<connection> open_unix_connection(std::string path, connect_options options, std::source_location where) {
    detail::inbound::check_limit(options.limit);
    detail::connected_socket made = co_await detail::connect_unix(std::move(path), options, "open_unix_connection()");
    co_return detail::make_connection(running_loop(), made.fd, detail::stream_kind::unix_socket, std::move(made.peer),
                                      options.limit, where);
}

} // namespace rondo
