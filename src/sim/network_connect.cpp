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

} // namespace

endpoint* network::listener_at(const socket_name& to) const noexcept {
    for (const auto& e : endpoints_) {
        if (!e || e->kind != endpoint_kind::listening || e->no_more_reading || e->family != to.family()) continue;
        if (e->local.port() == to.port() && (e->local.is_any() || to.is_any() || e->local.same_host(to)))
            return e.get();
    }
    return nullptr;
}

void network::meet(endpoint& from, endpoint& listener) {
    auto made = std::make_shared<endpoint>();
    made->kind = from.kind = endpoint_kind::stream;
    made->family = from.family;
    made->local = listener.local.is_any() ? from.peer : listener.local;
    made->peer = from.local;
    made->link = from.link = std::make_shared<detail::link>();
    made->side = 1;
    from.side = 0;
    from.link->tcp = from.family != AF_UNIX;
    from.link->ends = {&from, made.get()};
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
    if (e.kind == endpoint_kind::stream) return -EISCONN;
    if (e.kind != endpoint_kind::fresh || to.family() != e.family) return -EINVAL;
    if (e.peer.size > 0 && !e.connected) return -EALREADY;
    e.connected.reset();
    e.peer = to;
    if (world_.fails(world_.faults.resources, labels::no_memory_to_connect)) return -ENOMEM;
    constexpr std::array errors{ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, EADDRNOTAVAIL};
    const int fails =
        world_.error(world_.faults.network, std::span(errors).first(e.family == AF_UNIX ? 1 : errors.size()),
                     labels::connecting_fails);
    if (e.family == AF_UNIX) {
        const auto file = files_.find(to.path());
        if (file == files_.end()) return to.path().starts_with('\0') ? -ECONNREFUSED : -ENOENT;
        endpoint* listener = file->second.bound;
        if (fails || !listener || listener->kind != endpoint_kind::listening || listener->no_more_reading)
            return -ECONNREFUSED;
        if (listener->arrived.size() > listener->backlog) return -EAGAIN;
        meet(e, *listener);
        return 0;
    }
    if (!to.is_loopback() && !to.is_any()) return -ENETUNREACH;
    if (e.local.size == 0) {
        e.local = to; // the same loopback address, and a port of its own
        do e.local.set_port(next_port_++);
        while (is_taken(to) && listener_at(e.local));
    }
    const duration takes = world_.choose_delay(handshakes, labels::how_long_a_handshake);
    e.attempts = 0;
    if (fails) {
        if (fails == -EADDRNOTAVAIL) return fails; // no port is left
        decide(e, fails, fails == -ECONNREFUSED ? takes : connect_limit);
        return would_block;
    }
    if (takes == duration::zero()) attempt(e.weak_from_this());
    else world_.later.enter(world_.now + takes, [this, weak = e.weak_from_this()] { attempt(weak); });
    return would_block;
}

/// A listener with a full queue does not answer: the client asks again, each time after twice as long.
void network::attempt(const std::weak_ptr<endpoint>& from) {
    const auto e = from.lock();
    if (!e || e->kind != endpoint_kind::fresh) return;
    endpoint* listener = listener_at(e->peer);
    if (!listener) {
        e->connected = -ECONNREFUSED;
    } else if (listener->arrived.size() <= listener->backlog) {
        meet(*e, *listener);
        e->connected = 0;
    } else if (e->attempts == most_attempts) {
        e->connected = -ETIMEDOUT;
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
    if (world_.fails(world_.faults.network, labels::aborted_before_accepted)) {
        if (endpoint* client = connection->other()) reset(*client, ECONNRESET);
        connection->link->ends[connection->side] = nullptr;
        return -ECONNABORTED;
    }
    if (op.address) connection->peer.copy_to(op.address, op.address_size);
    return enter(std::move(connection));
}

} // namespace rondo::sim::detail
