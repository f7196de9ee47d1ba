#include "loop/backend/uring.hpp"

#include <rondo/coro/debug.hpp>

#include "loop/backend/perform.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

// user_data of what is not an operation: operations have even addresses.
constexpr std::uint64_t wake_data = 1;
constexpr std::uint64_t cancel_data = 3;

operation& operation_of(std::uint64_t user_data) noexcept { return *std::bit_cast<operation*>(user_data); }

// operation::note
constexpr std::uint16_t in_backlog = 1;
constexpr std::uint16_t polls_first = 2; // the request is a poll, after EAGAIN; the operation itself comes after it
constexpr std::uint16_t cancel_unsent = 4;
constexpr std::uint16_t in_done = 8;      // stands in done_
constexpr std::uint16_t was_emptied = 16; // the last recv() left nothing: the next one need not try before it waits
constexpr std::uint16_t kept = was_emptied;

constexpr std::size_t longest_transfer = 0x7ffff000; // MAX_RW_COUNT: the kernel moves no more at once

unsigned length(const operation& op) noexcept { return static_cast<unsigned>(std::min(op.size, longest_transfer)); }

bool waits_to_write(const operation& op) noexcept {
    return op.kind == operation_kind::write || op.kind == operation_kind::send || op.kind == operation_kind::sendmsg ||
           op.kind == operation_kind::connect || op.kind == operation_kind::sendfile;
}

/// The ring has no sendfile: it polls, and the call is made when there is room.
bool is_polled_for(const operation& op) noexcept { return op.kind == operation_kind::sendfile; }

/// EAGAIN says that its descriptor is not ready. To open() it is an error like any other.
bool waits_for_readiness(const operation& op) noexcept {
    return op.kind != operation_kind::connect && op.kind != operation_kind::open;
}

void prepare(io_uring_sqe* sqe, operation& op, bool poll_first) noexcept {
    const unsigned flags = op.flags & ~unsigned{MSG_DONTWAIT}; // the ring never makes the thread wait
    switch (op.kind) {
    case operation_kind::poll: io_uring_prep_poll_add(sqe, op.fd, op.flags); break;
    case operation_kind::read: io_uring_prep_read(sqe, op.fd, op.buffer, length(op), op.offset); break;
    case operation_kind::write: io_uring_prep_write(sqe, op.fd, op.data, length(op), op.offset); break;
    case operation_kind::recv:
        io_uring_prep_recv(sqe, op.fd, op.buffer, length(op), static_cast<int>(flags));
        if (poll_first) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
        break;
    case operation_kind::send:
        io_uring_prep_send(sqe, op.fd, op.data, length(op), static_cast<int>(flags | MSG_NOSIGNAL));
        break;
    case operation_kind::recvmsg: io_uring_prep_recvmsg(sqe, op.fd, op.message, flags); break;
    case operation_kind::sendmsg: io_uring_prep_sendmsg(sqe, op.fd, op.message, flags | MSG_NOSIGNAL); break;
    case operation_kind::accept:
        io_uring_prep_accept(sqe, op.fd, op.address, op.address ? &op.address_size : nullptr,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case operation_kind::connect: io_uring_prep_connect(sqe, op.fd, op.address, op.address_size); break;
    case operation_kind::sendfile: io_uring_prep_poll_add(sqe, op.fd, POLLOUT); break;
    case operation_kind::open:
        io_uring_prep_openat(sqe, AT_FDCWD, static_cast<const char*>(op.data), static_cast<int>(op.flags),
                             static_cast<::mode_t>(op.size));
        break;
    case operation_kind::close: io_uring_prep_close(sqe, op.fd); break;
    case operation_kind::fsync: io_uring_prep_fsync(sqe, op.fd, op.flags ? IORING_FSYNC_DATASYNC : 0); break;
    }
}

[[noreturn]] void stop_process(const std::string& why) {
    report_line("an event loop cannot go on: " + why);
    std::abort();
}

} // namespace

uring_backend::uring_backend(ring_options options)
    : options_(options), ring_(std::make_unique<uring_ring>(options)), process_(::getpid()) {}

uring_backend::~uring_backend() {
    assert(in_flight_.empty() && backlog_.empty() && done_.empty());
    if (work_descriptor_ >= 0) ::close(work_descriptor_);
}

bool uring_backend::submit(operation& op) noexcept {
    assert(!op.pending());
    // A Unix connection is made or refused at once. Left to the ring, a full backlog (EAGAIN) would be tried in circles.
    if (op.kind == operation_kind::connect && op.address->sa_family == AF_UNIX) {
        op.result = perform(op, false);
        return true;
    }
    if (is_polled_for(op)) {
        op.result = perform(op, false);
        if (op.result != would_block) return true;
    }
    tell_host();
    op.phase = operation::state::submitted;
    op.note &= kept;
    op.result = 0;
    start(op);
    return false;
}

