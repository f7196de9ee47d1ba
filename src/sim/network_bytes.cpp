// What moves through connections and pipes, and how they end.
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
#include <span>

#include <poll.h>

namespace rondo::sim::detail {

namespace {

using rondo::detail::operation_kind;
using rondo::detail::would_block;

bool wants_all(const operation& op) noexcept { return (op.flags & MSG_WAITALL) != 0 && (op.flags & MSG_PEEK) == 0; }

/// n bytes were moved now; a MSG_WAITALL operation is done when nothing is left.
std::int64_t after_moving(operation& op, std::size_t n, std::size_t size) noexcept {
    if (!wants_all(op)) return static_cast<std::int64_t>(n);
    op.result += static_cast<std::int64_t>(n);
    return static_cast<std::size_t>(op.result) == size ? op.result : would_block;
}

} // namespace

bool network::polled(const endpoint& e, bool for_writing) const noexcept {
    if (e.error) return true;
    switch (e.kind) {
    case endpoint_kind::fresh: return e.peer.size == 0 || e.connected.has_value();
    case endpoint_kind::listening: return !for_writing && (e.no_more_reading || !e.arrived.empty());
    case endpoint_kind::stream:
        if (for_writing) return e.no_more_writing || (!e.other() && !e.link->far) || e.out().room() > 0;
        return e.no_more_reading || e.in().end_arrived() || e.in().readable() > 0;
    case endpoint_kind::reading_pipe: return for_writing || e.in().end_arrived() || e.in().readable() > 0;
    case endpoint_kind::writing_pipe: return !e.other() || (for_writing && e.out().room() > 0);
    case endpoint_kind::datagrams: return for_writing || e.no_more_reading || !e.inbox.empty();
    case endpoint_kind::dead: break;
    }
    return false;
}

bool network::is_able(const endpoint& e, const operation& op) const noexcept {
    if (e.kind == endpoint_kind::dead) return false;
    switch (op.kind) {
    case operation_kind::connect: return e.connected.has_value();
    case operation_kind::accept: return e.kind != endpoint_kind::listening || polled(e, false);
    case operation_kind::poll: return polled(e, (op.flags & POLLOUT) != 0);
    case operation_kind::write:
    case operation_kind::send:
    case operation_kind::sendmsg: return polled(e, true) && (e.kind != endpoint_kind::datagrams || has_room_for(e, op));
    case operation_kind::read:
    case operation_kind::recv:
    case operation_kind::recvmsg:
    case operation_kind::sendfile: // these are not submitted here
    case operation_kind::open:
    case operation_kind::close:
    case operation_kind::fsync: break;
    }
    return polled(e, false);
}

std::int64_t network::perform(endpoint& e, operation& op) {
    switch (op.kind) {
    case operation_kind::connect: return e.connected ? *e.connected : would_block;
    case operation_kind::accept: return accept(e, op);
    case operation_kind::poll: return poll(e, op);
    case operation_kind::write:
    case operation_kind::send:
    case operation_kind::sendmsg: return send(e, op);
    case operation_kind::read:
    case operation_kind::recv:
    case operation_kind::recvmsg:
    case operation_kind::sendfile: // these are not submitted here
    case operation_kind::open:
    case operation_kind::close:
    case operation_kind::fsync: break;
    }
    return receive(e, op);
}

std::int64_t network::poll(const endpoint& e, const operation& op) {
    const bool for_writing = (op.flags & POLLOUT) != 0;
    if (!polled(e, for_writing)) return would_block;
    if (world_.fails(world_.faults.resources, labels::polling_fails)) return -ENOMEM;
    if (e.error || (e.kind == endpoint_kind::writing_pipe && !e.other())) return op.flags | POLLERR;
    const bool over = e.kind == endpoint_kind::reading_pipe && e.in().at_end();
    return over ? POLLHUP : static_cast<std::int64_t>(op.flags);
}

std::int64_t network::receive(endpoint& e, operation& op) {
    if (e.kind == endpoint_kind::writing_pipe) return -EBADF;
    if (e.kind == endpoint_kind::datagrams) return receive_datagram(e, op);
    if (e.kind < endpoint_kind::stream) return -ENOTCONN;
    if (const int fails = fault_in_receiving(e)) return op.result > 0 ? op.result : fails;
    if (op.kind == operation_kind::recvmsg) {
        op.message->msg_namelen = 0;
        op.message->msg_controllen = 0;
        op.message->msg_flags = 0;
    }
    const pieces buffers(op);
    const auto done = static_cast<std::size_t>(op.result);
    conduit& in = e.in();
    if (in.readable() == 0 || done == buffers.size()) {
        if (done > 0 || buffers.size() == 0) return op.result;
        if (e.link->tcp && in.end_arrived()) return 0; // what comes after the end is the next sender's to hear of
        if (e.error) return -std::exchange(e.error, 0);
        return in.end_arrived() || e.no_more_reading ? 0 : would_block;
    }
    const std::size_t most = std::min(buffers.size() - done, in.readable());
    const auto fewer =
        world_.choose_if(world_.faults.partial, static_cast<std::uint32_t>(most), labels::how_few_received);
    const std::size_t n = fewer ? fewer : most;
    const bool peek = (op.flags & MSG_PEEK) != 0;
    buffers.each(done, n, [&](std::byte* to, std::size_t part) { in.read(to, part, peek); });
    return after_moving(op, n, buffers.size());
}

/// The connection is lost on the way: each side hears of it when it looks.
int network::lose_connection(endpoint& e, label what) {
    if (!e.link->tcp || !e.other() || e.link->forgotten[1 - e.side]) return 0;
    constexpr std::array errors{ECONNRESET, ETIMEDOUT, EHOSTUNREACH};
    const int error = world_.error(world_.faults.network, errors, what);
    if (!error) return 0;
    reset(*e.other(), ECONNRESET);
    reset(e, 0);
    e.in().lose_everything();
    e.link->forgotten = {true, true};
    return error;
}

/// 0: none.
int network::fault_in_receiving(endpoint& e) {
    if (e.kind == endpoint_kind::reading_pipe)
        return world_.fails(world_.faults.resources, labels::reading_a_pipe_fails) ? -ENOMEM : 0;
    if (e.kind != endpoint_kind::stream) return 0;
    constexpr std::array errors{ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::receiving_fails)) return error;
    return lose_connection(e, labels::lost_while_receiving);
}

