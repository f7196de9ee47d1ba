#include "io/connect_socket.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/adopted_socket.hpp"
#include "io/resolver.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace rondo::detail {

namespace {

/// `ahead` addresses of the first one's family, then the families take turns (RFC 8305, section 4).
std::vector<address> interleaved(std::vector<address> addresses, std::size_t ahead) {
    const int first = address_access::family(addresses.front());
    std::vector<address> others;
    std::vector<address> result;
    for (address& a : addresses) (address_access::family(a) == first ? result : others).push_back(std::move(a));
    for (std::size_t i = 0; i < others.size(); ++i) {
        const std::size_t place = std::min(2 * i + ahead, result.size());
        result.insert(result.begin() + static_cast<std::ptrdiff_t>(place), std::move(others[i]));
    }
    return result;
}

void check_alone(bool alone, const char* method) {
    if (!alone) throw value_error(std::string(method) + ": a socket was given beside the address to connect to");
}

} // namespace

coro<connected_socket> connect_tcp(std::string host, std::uint16_t port, connect_options options, const char* method) {
    event_loop& loop = running_loop();
    if (options.sock >= 0) {
        check_alone(host.empty() && port == 0, method);
        const int family = adopt_socket(loop, options.sock, SOCK_STREAM, method);
        co_return {options.sock, peer_address_of(loop_access::backend(loop).os(), options.sock), family};
    }
    const lookup how{.family = options.family, .protocol = options.protocol, .flags = options.flags};
    std::vector<address> found = co_await resolve(std::move(host), port, resolve_for::connecting, how);
    const std::size_t ahead = options.interleave.value_or(options.happy_eyeballs_delay.is_none() ? 0 : 1);
    if (ahead > 0) found = interleaved(std::move(found), ahead);
    connect_race race(loop, std::move(found), options);
    co_return co_await race;
}

coro<connected_socket> connect_unix(std::string path, connect_options options, const char* method) {
    event_loop& loop = running_loop();
    if (options.sock >= 0) {
        check_alone(path.empty(), method);
        check_family(loop, options.sock, AF_UNIX, method);
        const int family = adopt_socket(loop, options.sock, SOCK_STREAM, method);
        co_return {options.sock, peer_address_of(loop_access::backend(loop).os(), options.sock), family};
    }
    options.protocol = 0;
    connect_race race(loop, {address::unix_path(path)}, options);
    co_return co_await race;
}

} // namespace rondo::detail
