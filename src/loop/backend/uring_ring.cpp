#include "loop/backend/uring_ring.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace rondo::detail {

namespace {

constexpr unsigned required_features = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_RW_CUR_POS |
                                       IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG;

constexpr unsigned one_thread = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_R_DISABLED;
constexpr unsigned quiet = IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL;
constexpr std::array<unsigned, 4> ways = {
    one_thread | quiet | IORING_SETUP_DEFER_TASKRUN,
    one_thread | quiet | IORING_SETUP_COOP_TASKRUN,
    quiet | IORING_SETUP_COOP_TASKRUN,
    0,
};

[[noreturn]] void fail(int error, const char* what) { throw std::system_error(error, std::system_category(), what); }

/// A new ring may lie where another thread's ring has been. The kernel orders the two, but liburing maps and unmaps them out
/// of ThreadSanitizer's sight, which would see that thread's last writes race with this one's first: so the order is shown
/// to it here.
void show_order_of_rings() noexcept {
    static std::atomic<unsigned> made_and_ended{0};
    made_and_ended.fetch_add(1, std::memory_order_acq_rel);
}

/// Never used twice, unlike a thread's id or the address of its thread-locals.
std::uint64_t this_thread() noexcept {
    static std::atomic<std::uint64_t> last{0};
    constinit thread_local std::uint64_t number = 0;
    if (!number) number = ++last;
    return number;
}

} // namespace

uring_ring::uring_ring(ring_options options) {
    int error = -EINVAL;
    io_uring_params parameters{};
    for (std::size_t i = options.age; error == -EINVAL && i < ways.size(); ++i) {
        flags_ = ways[i];
        parameters = io_uring_params{};
        parameters.flags = flags_ | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        parameters.cq_entries = options.completions;
        error = io_uring_queue_init_params(options.submissions, &ring_, &parameters);
    }
    if (error < 0) fail(-error, "io_uring cannot be set up");
    if ((parameters.features & required_features) != required_features) {
        io_uring_queue_exit(&ring_);
        fail(EOPNOTSUPP, "io_uring of this kernel lacks a feature: Linux 5.11 or later is needed");
    }
    show_order_of_rings();
    for (unsigned i = 0; i < ring_.sq.ring_entries; ++i)
        ring_.sq.array[i] = i; // entries are used in the order of the queue
    // A forked child must not have the rings: it would share them with its parent.
    if (const int unmarked = io_uring_ring_dontfork(&ring_); unmarked < 0) {
        io_uring_queue_exit(&ring_);
        fail(-unmarked, "io_uring's memory cannot be kept from forked children");
    }
}

uring_ring::~uring_ring() {
    if (ring_.ring_fd < 0) return;
    show_order_of_rings();
    if (registered_ >= 0 && thread_ == this_thread()) {
        io_uring_rsrc_update update{.offset = static_cast<unsigned>(registered_), .resv = 0, .data = 0};
        io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_UNREGISTER_RING_FDS, &update, 1);
    }
    io_uring_queue_exit(&ring_);
}

void uring_ring::abandon() noexcept { ::close(std::exchange(ring_.ring_fd, -1)); }

/// The first use: binds the ring to this thread.
int uring_ring::start() noexcept {
    if (flags_ & IORING_SETUP_R_DISABLED) {
        // Not io_uring_enable_rings(): liburing 2.3 declares it and does not export it.
        const int error =
            io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
        if (error < 0) return error;
    }
    thread_ = this_thread();
    io_uring_rsrc_update update{.offset = ~0u, .resv = 0, .data = static_cast<std::uint64_t>(ring_.ring_fd)};
    if (io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_RING_FDS, &update, 1) == 1)
        registered_ = static_cast<int>(update.offset);
    return 0;
}

/// Shows the kernel the entries that were filled in. Their number, with those that it left lying last time.
unsigned uring_ring::filled() noexcept {
    io_uring_sq& sq = ring_.sq;
    sq.sqe_head = sq.sqe_tail;
    io_uring_smp_store_release(sq.ktail, sq.sqe_tail);
    return sq.sqe_tail - io_uring_smp_load_acquire(sq.khead);
}

int uring_ring::call(unsigned to_submit, unsigned wait_for, unsigned flags, void* argument, std::size_t size) noexcept {
    if (!thread_) {
        if (const int error = start(); error < 0) return error;
    }
    const bool mine = thread_ == this_thread();
    if (!mine && (flags_ & IORING_SETUP_SINGLE_ISSUER)) return -EEXIST;
    const bool by_index = mine && registered_ >= 0;
    if (by_index) flags |= IORING_ENTER_REGISTERED_RING;
    const int fd = by_index ? registered_ : ring_.ring_fd;
    const int result =
        io_uring_enter2(static_cast<unsigned>(fd), to_submit, wait_for, flags, static_cast<sigset_t*>(argument), size);
    return result < 0 ? result : 0;
}

int uring_ring::enter(duration timeout) noexcept {
    const unsigned to_submit = filled();
    if (timeout <= duration::zero()) return call(to_submit, 0, IORING_ENTER_GETEVENTS, nullptr, 0);
    __kernel_timespec t{.tv_sec = timeout / std::chrono::seconds(1),
                        .tv_nsec = (timeout % std::chrono::seconds(1)).count()};
    io_uring_getevents_arg argument{
        .sigmask = 0, .sigmask_sz = 0, .pad = 0, .ts = reinterpret_cast<std::uintptr_t>(&t)};
    return call(to_submit, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
}

bool uring_ring::tell_of_work(int eventfd) noexcept {
    if (told_ == eventfd) return true;
    const auto fd = static_cast<unsigned>(ring_.ring_fd);
    if (told_ >= 0) io_uring_register(fd, IORING_UNREGISTER_EVENTFD, nullptr, 0);
    const bool done = eventfd < 0 || io_uring_register(fd, IORING_REGISTER_EVENTFD, &eventfd, 1) == 0;
    told_ = done ? eventfd : -1;
    return done;
}

int uring_ring::submit() noexcept { return bound() ? call(filled(), 0, 0, nullptr, 0) : -EAGAIN; }

bool uring_ring::wants_enter() const noexcept {
    return io_uring_sq_ready(&ring_) > 0 || (kernel_flags() & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN));
}

completion uring_ring::take_completion() noexcept {
    const io_uring_cq& cq = ring_.cq;
    const io_uring_cqe& entry = cq.cqes[*cq.khead & *cq.kring_mask];
    const completion copy{.user_data = entry.user_data, .result = entry.res, .flags = entry.flags};
    io_uring_cq_advance(&ring_, 1);
    return copy;
}

} // namespace rondo::detail
