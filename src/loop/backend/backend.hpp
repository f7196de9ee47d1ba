// The seam. Everything that is not a function of the program's own state goes through here: operations, both clocks,
// randomness, and, by way of os(), descriptors, processes and threads. The rest of the library contains no system
// call, no clock and no random source, and does not know which backend runs.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/loop/options.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace rondo::detail {

class os;

/// Completion-based, in io_uring's shape. One backend per loop; all functions but wake() belong to the loop's thread: any
/// one at first, later another when the one before has ended or has left no operation pending.
class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;

    virtual backend_kind kind() const noexcept = 0;

    /// Files (open, close, fsync, and read and write of a file) do not keep the loop's thread waiting. Where they do, they are
    /// for an executor's thread: os::perform().
    virtual bool takes_files() const noexcept { return false; }

    /// A recv may be submitted without a buffer.
    virtual bool gives_blocks() const noexcept { return false; }

    /// Starts `op`. True: it is done already, `result` is set and complete() will not be called (the epoll backend tries
    /// first). False: complete() will be called once, in a later wait(). Never fails: an error is a result.
    virtual bool submit(operation& op) noexcept = 0;

    /// Asks a submitted operation to end. It still completes exactly once, in a later wait(), with -ECANCELED or with what
    /// it had reached. Nothing when it is not pending.
    virtual void cancel(operation& op) noexcept = 0;

    /// Sends what was submitted, waits until an operation completes, wake() was called or `until` has come (a time point
    /// in the past: does not wait; time_point::max(): no limit), and completes what is done. EINTR ends the wait.
    virtual void wait(time_point until) noexcept = 0;

    /// Ends a wait() that is going on, or the next one. Any thread, and signal handlers.
    virtual void wake() noexcept = 0;

    /// Cancels every pending operation and waits until all have completed. For the end of the loop.
    virtual void drain() noexcept = 0;

    /// In a child after fork(): lets go of everything without touching what the parent still uses.
    virtual void abandon() noexcept = 0;

    /// For a loop that lives in a host loop: a descriptor for that to poll. Made, and readable, at the first call; the same
    /// from then on. -errno when it cannot be made.
    virtual int poll_fd() noexcept = 0;
    /// The host will sleep. From here to the next wait() poll_fd() is readable as soon as wait() has something to complete,
    /// wake() is called, something is submitted or cancelled, or `until` has come. Once poll_fd() was called.
    virtual void announce(time_point until) noexcept = 0;

    virtual time_point now() const noexcept = 0;
    virtual std::chrono::system_clock::time_point wall_now() const noexcept = 0;
    virtual std::uint64_t random() noexcept = 0;

    /// Descriptors, processes, threads: the calls that do not wait.
    virtual detail::os& os() noexcept = 0;
};

/// The backend that the options, RONDO_BACKEND and the kernel allow. io_uring is probed once per process; where it is
/// denied (EPERM, ENOSYS, a missing feature) epoll is taken without a word. Throws value_error for a bad RONDO_BACKEND,
/// std::system_error when what was asked for explicitly is not to be had.
std::unique_ptr<backend> make_backend(backend_kind wanted);

} // namespace rondo::detail