void uring_backend::start(operation& op) noexcept {
    if (!calling_back_ && backlog_.empty() && request(op)) {
        in_flight_.push_back(op);
    } else {
        op.note |= in_backlog;
        backlog_.push_back(op);
    }
}

/// A free entry; null when the ring is full and the kernel takes nothing now.
io_uring_sqe* uring_backend::entry() noexcept {
    if (io_uring_sqe* sqe = ring_->next_entry()) return sqe;
    ring_->submit();
    return ring_->next_entry();
}

bool uring_backend::request(operation& op) noexcept {
    io_uring_sqe* sqe = entry();
    if (!sqe) return false;
    if (op.note & polls_first) io_uring_prep_poll_add(sqe, op.fd, waits_to_write(op) ? POLLOUT : POLLIN);
    else prepare(sqe, op, (op.note & was_emptied) && ring_->can_poll_first());
    io_uring_sqe_set_data(sqe, &op);
    return true;
}

bool uring_backend::request_cancel(operation& op) noexcept {
    io_uring_sqe* sqe = entry();
    if (!sqe) return false;
    io_uring_prep_cancel(sqe, &op, 0);
    sqe->user_data = cancel_data;
    return true;
}

void uring_backend::request_wake() noexcept {
    io_uring_sqe* sqe = entry();
    if (!sqe) return;
    io_uring_prep_poll_add(sqe, wake_descriptor(), POLLIN);
    sqe->user_data = wake_data;
    wake_requested_ = true;
}

void uring_backend::cancel(operation& op) noexcept {
    if (op.phase != operation::state::submitted) return;
    tell_host();
    op.phase = operation::state::cancelling;
    if (op.note & in_done) return;
    if (op.note & in_backlog) {
        backlog_.erase(op);
        finish(op, -ECANCELED);
    } else if (!backlog_.empty() || !request_cancel(op)) {
        op.note |= cancel_unsent;
        ++cancels_to_send_;
    }
}

void uring_backend::finish(operation& op, std::int64_t result) noexcept {
    op.result = result;
    op.note = in_done;
    done_.push_back(op);
}

/// Gives the ring what it had no room for.
void uring_backend::catch_up() noexcept {
    if (!wake_requested_) request_wake();
    for (operation* op = cancels_to_send_ ? in_flight_.front() : nullptr; op; op = op->next) {
        if (!(op->note & cancel_unsent)) continue;
        if (!request_cancel(*op)) break;
        op->note &= static_cast<std::uint16_t>(~cancel_unsent);
        --cancels_to_send_;
    }
    while (!calling_back_ && !backlog_.empty() && request(*backlog_.front())) {
        operation& op = backlog_.pop_front();
        op.note &= static_cast<std::uint16_t>(~in_backlog);
        in_flight_.push_back(op);
    }
}

/// There is something to do without waiting.
bool uring_backend::is_busy() const noexcept {
    return ring_->completions_ready() > 0 || !done_.empty() || !backlog_.empty() || cancels_to_send_ > 0 ||
           !wake_requested_;
}

void uring_backend::wait(time_point until) noexcept {
    host_is_awake();
    catch_up();
    const duration timeout = is_busy() ? duration::zero() : time_left(until);
    if (timeout > duration::zero() || ring_->wants_enter()) enter(timeout);
    take_completions();
    deliver();
}

/// An eventfd that the ring counts into. Not the ring's own descriptor: with DEFER_TASKRUN that is not readable before the
/// work is done, which nobody asks for while the host sleeps. And the wake-up descriptor itself: the kernel delays what one
/// eventfd causes in another.
int uring_backend::show_work(host_descriptor& to) noexcept {
    if (work_descriptor_ < 0) work_descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (work_descriptor_ < 0) return -errno;
    const int error = to.watch(work_descriptor_);
    return error ? error : to.watch(wake_descriptor());
}

void uring_backend::announce(time_point until) noexcept {
    std::uint64_t count = 0;
    const bool was_told = ::read(work_descriptor_, &count, sizeof count) > 0;
    catch_up();
    if (ring_->wants_enter() || !ring_->bound()) enter(duration::zero());
    // Told once, it is asked anew: Linux 6.18 tells only once of what an eventfd (a program's own, say) has caused.
    if (was_told) ring_->tell_of_work(-1);
    const bool will_tell = ring_->tell_of_work(work_descriptor_); // otherwise the host has to come and look
    let_host_sleep(!will_tell || is_busy() || ring_->wants_enter() ? time_point::min() : until);
}

void uring_backend::enter(duration timeout) noexcept {
    if (!ring_->bound()) watch_this_thread();
    switch (const int error = ring_->enter(timeout)) {
    case 0:
    case -ETIME:
    case -EINTR:
    case -EAGAIN: // no memory, or completions have to be fetched, before the kernel takes more
    case -EBUSY: break;
    case -EEXIST: take_over(); break;
    default: stop_process("io_uring does not work any more: " + std::generic_category().message(-error));
    }
}

