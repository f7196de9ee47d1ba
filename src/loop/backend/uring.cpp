#include "loop/backend/uring.hpp"

#include <rondo/coro/debug.hpp>

#include "loop/backend/perform.hpp"
#include "loop/backend/uring_request.hpp"
#include "loop/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <new>
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
constexpr std::uint16_t in_done = 8;         // stands in done_
constexpr std::uint16_t was_emptied = 16;    // the last recv() left nothing: the next one need not try before it waits
constexpr std::uint16_t performed_here = 32; // the request is a poll; the call is made when it has completed
constexpr std::uint16_t kept = was_emptied;

/// A send of so much is tried at once: its bytes are still in the processor's caches, and a system call is little beside copying
/// them. What finds no room is the ring's; until that has completed op.result is what was sent.
constexpr std::size_t large_send = std::size_t{32} * 1024;

bool is_tried_first(const operation& op) noexcept {
    switch (op.kind) {
    case operation_kind::send: return op.size >= large_send;
    case operation_kind::sendfile: return true;
    case operation_kind::connect: return op.address->sa_family == AF_UNIX;
    default: return false;
    }
}

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
    op.result = 0;
    if (op.kind != operation_kind::recv && is_tried_first(op)) [[unlikely]] {
        // A Unix connection is made or refused at once. Left to the ring, a full backlog (EAGAIN) would be tried in circles.
        const std::int64_t result = perform(op, false);
        if (result != would_block || op.kind == operation_kind::connect) {
            op.result = result;
            return true;
        }
    }
    tell_host();
    op.phase = operation::state::submitted;
    op.note &= kept;
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

/// Small receives are given a block by the kernel, when there are bytes. A large one is a poll and then a call, which takes the
/// block that was freed last: it is still in the processor's caches.
bool uring_backend::selects_block(const operation& op) noexcept {
    if (op.size > uring_blocks::block_bytes || !ring_->bound()) return false;
    if (!blocks_) blocks_.reset(new (std::nothrow) uring_blocks(ring_->fd()));
    return blocks_ && blocks_->usable();
}

bool uring_backend::request(operation& op) noexcept {
    io_uring_sqe* sqe = entry();
    if (!sqe) return false;
    if (wants_block(op) && !selects_block(op)) op.note |= polls_first | performed_here;
    if (op.note & polls_first) io_uring_prep_poll_add(sqe, op.fd, waits_to_write(op) ? POLLOUT : POLLIN);
    else prepare_request(sqe, op, (op.note & was_emptied) && ring_->can_poll_first());
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
        finish(op, cancelled_result(op));
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
    if (blocks_ && blocks_->usable()) blocks_->refill();
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
    received_ = 0;
    do {
        // No more than were there: what these submit may complete at once, and has its turn in the next wait().
        for (unsigned left = ring_->completions_ready(); left > 0 && received_ < received_at_once; --left) {
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
    } while (received_ < received_at_once && ring_->overflowed() && ring_->enter(duration::zero()) == 0);
}

/// What the ring leaves to us. would_block, or the result.
std::int64_t uring_backend::perform_now(operation& op) noexcept {
    const std::int64_t result = perform(op, true);
    if (wants_block(op) || op.kind != operation_kind::recv || result <= 0) return result;
    received_ += static_cast<std::size_t>(result);
    return result;
}

void uring_backend::on_completion(operation& op, std::int32_t result, std::uint32_t flags) noexcept {
    in_flight_.erase(op);
    if (flags & IORING_CQE_F_BUFFER) take_block(op, result, flags);
    const bool usual = result >= 0 && op.phase == operation::state::submitted && (op.note & ~kept) == 0 &&
                       op.result == 0 && !is_polled_for(op) && !calling_back_;
    if (!usual) [[unlikely]] {
        on_unusual_completion(op, result, flags);
        return;
    }
    if (op.kind == operation_kind::recv && result > 0)
        op.note = flags & IORING_CQE_F_SOCK_NONEMPTY ? std::uint16_t{0} : was_emptied;
    op.phase = operation::state::idle;
    op.result = result;
    op.complete(op);
}

void uring_backend::take_block(operation& op, std::int32_t result, std::uint32_t flags) noexcept {
    std::byte* const block = blocks_->take(flags >> IORING_CQE_BUFFER_SHIFT);
    if (result > 0) op.buffer = block;
    else free_buffer(block, uring_blocks::block_bytes);
}

/// Not done yet, called back, or done by more than one request.
void uring_backend::on_unusual_completion(operation& op, std::int64_t result, std::uint32_t flags) noexcept {
    if (op.note & cancel_unsent) --cancels_to_send_;
    const bool performs = (op.note & performed_here) || is_polled_for(op);
    const bool polled = (op.note & polls_first) || performs;
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
        const bool no_block = result == -ENOBUFS && wants_block(op);
        if (no_block && blocks_) blocks_->ran_dry();
        if (no_block || (retry && result > 0 && performs)) {
            const std::int64_t moved = perform_now(op);
            retry = moved == would_block;
            if (!retry) result = moved;
        }
        if (retry || not_ready) {
            op.note = not_ready || (polled && result < 0) ? polls_first : std::uint16_t{0};
            if (no_block) op.note = was_emptied; // it waits before it asks for one
            start(op);
            return;
        }
    } else if (polled || result == -EINTR || result == -EAGAIN || (result == -ENOBUFS && wants_block(op))) {
        result = -ECANCELED;
    }
    if (op.kind == operation_kind::recv && result > 0)
        op.note = flags & IORING_CQE_F_SOCK_NONEMPTY ? std::uint16_t{0} : was_emptied;
    if (op.result > 0) result = op.result + std::max<std::int64_t>(result, 0);
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
        ring_.reset();
        blocks_.reset();
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
        if (op.phase == operation::state::cancelling) finish(op, cancelled_result(op));
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
