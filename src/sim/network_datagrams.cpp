// Datagrams: UDP, which loses, doubles and reorders them, and those of Unix sockets, which does not.
#include "loop/backend/perform.hpp"
#include "sim/journeys.hpp"
#include "sim/labels.hpp"
#include "sim/network.hpp"
#include "sim/pieces.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace rondo::sim::detail {

namespace {

using rondo::detail::operation_kind;
using rondo::detail::would_block;

constexpr std::size_t largest_ipv4 = 65535 - 20 - 8; // RFC 768 in RFC 791
constexpr std::size_t largest_ipv6 = 65535 - 8;      // RFC 8200
constexpr std::size_t receive_buffer = 212992;       // socket(7): rmem_default
constexpr std::size_t overhead = 768;                // what a small one takes of it
constexpr std::size_t longest_queue = 10;            // unix(7): max_dgram_qlen
constexpr duration overtaking = std::chrono::milliseconds(50);

std::size_t largest(int family) noexcept {
    if (family == AF_UNIX) return receive_buffer;
    return family == AF_INET ? largest_ipv4 : largest_ipv6;
}

socket_name destination(const endpoint& e, const operation& op) noexcept {
    if (op.kind != operation_kind::sendmsg || !op.message->msg_name) return e.peer;
    return {static_cast<const ::sockaddr*>(op.message->msg_name), op.message->msg_namelen};
}

} // namespace

std::int64_t network::connect_datagrams(endpoint& e, const socket_name& to) {
    if (to.family() == AF_UNSPEC) { // connect(2): dissolves the association
        e.peer = {};
        return 0;
    }
    if (to.family() != e.family) return -EAFNOSUPPORT;
    if (e.family == AF_UNIX) {
        const auto file = files_.find(file_name(e.home.host->number, to.path()));
        if (file == files_.end()) return to.path().starts_with('\0') ? -ECONNREFUSED : -ENOENT;
        if (!file->second.bound) return -ECONNREFUSED;
        if (file->second.bound->kind != endpoint_kind::datagrams) return -EPROTOTYPE;
    } else if (const int unreachable = leave_for(e, to)) {
        return unreachable;
    }
    e.peer = to;
    return 0;
}

/// Unix sockets lose nothing: who sends waits for room.
bool network::has_room_for(const endpoint& e, const operation& op) const noexcept {
    if (e.family != AF_UNIX || (op.kind == operation_kind::poll && e.peer.size == 0)) return true;
    const auto file = files_.find(file_name(e.home.host->number, destination(e, op).path()));
    const endpoint* const to = file != files_.end() ? file->second.bound : nullptr;
    return !to || to->kind != endpoint_kind::datagrams || to->inbox.size() <= longest_queue;
}

std::int64_t network::receive_datagram(endpoint& e, operation& op) {
    if (e.error) return -std::exchange(e.error, 0);
    constexpr std::array errors{ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::receiving_fails)) return error;
    if (e.inbox.empty()) return e.no_more_reading ? 0 : would_block;
    const datagram& first = e.inbox.front();
    const pieces buffers(op);
    const std::size_t whole = first.bytes.size();
    const std::size_t n = std::min(buffers.size(), whole);
    const std::byte* from = first.bytes.data();
    buffers.each(0, n, [&](std::byte* to, std::size_t part) {
        std::memcpy(to, from, part);
        from += part;
    });
    if (op.kind == operation_kind::recvmsg) {
        op.message->msg_controllen = 0;
        op.message->msg_flags = n < whole ? MSG_TRUNC : 0;
        if (op.message->msg_name) {
            std::uint32_t room = op.message->msg_namelen;
            first.from.copy_to(static_cast<::sockaddr*>(op.message->msg_name), room);
            op.message->msg_namelen = room;
        }
    }
    const auto result = static_cast<std::int64_t>(op.flags & MSG_TRUNC ? whole : n);
    if ((op.flags & MSG_PEEK) == 0) {
        e.inbox_bytes -= whole + overhead;
        e.inbox.pop_front();
    }
    return result;
}