/// 0: none.
int network::fault_in_sending(endpoint& e) {
    constexpr std::array errors{ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::sending_fails)) return error;
    return lose_connection(e, labels::lost_while_sending);
}

std::int64_t network::send(endpoint& e, operation& op) {
    if (e.kind == endpoint_kind::reading_pipe) return -EBADF;
    if (e.kind == endpoint_kind::datagrams) return send_datagram(e, op);
    if (e.kind < endpoint_kind::stream) return -ENOTCONN;
    if (e.error) return -std::exchange(e.error, 0);
    if (e.no_more_writing) return -EPIPE;
    const pieces buffers(op);
    const auto done = static_cast<std::size_t>(op.result);
    if (!e.other() && !e.link->far) {
        if (!e.link->tcp) return -EPIPE;
        reset(e, e.in().end_arrived() ? EPIPE : ECONNRESET); // the answer to what nobody takes any more
        return static_cast<std::int64_t>(buffers.size());
    }
    if (const int fails = fault_in_sending(e)) return fails;
    conduit& out = e.out();
    const std::size_t most = std::min(buffers.size() - done, out.room());
    if (most == 0) {
        if (e.link->far && !is_answered(*e.link, e.side))
            wait_for_answer(e.link, e.side); // it asks whether there is room
        return done == buffers.size() ? op.result : would_block;
    }
    const auto fewer = world_.choose_if(world_.faults.partial, static_cast<std::uint32_t>(most), labels::how_few_sent);
    const std::size_t n = fewer ? fewer : most;
    buffers.each(done, n, [&](const std::byte* from, std::size_t part) { out.send(from, part); });
    carry(e, n, false);
    return after_moving(op, n, buffers.size());
}

void network::carry(endpoint& from, std::size_t bytes, bool end) {
    if (from.link->far) return transmit(from.link, from.side, bytes, end);
    conduit& to = from.out();
    duration takes{};
    if (from.link->tcp) takes = world_.choose_delay(journeys, labels::how_long_under_way);
    const time_point when = std::max(world_.now + takes, to.last_arrival);
    const auto arrive = [](conduit& c, std::size_t n, bool last) {
        c.arrive(n);
        if (last) c.end();
    };
    if (when <= world_.now) {
        arrive(to, bytes, end);
        return;
    }
    to.last_arrival = when;
    world_.later.enter(
        when, [held = from.link, side = 1 - from.side, bytes, end, arrive] { arrive(held->to[side], bytes, end); });
}

void network::end_sending(endpoint& e) {
    if (e.no_more_writing) return;
    e.no_more_writing = true;
    if (e.other() || e.link->far) carry(e, 0, true);
}

/// The other side broke off: what had arrived can be read, then comes the error, once, then the end.
void network::reset(endpoint& told, int error) {
    told.error = error;
    told.no_more_reading = told.no_more_writing = true;
    told.in().lose_what_is_under_way();
}

void network::close_stream(endpoint& e) {
    endpoint* const other = e.other();
    const bool unread = e.in().readable() > 0;
    if (e.link->far) return close_far_stream(e, e.reset_on_close || unread);
    if (other && e.link->tcp && (e.reset_on_close || unread)) {
        reset(*other, other->in().end_arrived() ? EPIPE : ECONNRESET);
    } else if (other && e.kind != endpoint_kind::reading_pipe) {
        end_sending(e);
        if (unread && !e.link->tcp) other->error = ECONNRESET; // unix(7)
    }
    e.link->ends[e.side] = nullptr;
}

} // namespace rondo::sim::detail
