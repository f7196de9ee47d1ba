// Starting a process, which is not the loop's thread's work.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include "loop/backend/os.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace rondo::detail {

/// The thread that starts a loop's processes. os::spawn() blocks until the new process got a processor and has loaded its
/// program: 50 us on an idle machine, tens of milliseconds on one that has more to do than processors. The default executor
/// would not do, because its threads may all be waiting for the process.
class process_starter final : public loop_service {
public:
    /// Made on first use. Throws runtime_error when the loop is closing, std::system_error when there is no thread to be had.
    executor& thread(event_loop& loop);
    void close(event_loop& loop, closing step) noexcept override;

private:
    std::shared_ptr<executor> thread_;
    bool closed_ = false;
};

struct process_start_job;

/// Until the process runs its program, or cannot. It ends only when the thread has answered, also when cancelled: then the
/// descriptors of the request are not used any more, and take_child() gives a process that was started all the same.
class process_start final : public leaf_awaiter<process_start, spawned_process> {
public:
    /// `what`, for people: "cannot start 'x'".
    process_start(event_loop& loop, spawn_request request, std::string what);
    process_start(const process_start&) = delete;
    process_start& operator=(const process_start&) = delete;
    /// A process that nobody took is killed.
    ~process_start();

    /// The caller's from now on; nothing when none was started, or it was taken already.
    std::optional<spawned_process> take_child() noexcept;

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() const noexcept { return false; }
    void enqueue() noexcept;
    std::exception_ptr failure();
    spawned_process value() noexcept { return *take_child(); }
    void answered() noexcept { settle(); }

private:
    event_loop& loop_;
    executor& thread_;
    std::shared_ptr<process_start_job> job_;
    std::string what_;
};

} // namespace rondo::detail
