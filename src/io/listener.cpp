#include "io/listener.hpp"

#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/socket.h>

namespace rondo::detail {

namespace {

constexpr duration pause_after_failure = std::chrono::seconds(1); // asyncio's ACCEPT_RETRY_DELAY

/// The connection failed, not the listener: accept(2) reports errors that were waiting on the new socket.
bool concerns_one_connection(std::int64_t result) noexcept {
    switch (-result) {
    case ECONNABORTED:
    case EINTR:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
    }
}

} // namespace

listener::listener(event_loop& loop, accept_sink& sink, int fd, address where) noexcept
    : loop_(loop), backend_(loop_access::backend(loop)), sink_(sink), fd_(fd), where_(std::move(where)) {
    for (slot& s : slots_) {
        s.owner = this;
        s.fd = fd;
    }
}

listener::~listener() {
    assert(!any_pending());
    close();
}

int listener::start(int backlog) noexcept {
    const int result = backend_.os().listen(fd_, backlog);
    if (result < 0) return result;
    backlog_ = backlog;
    accept_all();
    return 0;
}

void listener::accept_all() noexcept {
    accepting_ = true;
    for (slot& s : slots_) {
        if (accepting_ && !timer_.armed() && !s.pending()) accept(s);
    }
}

void listener::accept(slot& s) noexcept {
    // What a backend gives at once is taken as long as the kernel's queue can be, then others have their turn.
    for (int taken = 0; accepting_ && taken <= backlog_; ++taken) {
        s.peer.make_room();
        s.address = s.peer.get();
        s.address_size = s.peer.size;
        sink_.note_pending(+1);
        if (!backend_.submit(s)) return;
        take(s);
        sink_.note_pending(-1);
    }
    if (accepting_ && !timer_.armed()) arm_timer(loop_, timer_, loop_.time());
}

void listener::take(slot& s) noexcept {
    if (s.result < 0) {
        if (!accepting_ || s.result == -ECANCELED || concerns_one_connection(s.result)) return;
        pause();
        sink_.accept_failed(static_cast<int>(-s.result), *this);
        return;
    }
    const int fd = static_cast<int>(s.result);
    if (closed_) {
        backend_.os().close(fd);
        return;
    }
    s.peer.size = s.address_size;
    sink_.accepted(fd, s.peer.to_address());
}

void listener::completed(operation& op) noexcept {
    auto& s = static_cast<slot&>(op);
    listener& self = *s.owner;
    accept_sink& sink = self.sink_;
    self.take(s);
    if (self.accepting_ && !self.timer_.armed()) self.accept(s); // otherwise others have their turn first
    else if (self.closed_) self.close_descriptor();
    sink.note_pending(-1);
}

/// The other accepts would fail in the same way, each with a report.
void listener::pause() noexcept {
    accepting_ = false;
    for (slot& s : slots_) backend_.cancel(s);
    disarm_timer(loop_, timer_);
    arm_timer(loop_, timer_, loop_.time() + pause_after_failure);
}

void listener::retry_timer::rings(timer_node& node, event_loop&) noexcept {
    static_cast<retry_timer&>(node).owner.accept_all();
}

bool listener::any_pending() const noexcept {
    return std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.pending(); });
}

void listener::close() noexcept {
    if (closed_) return;
    closed_ = true;
    accepting_ = false;
    disarm_timer(loop_, timer_);
    for (slot& s : slots_) backend_.cancel(s);
    backend_.os().shutdown(fd_, SHUT_RD); // while an accept is being called back the descriptor would still listen
    close_descriptor();
}

void listener::close_descriptor() noexcept {
    if (fd_ >= 0 && !any_pending()) backend_.os().close(std::exchange(fd_, -1));
}

} // namespace rondo::detail