void uring_backend::take_completions() noexcept {
    do {
        // No more than were there: what these submit may complete at once, and has its turn in the next wait().
        for (unsigned left = ring_->completions_ready(); left > 0; --left) {
            const completion c = ring_->take_completion();
            if (c.user_data == cancel_data) continue;
            if (c.user_data == wake_data) {
                std::uint64_t count = 0;
                [[maybe_unused]] const ssize_t got = ::read(wake_descriptor(), &count, sizeof count);
                wake_requested_ = false;
            } else {
                on_completion(operation_of(c.user_data), c.result, c.flags);
            }
        }
        // The kernel kept what found no room, and hands it over when there is some.
    } while (ring_->overflowed() && ring_->enter(duration::zero()) == 0);
}

void uring_backend::on_completion(operation& op, std::int32_t result, std::uint32_t flags) noexcept {
    in_flight_.erase(op);
    if (op.note & cancel_unsent) --cancels_to_send_;
    const bool polled = (op.note & polls_first) || is_polled_for(op);
    op.note &= kept;
    if (op.phase == operation::state::submitted) {
        bool retry = result == -EINTR ||     // the kernel's worker thread was interrupted
                     result == -ECANCELED || // called back, or its thread has ended
                     (polled && result > 0);
        const bool not_ready = result == -EAGAIN && waits_for_readiness(op); // O_NONBLOCK, in some kernels
        if (result == -EINTR && op.kind == operation_kind::close) {          // it is closed all the same
            retry = false;
            result = 0;
        }
        if (retry && result > 0 && is_polled_for(op)) {
            const std::int64_t sent = perform(op, true);
            retry = sent == would_block;
            if (!retry) result = static_cast<std::int32_t>(sent); // at most longest_transfer
        }
        if (retry || not_ready) {
            op.note = not_ready || (polled && result < 0) ? polls_first : std::uint16_t{0};
            start(op);
            return;
        }
    } else if (polled || result == -EINTR || result == -EAGAIN) {
        result = -ECANCELED;
    }
    if (op.kind == operation_kind::recv && result > 0)
        op.note = flags & IORING_CQE_F_SOCK_NONEMPTY ? std::uint16_t{0} : was_emptied;
    if (calling_back_) {
        finish(op, result);
        return;
    }
    op.phase = operation::state::idle;
    op.result = result;
    op.complete(op);
}

/// What complete() adds to done_ waits for the next wait().
void uring_backend::deliver() noexcept {
    for (operation_list done = std::exchange(done_, {}); !done.empty();) {
        operation& op = done.pop_front();
        op.note = 0;
        op.phase = operation::state::idle;
        op.complete(op);
    }
}

void uring_backend::drain() noexcept {
    while (!in_flight_.empty() || !backlog_.empty() || !done_.empty()) {
        while (!backlog_.empty()) cancel(*backlog_.front());
        for (operation* op = in_flight_.front(); op; op = op->next) cancel(*op);
        wait(time_point::max());
    }
}

void uring_backend::abandon() noexcept {
    for (operation_list* operations : {&in_flight_, &backlog_, &done_}) {
        while (!operations->empty()) operations->pop_front().phase = operation::state::idle;
    }
    cancels_to_send_ = 0;
    unwatch();
    ring_->abandon();
    if (work_descriptor_ >= 0) ::close(std::exchange(work_descriptor_, -1));
    close_descriptors();
}

void uring_backend::renew_ring() noexcept {
    try {
        ring_ = std::make_unique<uring_ring>(options_);
    } catch (const std::exception& e) {
        stop_process(e.what());
    }
    wake_requested_ = false;
}

/// The ring is another thread's.
void uring_backend::take_over() noexcept {
    take_completions();
    operation_list unsubmitted;
    ring_->for_each_unsubmitted([&](std::uint64_t user_data) {
        if (user_data == wake_data || user_data == cancel_data) return;
        auto& op = operation_of(user_data);
        in_flight_.erase(op);
        unsubmitted.push_back(op);
    });
    if (!in_flight_.empty())
        stop_process(
            "it was handed to another thread while operations were in flight, which only the first thread can fetch; "
            "let that one end first, or set RONDO_BACKEND=epoll");
    renew_ring();
    while (!unsubmitted.empty()) {
        operation& op = unsubmitted.pop_front();
        if (op.note & cancel_unsent) --cancels_to_send_;
        if (op.phase == operation::state::cancelling) finish(op, -ECANCELED);
        else start(op);
    }
}

void uring_backend::on_thread_end() noexcept {
    if (process_ != ::getpid()) return; // a forked child, where the ring is not
    calling_back_ = true;
    for (operation* op = in_flight_.front(); op; op = op->next) {
        if (op->phase != operation::state::submitted) continue;
        op->note |= cancel_unsent;
        ++cancels_to_send_;
    }
    while (!in_flight_.empty()) {
        catch_up();
        enter(longest_wait);
        take_completions();
    }
    calling_back_ = false;
    renew_ring();
    tell_host();
}

} // namespace rondo::detail
