// An io_uring as the kernel gives it: memory shared with the kernel, and one system call.
#pragma once

#include <rondo/loop/clock.hpp>

#include <cstdint>
#include <liburing.h>

namespace rondo::detail {

struct ring_options {
    unsigned submissions = 1024;  // 64 KiB; a pass that submits more makes an extra system call for each 1024
    unsigned completions = 16384; // 256 KiB; what exceeds it waits in the kernel
    unsigned age = 0;             // for tests: does without what newer kernels have; up to 3
};

struct completion {
    std::uint64_t user_data;
    std::int32_t result;
    std::uint32_t flags;
};

/// Made in any thread, used by the one that first calls enter(): with SINGLE_ISSUER | DEFER_TASKRUN (Linux 6.1) the kernel
/// does a request's work in that thread, when it asks for completions, and interrupts it never. Older kernels get what they
/// know: SINGLE_ISSUER | COOP_TASKRUN (6.0), COOP_TASKRUN (5.19), nothing of the kind (5.11).
class uring_ring {
public:
    /// Throws std::system_error.
    explicit uring_ring(ring_options options);
    ~uring_ring();
    uring_ring(const uring_ring&) = delete;
    uring_ring& operator=(const uring_ring&) = delete;

    int fd() const noexcept { return ring_.ring_fd; }
    /// The kernel knows IORING_RECVSEND_POLL_FIRST and IORING_CQE_F_SOCK_NONEMPTY (both 5.19).
    bool can_poll_first() const noexcept {
        return (flags_ & IORING_SETUP_COOP_TASKRUN) || (flags_ & IORING_SETUP_DEFER_TASKRUN);
    }

    /// The next free entry; null when the queue is full. It is filled before the next enter().
    io_uring_sqe* next_entry() noexcept { return io_uring_get_sqe(&ring_); }

    /// Gives the kernel what was filled in, lets it work, and waits for a completion, `timeout` at most (zero: does not wait).
    /// 0, or -errno; -EEXIST: the ring belongs to another thread. -ETIME and -EINTR are ordinary.
    int enter(duration timeout) noexcept;
    /// Only gives the kernel what was filled in. -EAGAIN: whose the ring is will be seen in the first enter().
    int submit() noexcept;

    /// Entries to submit, completions to fetch, or work to do: enter(0) would change something.
    bool wants_enter() const noexcept;
    /// enter() was called: it is that thread's.
    bool bound() const noexcept { return thread_ != 0; }
    /// From now on the kernel adds to this eventfd (-1: no more) whenever there are completions, or work for enter() to do. By
    /// the thread whose it is; false: not possible.
    bool tell_of_work(int eventfd) noexcept;
    bool overflowed() const noexcept { return kernel_flags() & IORING_SQ_CQ_OVERFLOW; }

    unsigned completions_ready() const noexcept { return io_uring_cq_ready(&ring_); }
    /// Takes the oldest completion out; there must be one.
    completion take_completion() noexcept;

    /// Calls found(user_data) for each entry that was filled in and not yet taken by the kernel, oldest first.
    template <class F> void for_each_unsubmitted(F found) const {
        for (unsigned i = io_uring_smp_load_acquire(ring_.sq.khead); i != ring_.sq.sqe_tail; ++i)
            found(ring_.sq.sqes[i & (ring_.sq.ring_entries - 1)].user_data);
    }

    /// In the child of a fork, which has none of the mappings: closes the descriptor, no more.
    void abandon() noexcept;

private:
    int start() noexcept;
    int call(unsigned to_submit, unsigned wait_for, unsigned flags, void* argument, std::size_t size) noexcept;
    unsigned filled() noexcept;
    unsigned kernel_flags() const noexcept { return io_uring_smp_load_acquire(ring_.sq.kflags); }

    io_uring ring_{};
    unsigned flags_ = 0;
    std::uint64_t thread_ = 0; // whose it is; 0 until the first enter()
    int told_ = -1;            // the eventfd
    int registered_ = -1;      // index among the thread's registered rings: spares the kernel a look-up
};

} // namespace rondo::detail
