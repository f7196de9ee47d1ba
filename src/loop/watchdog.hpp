// A thread that tells of a loop that does not come round, while that is stuck.
//
// It looks at what the loop does anyway: the number of passes, and whether it sleeps. So the loop pays nothing. What stands in
// the task it could not read without a race; it asks the loop's own thread, by a signal, whose handler fills `sample_` and goes.
//
// The protocol of the sample: the watchdog makes it `wanted`, the handler `taken` and then `ready`, or `over` when the pass that
// it was wanted of has ended; a watchdog that has lost patience takes `wanted` back to `idle`, or else, once it is `taken`, waits
// for the end.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/loop/stall_report.hpp>

#include "loop/backend/thread_probe.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace rondo::detail {

class inbox;

/// RONDO_WATCHDOG is set and not 0.
bool watchdog_environment() noexcept;

class watchdog {
public:
    watchdog(event_loop& loop, const inbox& box) noexcept : loop_(loop), inbox_(box) {}
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog() { stop(); }

    // The loop's thread.
    void start();
    void stop();
    bool on() const noexcept { return thread_.joinable(); }
    void run_begins() noexcept { runs_in_.store(this_thread_id(), std::memory_order_release); }
    void run_ends() noexcept { runs_in_.store(0, std::memory_order_release); }
    void set_handler(stall_handler handler);

    /// How often it has looked. Any thread.
    std::uint64_t looks() const noexcept { return looks_.load(std::memory_order_acquire); }

private:
    enum class phase : int { idle, wanted, taken, ready, over };
    enum class outcome { filled, no_answer, over };
    struct sample {
        running_task task;
        native_frames native;
    };
    static void answer(const native_frames& native) noexcept;
    void watch();
    void tell(pid_t thread, std::uint64_t pass, duration lasting);
    void dump(pid_t thread);
    /// Of this pass, or of whatever the thread does when it is asked.
    outcome fill_sample(pid_t thread, std::optional<std::uint64_t> pass);

    event_loop& loop_;
    const inbox& inbox_;
    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool stopping_ = false;
    stall_handler handler_;
    std::atomic<pid_t> runs_in_{0};
    std::atomic<std::uint64_t> looks_{0};
    std::atomic<phase> phase_{phase::idle};
    std::optional<std::uint64_t> wanted_pass_;
    sample sample_{};
    std::vector<running_task> all_; // room for a dump, while one is wanted
    std::size_t how_many_ = 0;
    std::optional<quit_watch> quits_;
    unsigned quits_seen_ = 0;
};

} // namespace rondo::detail
