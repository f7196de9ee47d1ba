// Listening, connecting, accepting.
#include "loop/backend/perform.hpp"
#include "sim/labels.hpp"
#include "sim/network.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <span>

#include <netinet/in.h>

namespace rondo::sim::detail {

namespace {

using namespace std::chrono_literals;
using rondo::detail::would_block;

constexpr std::array<duration, 4> handshakes{0ns, 1ms, 100ms, 3s};
constexpr std::array<std::size_t, 4> windows{65536, 4096, 64, 1};
constexpr int most_attempts = 6;         // tcp(7): tcp_syn_retries
constexpr duration first_retry = 1s;     // RFC 6298, section 2
constexpr duration connect_limit = 127s; // what they add up to
constexpr duration no_neighbour = 3s;    // arp(7): nobody says that the address is his

} // namespace

endpoint* network::listener_at(const host_state& on, const socket_name& to) const noexcept {
    for (const auto& e : endpoints_) {
        if (!e || e->home.host != &on || e->kind != endpoint_kind::listening || e->no_more_reading ||
            e->family != to.family())
            continue;
        if (e->local.port() == to.port() && (e->local.is_any() || to.is_any() || e->local.same_host(to)))
            return e.get();
    }
    return nullptr;
}

void network::meet(endpoint& from, endpoint& listener) {
    auto made = std::make_shared<endpoint>();
    made->home = listener.home;
    made->kind = from.kind = endpoint_kind::stream;
    made->family = from.family;
    made->local = listener.local.is_any() ? from.peer : listener.local;
    made->peer = from.local;
    made->link = from.link = std::make_shared<detail::link>();
    made->side = 1;
    from.side = 0;
    from.link->tcp = from.family != AF_UNIX;
    from.link->ends = {&from, made.get()};
    from.link->hosts = {from.home.host, made->home.host};
    from.link->far = from.home.host != made->home.host;
    const std::size_t window =
        windows[world_.choose_if(world_.faults.partial, windows.size(), labels::how_small_a_window)];
    for (conduit& c : from.link->to) c.set_window(window);
    listener.arrived.push_back(std::move(made));
}

void network::decide(endpoint& e, int outcome, duration in) {
    if (in == duration::zero()) {
        e.connected = outcome;
        return;
    }
    world_.later.enter(world_.now + in, [weak = e.weak_from_this(), outcome] {
        if (const auto still = weak.lock()) still->connected = outcome;
    });
}

std::int64_t network::begin_connect(endpoint& e, const socket_name& to) {
    if (e.kind == endpoint_kind::dead) return would_block;
    if (e.kind == endpoint_kind::datagrams) return connect_datagrams(e, to);
    if (e.kind == endpoint_kind::stream) return -EISCONN;
    if (e.kind != endpoint_kind::fresh || to.family() != e.family) return -EINVAL;
    if (e.peer.size > 0 && !e.connected) return -EALREADY;
    e.connected.reset();
    e.peer = to;
    if (world_.fails(world_.faults.resources, labels::no_memory_to_connect)) return -ENOMEM;
    constexpr std::array errors{ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, EADDRNOTAVAIL};
    constexpr std::array errors_of_a_path{ECONNREFUSED, EAGAIN}; // EAGAIN: the queue is full (unix(7))
    const int fails = e.family == AF_UNIX
                          ? world_.error(world_.faults.network, errors_of_a_path, labels::connecting_fails)
                          : world_.error(world_.faults.network, errors, labels::connecting_fails);
    if (e.family == AF_UNIX) {
        const auto file = files_.find(file_name(e.home.host->number, to.path()));
        if (file == files_.end()) return to.path().starts_with('\0') ? -ECONNREFUSED : -ENOENT;
        endpoint* listener = file->second.bound;
        if (fails) return fails;
        if (!listener || listener->kind != endpoint_kind::listening || listener->no_more_reading) return -ECONNREFUSED;
        if (listener->arrived.size() > listener->backlog) return -EAGAIN;
        meet(e, *listener);
        return 0;
    }
    if (const int unreachable = leave_for(e, to)) return unreachable;
    const host_state& home = *e.home.host;
    const host_state* const target = world_.hosts.with_address(to, *e.home.host);
    duration takes = world_.choose_delay(handshakes, labels::how_long_a_handshake);
    if (target && target != &home) takes += world_.hosts.latency(home, *target) + world_.hosts.latency(*target, home);
    e.attempts = 0;
    if (!target) {
        decide(e, -EHOSTUNREACH, no_neighbour);
        return would_block;
    }
    if (fails) {
        if (fails == -EADDRNOTAVAIL) return fails; // no port is left
        decide(e, fails, fails == -ECONNREFUSED ? takes : connect_limit);
        return would_block;
    }
    if (takes == duration::zero()) attempt(e.weak_from_this());
    else world_.later.enter(world_.now + takes, [this, weak = e.weak_from_this()] { attempt(weak); });
    return would_block;
}

/// Gives it an address that the other side can answer to, and a port, unless it has them. 0, or -errno.
int network::leave_for(endpoint& e, const socket_name& to) {
    host_state& home = *e.home.host;
    const bool inside = world_.hosts.with_address(to, home) == &home;
    const socket_name* const own = inside ? &to : home.address_of(to.family());
    if (!own) return -ENETUNREACH;
    if (e.local.size == 0) {
        e.local = *own;
        take_port(e, e.local);
    } else if (e.local.is_any() && e.kind == endpoint_kind::fresh) {
        const std::uint16_t port = e.local.port();
        e.local = *own;
        e.local.set_port(port);
    }
    return 0;
}

/// A listener with a full queue does not answer, nor does a host that is down or cannot be reached: the client asks again, each
/// time after twice as long.
void network::attempt(const std::weak_ptr<endpoint>& from) {
    const auto e = from.lock();
    if (!e || e->kind != endpoint_kind::fresh) return;
    if (e->attempts > most_attempts) {
        e->connected = -ETIMEDOUT;
        return;
    }
    const host_state& home = *e->home.host;
    const host_state& target = *world_.hosts.with_address(e->peer, *e->home.host);
    const bool answers = &home == &target || world_.hosts.answers(home, target);
    endpoint* listener = answers ? listener_at(target, e->peer) : nullptr;
    if (answers && !listener) {
        e->connected = -ECONNREFUSED;
    } else if (listener && listener->arrived.size() <= listener->backlog) {
        meet(*e, *listener);
        e->connected = 0;
    } else {
        world_.later.enter(world_.now + first_retry * (1 << e->attempts), [this, from] { attempt(from); });
        ++e->attempts;
    }
}

std::int64_t network::accept(endpoint& e, operation& op) {
    if (e.kind != endpoint_kind::listening || e.no_more_reading) return -EINVAL;
    if (e.arrived.empty()) return would_block;
    constexpr std::array errors{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::accepting_fails)) return error;
    std::shared_ptr<endpoint> connection = std::move(e.arrived.front());
    e.arrived.pop_front();
    constexpr std::array lost{ECONNABORTED, EPROTO, ENETDOWN}; // accept(2) tells of the network's errors too
    if (const int error = world_.error(world_.faults.network, lost, labels::aborted_before_accepted)) {
        if (connection->link->far) {
            close_far_stream(*connection, true);
        } else {
            if (endpoint* client = connection->other()) reset(*client, ECONNRESET);
            connection->link->ends[connection->side] = nullptr;
        }
        return error;
    }
    if (op.address) connection->peer.copy_to(op.address, op.address_size);
    return enter(std::move(connection));
}

} // namespace rondo::sim::detail
