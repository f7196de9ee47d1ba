// Connections between hosts: what is lost on the way is sent again, until somebody answers or it has been tried often enough.
#include "sim/journeys.hpp"
#include "sim/labels.hpp"
#include "sim/network.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

namespace rondo::sim::detail {

namespace {

using namespace std::chrono_literals;
using rondo::detail::operation_kind;

constexpr duration first_wait = 200ms;  // TCP_RTO_MIN of Linux
constexpr duration longest_wait = 120s; // TCP_RTO_MAX
constexpr int most_tries = 15;          // tcp(7): tcp_retries2, 924.6 s in all

duration wait_before(int n) noexcept { return n > 9 ? longest_wait : std::min(first_wait * (1 << n), longest_wait); }

} // namespace

/// What this side sends is acknowledged, or refused.
bool network::is_answered(const link& l, std::size_t side) const noexcept {
    return world_.hosts.answers(*l.hosts[side], *l.hosts[1 - side]);
}

void network::transmit(const std::shared_ptr<link>& by, std::size_t side, std::size_t bytes, bool end) {
    unanswered& sent = by->sent[side];
    if (sent.bytes > 0 || sent.end) { // behind what is to be sent again
        sent.bytes += bytes;
        sent.end = sent.end || end;
        return;
    }
    const duration away = world_.hosts.latency(*by->hosts[side], *by->hosts[1 - side]);
    const duration takes = away + world_.choose_delay(journeys, labels::how_long_under_way);
    conduit& to = by->to[1 - side];
    const time_point when = std::max(world_.now + takes, to.last_arrival);
    if (when <= world_.now) return arrive(by, side, bytes, end);
    to.last_arrival = when;
    world_.later.enter(when, [this, by, side, bytes, end] { arrive(by, side, bytes, end); });
}

void network::arrive(const std::shared_ptr<link>& by, std::size_t side, std::size_t bytes, bool end) {
    unanswered& sent = by->sent[side];
    const host_state& from = *by->hosts[side];
    const host_state& to = *by->hosts[1 - side];
    const bool in_turn = sent.bytes == 0 && !sent.end;
    endpoint* const receiver = by->forgotten[1 - side] ? nullptr : by->ends[1 - side];
    const bool heard = in_turn && to.up && world_.hosts.is_open(from, to);
    if (heard && receiver) {
        by->to[1 - side].arrive(bytes);
        if (end) by->to[1 - side].end();
    } else if (heard && is_answered(*by, side)) {
        if (bytes == 0 && !by->forgotten[1 - side]) return; // an end that comes to one that has closed
        if (endpoint* const sender = by->ends[side]) reset(*sender, by->to[side].end_arrived() ? EPIPE : ECONNRESET);
        return forget_side(*by, side);
    } else if (!by->forgotten[side]) { // lost; the dead do not send again
        sent.bytes += bytes;
        sent.end = sent.end || end;
    }
    if (!heard || !is_answered(*by, side)) wait_for_answer(by, side);
}

void network::wait_for_answer(const std::shared_ptr<link>& by, std::size_t side) {
    unanswered& sent = by->sent[side];
    if (sent.waiting || by->forgotten[side]) return;
    sent.waiting = true;
    world_.later.enter(world_.now + wait_before(sent.tries), [this, by, side] { send_again(by, side); });
}

void network::send_again(const std::shared_ptr<link>& by, std::size_t side) {
    unanswered& sent = by->sent[side];
    sent.waiting = false;
    if (by->forgotten[side]) return;
    const std::size_t bytes = std::exchange(sent.bytes, 0);
    const bool end = std::exchange(sent.end, false);
    const int tries = std::exchange(sent.tries, 0);
    if (is_answered(*by, side)) return arrive(by, side, bytes, end);
    if (tries == most_tries) {
        if (endpoint* const sender = by->ends[side]) reset(*sender, ETIMEDOUT);
        return forget_side(*by, side);
    }
    sent.tries = tries + 1;
    arrive(by, side, bytes, end);
}

/// Whatever the other side says is refused from now on.
void network::forget_side(link& l, std::size_t side) {
    l.forgotten[side] = true;
    l.sent[side] = {.waiting = l.sent[side].waiting};
}

void network::close_far_stream(endpoint& e, bool broken) {
    link& l = *e.link;
    if (broken) {
        endpoint* const other = e.other();
        const bool comes = world_.hosts.is_open(*l.hosts[e.side], *l.hosts[1 - e.side]);
        if (other && comes && !l.forgotten[1 - e.side] && !l.forgotten[e.side]) {
            reset(*other, other->in().end_arrived() ? EPIPE : ECONNRESET);
            forget_side(l, 1 - e.side);
        }
        forget_side(l, e.side);
    } else if (!l.forgotten[e.side]) {
        end_sending(e);
    }
    l.ends[e.side] = nullptr;
}

/// Those who have begun to say something before the path was cut, and wait for room, ask whether there is any.
void network::paths_changed() {
    const allocating_for_the_world own;
    for (const auto& e : endpoints_) {
        if (!e || e->kind != endpoint_kind::stream || !e->link->far || e->waiting[writing].empty()) continue;
        if (!is_answered(*e->link, e->side)) wait_for_answer(e->link, e->side);
    }
}

void network::host_crashed(host_state& which) {
    const auto sever = [&](endpoint& e) {
        if (!e.link) return;
        forget_side(*e.link, e.side);
        e.link->ends[e.side] = nullptr;
        e.link.reset();
    };
    for (const auto& e : endpoints_) {
        if (!e || e->home.host != &which || e->kind == endpoint_kind::dead) continue;
        sever(*e);
        for (const auto& connection : e->arrived) sever(*connection);
        leave_file(*e);
        e->arrived.clear();
        e->inbox.clear();
        e->local = e->peer = {};
        e->connected.reset();
        e->was = std::exchange(e->kind, endpoint_kind::dead);
        --open_;
    }
    paths_changed();
}

void network::call_back_dead_operations() {
    struct call_back {
        operation* op;
        std::int64_t result;
    };
    std::vector<call_back> all;
    // A stream lets go of what it was given to send; others would tell their owners of an error.
    const auto end = [&](operation& op, const endpoint& e) {
        const bool of_a_stream = e.was >= endpoint_kind::stream && e.was <= endpoint_kind::writing_pipe;
        op.phase = operation::state::cancelling; // it is in no list
        op.note = 0;
        all.push_back({&op, of_a_stream && op.kind != operation_kind::poll ? -ENETDOWN : -ECANCELED});
    };
    {
        const allocating_for_the_world own;
        for (operation* op = done_.front(); op;) {
            operation& now = *std::exchange(op, op->next);
            const endpoint* const e = find(now.fd);
            if (!e || e->kind != endpoint_kind::dead) continue;
            done_.erase(now);
            end(now, *e);
        }
        for (const auto& e : endpoints_) {
            if (!e || e->kind != endpoint_kind::dead) continue;
            for (auto& waiting : e->waiting) {
                while (!waiting.empty()) end(waiting.pop_front(), *e);
            }
        }
    }
    for (const auto& [op, result] : all) {
        op->result = result;
        op->phase = operation::state::idle;
        --pending_;
        op->complete(*op); // which may begin it anew: then it waits until it is cancelled
    }
}

} // namespace rondo::sim::detail
