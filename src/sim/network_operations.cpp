// Operations: submitted, cancelled, completed.
#include "loop/backend/perform.hpp"
#include "sim/labels.hpp"
#include "sim/network.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace rondo::sim::detail {

namespace {

using rondo::detail::operation_kind;
using rondo::detail::would_block;

constexpr std::uint16_t is_done = 1; // operation::note: stands in done_

direction direction_of(const operation& op) noexcept {
    switch (op.kind) {
    case operation_kind::write:
    case operation_kind::send:
    case operation_kind::sendmsg:
    case operation_kind::connect: return writing;
    case operation_kind::poll: return op.flags & POLLOUT ? writing : reading;
    case operation_kind::read:
    case operation_kind::recv:
    case operation_kind::recvmsg:
    case operation_kind::accept:
    case operation_kind::sendfile:
    case operation_kind::open:
    case operation_kind::close:
    case operation_kind::fsync: break;
    }
    return reading;
}

/// Descriptors and credentials beside the bytes (cmsg(3)).
bool has_ancillary_data(const operation& op) noexcept {
    return op.kind == operation_kind::sendmsg && op.message->msg_controllen > 0;
}

/// Whoever waits to be told of readiness holds nobody back.
bool may_go_first(const rondo::detail::operation_list& waiting, const operation& op) noexcept {
    if (op.kind == operation_kind::poll) return true;
    for (const operation* other = waiting.front(); other; other = other->next) {
        if (other->kind != operation_kind::poll) return false;
    }
    return true;
}

std::uint64_t key_of(const operation& op) noexcept {
    return static_cast<std::uint64_t>(op.fd) << 8 | static_cast<std::uint64_t>(op.kind);
}

} // namespace

bool network::submit(operation& op) {
    const allocating_for_the_world own;
    op.result = 0;
    endpoint* e = find(op.fd);
    const auto done_with = [&](std::int64_t result) {
        op.result = result;
        world_.choices.trace(key_of(op) ^ mixed(static_cast<std::uint64_t>(result)));
        return true;
    };
    if (op.kind == operation_kind::sendfile)
        return done_with(-EINVAL); // of no file here: the program reads it and sends
    if (!e) return done_with(-EBADF);
    if (has_ancillary_data(op)) return done_with(world_.missing("descriptors sent over sockets"));
    if (op.offset != static_cast<std::uint64_t>(-1) &&
        (op.kind == operation_kind::read || op.kind == operation_kind::write))
        return done_with(-ESPIPE);
    auto& waiting = e->waiting[direction_of(op)];
    if (op.kind == operation_kind::connect) {
        const std::int64_t result = begin_connect(*e, socket_name(op.address, op.address_size));
        if (result != would_block) return done_with(result);
    } else if (may_go_first(waiting, op) && is_able(*e, op) &&
               !world_.choose_if(world_.faults.latency, 2, labels::completes_later)) {
        const std::int64_t result = perform(*e, op);
        if (result != would_block) return done_with(result);
    }
    op.phase = operation::state::submitted;
    op.note = 0;
    waiting.push_back(op);
    ++pending_;
    return false;
}

void network::finish(operation& op, std::int64_t result) noexcept {
    op.result = result;
    op.note = is_done;
    done_.push_back(op);
}

void network::settle(operation& op, std::int64_t result) noexcept {
    ++pending_;
    finish(op, result);
}

void network::cancel(operation& op) {
    const allocating_for_the_world own;
    if (op.phase != operation::state::submitted) return;
    op.phase = operation::state::cancelling;
    if (op.note == is_done) return;
    endpoint& e = *find(op.fd);
    std::int64_t result = would_block;
    if (is_able(e, op) && world_.choose_if(world_.faults.races, 2, labels::done_all_the_same)) result = perform(e, op);
    if (result == would_block) result = op.result > 0 ? op.result : -ECANCELED;
    e.waiting[direction_of(op)].erase(op);
    std::ranges::replace(due_, &op, nullptr);
    finish(op, result);
}

bool network::has_completions() const noexcept {
    if (!done_.empty()) return true;
    if (pending_ == 0) return false;
    return std::ranges::any_of(endpoints_, [this](const auto& e) {
        if (!e) return false;
        return std::ranges::any_of(
            e->waiting, [&](const auto& waiting) { return !waiting.empty() && is_able(*e, *waiting.front()); });
    });
}

/// What becomes able meanwhile waits for the next time.
void network::complete() {
    if (pending_ == 0) return;
    due_.clear();
    for (operation* op = done_.front(); op; op = op->next) due_.push_back(op);
    for (const auto& e : endpoints_) {
        if (!e) continue;
        for (const auto& waiting : e->waiting) {
            bool served = false; // of those that move bytes, one
            for (operation* op = waiting.front(); op; op = op->next) {
                if (op->kind != operation_kind::poll && std::exchange(served, true)) continue;
                if (!is_able(*e, *op)) continue;
                if (e.use_count() > 1 && std::ranges::find(due_, op) != due_.end()) continue; // duplicate()
                due_.push_back(op);
            }
        }
    }
    const bool may_reorder = world_.faults.order;
    std::size_t left = world_.choose_if(may_reorder, static_cast<std::uint32_t>(due_.size()), labels::how_many_left);
    for (;;) {
        std::erase(due_, nullptr);
        if (due_.size() <= left) break;
        std::uint32_t first = 0;
        if (may_reorder) {
            keys_.clear();
            for (const operation* op : due_) keys_.push_back(key_of(*op));
            first = world_.choices.choose_order(keys_, labels::which_first);
        }
        operation& op = *due_[first];
        due_.erase(due_.begin() + first);
        deliver(op);
    }
    due_.clear();
}

void network::deliver(operation& op) {
    if (op.note == is_done) {
        done_.erase(op);
        op.note = 0;
    } else {
        endpoint& e = *find(op.fd);
        const std::int64_t result = perform(e, op);
        if (result == would_block) return; // another one took it, or a part was done
        op.result = result;
        e.waiting[direction_of(op)].erase(op);
    }
    --pending_;
    op.phase = operation::state::idle;
    world_.choices.trace(key_of(op) ^ mixed(static_cast<std::uint64_t>(op.result)));
    const allocating_for run(world_.watches());
    op.complete(op);
}

void network::cancel_all() {
    const allocating_for_the_world own;
    while (pending_ > 0) {
        for (const auto& e : endpoints_) {
            if (!e) continue;
            for (auto& waiting : e->waiting) {
                while (!waiting.empty()) cancel(*waiting.front());
            }
        }
        complete();
    }
}

} // namespace rondo::sim::detail