std::int64_t network::send_datagram(endpoint& e, operation& op) {
    if (e.error) return -std::exchange(e.error, 0);
    if (e.no_more_writing) return -EPIPE;
    const socket_name to = destination(e, op);
    if (to.size == 0) return e.family == AF_UNIX ? -ENOTCONN : -EDESTADDRREQ;
    if (to.family() != e.family) return -EAFNOSUPPORT;
    const pieces buffers(op);
    if (buffers.size() > largest(e.family)) return -EMSGSIZE;
    constexpr std::array errors{ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::sending_fails)) return error;
    datagram what;
    what.bytes.reserve(buffers.size());
    buffers.each(0, buffers.size(),
                 [&](const std::byte* from, std::size_t n) { what.bytes.insert(what.bytes.end(), from, from + n); });
    if (e.family == AF_UNIX) return send_datagram_by_path(e, to, std::move(what));
    host_state& home = *e.home.host;
    const bool inside = world_.hosts.with_address(to, home) == &home;
    const socket_name* const own = inside ? &to : home.address_of(to.family());
    if (!own) return -ENETUNREACH;
    if (e.local.size == 0) { // from now on it hears what comes to this port
        e.local.bytes.ss_family = to.bytes.ss_family;
        e.local.size = to.size;
        take_port(e, e.local);
    }
    what.from = e.local;
    if (e.local.is_any()) {
        what.from = *own;
        what.from.set_port(e.local.port());
    }
    carry_datagram(e, to, std::move(what));
    return static_cast<std::int64_t>(buffers.size());
}

std::int64_t network::send_datagram_by_path(endpoint& e, const socket_name& to, datagram what) {
    const auto file = files_.find(file_name(e.home.host->number, to.path()));
    if (file == files_.end()) return to.path().starts_with('\0') ? -ECONNREFUSED : -ENOENT;
    endpoint* const receiver = file->second.bound;
    if (!receiver || receiver->no_more_reading) return -ECONNREFUSED;
    if (receiver->kind != endpoint_kind::datagrams) return -EPROTOTYPE;
    if (receiver->inbox.size() > longest_queue) return would_block;
    const auto size = static_cast<std::int64_t>(what.bytes.size());
    what.from = e.local;
    receiver->inbox_bytes += what.bytes.size() + overhead;
    receiver->inbox.push_back(std::move(what));
    return size;
}

void network::carry_datagram(endpoint& e, const socket_name& to, datagram what) {
    host_state& from = *e.home.host;
    host_state* const target = world_.hosts.with_address(to, from);
    if (!target || (target != &from && !world_.hosts.is_open(from, *target))) return;
    const bool unreliable = world_.faults.datagrams;
    if (world_.choose_if(unreliable, 2, labels::a_datagram_is_lost)) return;
    const duration away = target == &from ? duration::zero() : world_.hosts.latency(from, *target);
    const std::uint32_t copies = 1 + world_.choose_if(unreliable, 2, labels::a_datagram_comes_twice);
    for (std::uint32_t copy = 0; copy < copies; ++copy) {
        const duration takes = away + world_.choose_delay(journeys, labels::how_long_a_datagram);
        time_point when = std::max(world_.now + takes, e.last_arrival);
        if (world_.choose_if(unreliable, 2, labels::a_datagram_is_overtaken)) when += overtaking;
        else e.last_arrival = when;
        if (when <= world_.now) {
            deliver_datagram(e.weak_from_this(), from, *target, to, what);
            continue;
        }
        world_.later.enter(when, [this, sender = e.weak_from_this(), &from, target, to, what] {
            deliver_datagram(sender, from, *target, to, what);
        });
    }
}

void network::deliver_datagram(const std::weak_ptr<endpoint>& sender, host_state& from, host_state& on,
                               const socket_name& to, datagram what) {
    if (!on.up || (&on != &from && !world_.hosts.is_open(from, on))) return;
    if (endpoint* const receiver = datagrams_at(on, to, what.from)) {
        const std::size_t takes = what.bytes.size() + overhead;
        if (receiver->inbox_bytes + takes > receive_buffer) return;
        receiver->inbox_bytes += takes;
        receiver->inbox.push_back(std::move(what));
        return;
    }
    // udp(7): that nobody is there is told to a socket that is connected there (RFC 792, port unreachable).
    const auto told = sender.lock();
    if (!told || told->kind != endpoint_kind::datagrams || told->peer.size == 0) return;
    if (!told->peer.same_host(to) || told->peer.port() != to.port()) return;
    if (&on == &from || world_.hosts.is_open(on, from)) told->error = ECONNREFUSED;
}

/// One that is connected to the sender goes before one that hears everybody.
endpoint* network::datagrams_at(const host_state& on, const socket_name& to, const socket_name& from) const noexcept {
    endpoint* found = nullptr;
    for (const auto& e : endpoints_) {
        if (!e || e->kind != endpoint_kind::datagrams || e->home.host != &on || e->family != to.family()) continue;
        if (e->local.size == 0 || e->local.port() != to.port() || e->no_more_reading) continue;
        if (!e->local.is_any() && !to.is_any() && !e->local.same_host(to)) continue;
        if (e->peer.size == 0) {
            if (!found) found = e.get();
        } else if (e->peer.same_host(from) && e->peer.port() == from.port()) {
            return e.get();
        }
    }
    return found;
}

} // namespace rondo::sim::detail
