#include "io/connect_socket.hpp"

#include <rondo/loop/event_loop.hpp>

#include "io/resolver.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace rondo::detail {

namespace {

/// The families take turns, beginning with the first address's (RFC 8305, section 4).
std::vector<address> interleaved(std::vector<address> addresses) {
    const int first = address_access::family(addresses.front());
    std::vector<address> others;
    std::vector<address> result;
    for (address& a : addresses) (address_access::family(a) == first ? result : others).push_back(std::move(a));
    for (std::size_t i = 0; i < others.size(); ++i) {
        const std::size_t place = std::min(2 * i + 1, result.size());
        result.insert(result.begin() + static_cast<std::ptrdiff_t>(place), std::move(others[i]));
    }
    return result;
}

} // namespace

coro<connected_socket> connect_tcp(std::string host, std::uint16_t port, connect_options options) {
    std::vector<address> found = co_await resolve(std::move(host), port, resolve_for::connecting);
    if (!options.happy_eyeballs_delay.is_none()) found = interleaved(std::move(found));
    connect_race race(running_loop(), std::move(found), options);
    co_return co_await race;
}

coro<connected_socket> connect_unix(std::string path, connect_options options) {
    connect_race race(running_loop(), {address::unix_path(path)}, options);
    co_return co_await race;
}

} // namespace rondo::detail
