#include <rondo/io/tcp_stream.hpp>

#include <utility>

namespace rondo {

coro<tcp_stream> tcp_stream::connect(std::string host, std::uint16_t port, connect_options options,
                                     std::source_location where) {
    co_return tcp_stream(co_await open_connection(std::move(host), port, std::move(options), where));
}

} // namespace rondo
