// The backend on io_uring.
#pragma once

#include "loop/backend/native.hpp"
#include "loop/backend/operation_list.hpp"
#include "loop/backend/thread_end.hpp"
#include "loop/backend/uring_blocks.hpp"
#include "loop/backend/uring_ring.hpp"

#include <memory>

namespace rondo::detail {

/// An operation's address is its request's user_data. Requests reach the kernel in the order of submit() and cancel(), so
/// that a cancel never meets a later operation at the same address. One system call for each wait(); none when there is
/// nothing to say and the shared memory shows nothing to hear.
///
/// The first wait() binds it to its thread: only that one can fetch completions. When the thread ends, everything is called
/// back from the kernel, and is submitted anew by the thread that waits next. A thread that still lives can hand over only
/// when nothing is in flight; otherwise the process is ended with a message, because those operations would never complete.
class uring_backend final : public native_backend, private thread_end_watcher {
public:
    /// Throws std::system_error.
    explicit uring_backend(ring_options options = {});
    ~uring_backend() override;

    backend_kind kind() const noexcept override { return backend_kind::uring; }
    bool takes_files() const noexcept override { return true; }
    bool gives_blocks() const noexcept override { return ring_->can_poll_first(); }
    bool submit(operation& op) noexcept override;
    void cancel(operation& op) noexcept override;
    void wait(time_point until) noexcept override;
    void drain() noexcept override;
    void abandon() noexcept override;
    void announce(time_point until) noexcept override;
    detail::os& os() noexcept override { return os_; }

private:
    int show_work(host_descriptor& to) noexcept override;
    bool selects_block(const operation& op) noexcept;
    void start(operation& op) noexcept;
    bool request(operation& op) noexcept;
    bool request_cancel(operation& op) noexcept;
    void request_wake() noexcept;
    /// A free entry; null when the ring is full and the kernel takes nothing now.
    io_uring_sqe* entry() noexcept {
        if (io_uring_sqe* const sqe = ring_->next_entry()) [[likely]]
            return sqe;
        ring_->submit();
        return ring_->next_entry();
    }
    void catch_up() noexcept;
    bool is_busy() const noexcept;
    void enter(duration timeout) noexcept;
    void take_completions() noexcept;
    void on_completion(operation& op, std::int32_t result, std::uint32_t flags) noexcept;
    void take_block(operation& op, std::int32_t result, std::uint32_t flags) noexcept;
    void on_unusual_completion(operation& op, std::int64_t result, std::uint32_t flags) noexcept;
    std::int64_t perform_now(operation& op) noexcept;
    void finish(operation& op, std::int64_t result) noexcept;
    void deliver() noexcept;
    void renew_ring() noexcept;
    void take_over() noexcept;
    void on_thread_end() noexcept override;

    ring_options options_;
    std::unique_ptr<uring_blocks> blocks_; // of ring_, which ends first; made when the first receive wants one
    std::unique_ptr<uring_ring> ring_;
    operation_list in_flight_;        // in the ring or in the kernel
    operation_list backlog_;          // found the ring full
    operation_list done_;             // ended without the kernel, wait for complete()
    std::size_t received_ = 0;        // in this wait(), into large blocks
    std::size_t cancels_to_send_ = 0; // in in_flight_, found the ring full
    bool wake_requested_ = false;
    bool calling_back_ = false; // the thread ends: nothing new goes to the kernel
    int work_descriptor_ = -1;  // the ring counts what it has done into it, for a host
    int process_;
    posix_os os_;
};

} // namespace rondo::detail
