#include <rondo/io/open_connection.hpp>

#include <rondo/loop/event_loop.hpp>

#include "io/connect_race.hpp"
#include "io/inbound.hpp"
#include "io/make_stream.hpp"
#include "io/resolver.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace rondo {

namespace {

/// The families take turns, beginning with the first address's (RFC 8305, section 4).
std::vector<address> interleaved(std::vector<address> addresses) {
    const int first = detail::address_access::family(addresses.front());
    std::vector<address> others;
    std::vector<address> result;
    for (address& a : addresses) (detail::address_access::family(a) == first ? result : others).push_back(std::move(a));
    for (std::size_t i = 0; i < others.size(); ++i) {
        const std::size_t place = std::min(2 * i + 1, result.size());
        result.insert(result.begin() + static_cast<std::ptrdiff_t>(place), std::move(others[i]));
    }
    return result;
}

} // namespace

coro<connection> open_connection(std::string host, std::uint16_t port, connect_options options) {
    detail::inbound::check_limit(options.limit);
    std::vector<address> found = co_await detail::resolve(std::move(host), port, detail::resolve_for::connecting);
    event_loop& loop = running_loop();
    detail::connect_race race(loop, interleaved(std::move(found)), options);
    detail::connected_socket made = co_await race;
    co_return detail::make_connection(loop, made.fd, detail::stream_kind::tcp, std::move(made.peer), options.limit);
}

coro<connection> open_unix_connection(std::string path, connect_options options) {
    detail::inbound::check_limit(options.limit);
    event_loop& loop = running_loop();
    detail::connect_race race(loop, {address::unix_path(path)}, options);
    detail::connected_socket made = co_await race;
    co_return detail::make_connection(loop, made.fd, detail::stream_kind::unix_socket, std::move(made.peer),
                                      options.limit);
}

} // namespace rondo
