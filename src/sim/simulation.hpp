// A simulated world: its time, its choices, its network, files, processes, signals and threads. Lives longer than the loops
// that run in it: begin() makes it new for the next run and keeps its memory.
//
// What the world may decide is exactly what a real one may: which of several operations completes first, in which pass, how
// long a byte is under way, how many bytes one call moves. The order of the loop's own queue is nobody's to decide: call_soon,
// new tasks, futures, locks and queues are promised first come first served, and timers with equal deadlines the order in
// which they were armed. Every order that these promises leave open comes down to the order and the pass in which operations
// complete, so it is reached from here, and the loop has no hook for it.
#pragma once

#include <rondo/loop/executor.hpp>
#include <rondo/sim/options.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/future.hpp>

#include "sim/agenda.hpp"
#include "sim/host_registry.hpp"
#include "sim/memory.hpp"
#include "sim/names.hpp"
#include "sim/network.hpp"
#include "sim/open_files.hpp"
#include "sim/processes.hpp"
#include "sim/signal_board.hpp"
#include "sim/tape.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo::sim::detail {

class simulation final : public simulated_world {
public:
    simulation() : network(*this), hosts(*this), names(*this), files(*this), processes(*this), signals(*this) {}

    void begin(const plan& p, const fault_classes& f);
    /// Lets go of what the run has left in the world.
    void clear() noexcept;

    // Choices. Of a class that is switched off none is made.
    std::uint32_t choose(std::uint32_t n, label what) { return choices.choose(n, what); }
    std::uint32_t choose_if(bool wanted, std::uint32_t n, label what) { return wanted ? choices.choose(n, what) : 0; }
    /// A fault: 0, or which one of n - 1. It is on the tape, and among the places where one can be.
    std::uint32_t fault(bool wanted, std::uint32_t n, label what);
    bool fails(bool wanted, label what) { return wanted && fault(true, 2, what) != 0; }
    /// 0, or -errno.
    int error(bool wanted, std::span<const int> errors, label what) {
        const std::uint32_t which = fault(wanted, static_cast<std::uint32_t>(errors.size()) + 1, what);
        return which ? -errors[which - 1] : 0;
    }
    /// The steps of the tape at which there could be a fault.
    const std::vector<std::size_t>& fault_steps() const noexcept { return fault_steps_; }
    bool has_failed_somewhere() const noexcept { return has_failed_; }
    /// The first is zero.
    duration choose_delay(std::span<const duration> from, label what);

    // Time
    std::chrono::system_clock::time_point wall() const noexcept;
    void step_wall(duration by) noexcept { wall_offset_ += by; }
    void set_wall_drift(double ppm) noexcept;

    /// What wait() of the backend does: lets time pass until something can be completed, and completes it.
    void wait(time_point until);
    void wake() noexcept { woken_.store(true, std::memory_order_relaxed); }
    /// wait() was asked to wait for ever, and nothing will ever happen.
    bool is_stuck() const noexcept { return stuck_; }
    void forget_stuck() noexcept { stuck_ = false; }

    /// Settled in the next wait() that finds nothing else to do at its moment.
    void tell_when_idle(future<> f) { idle_.push_back(std::move(f)); }

    /// Time stands still until pass_time(). False: it does already.
    bool hold_time() noexcept;
    void let_time_go() noexcept { held_at_ = time_point::max(); }
    /// So much of it passes; `there` is settled when that is over and everybody else waits. False: another is going on.
    bool pass_time(duration by, future<> there);

    std::shared_ptr<executor> make_executor();
    /// Something was asked for that this world does not have. -ENOSYS.
    int missing(std::string_view what);
    const std::vector<std::string>& all_missing() const noexcept { return missing_; }

    /// The run's own allocations can fail, or cannot any longer.
    void watch_memory(bool on) noexcept;
    /// For allocating_for: the world itself while it watches.
    simulation* watches() noexcept { return watches_memory_ ? this : nullptr; }

    // Operations, wherever they wait
    bool submit(operation& op);
    void cancel(operation& op);
    void drain();
    /// As backend::takes_files(): the same all through a run.
    bool takes_files();
    int close(int fd);
    std::size_t open_count() const noexcept;
    std::vector<std::string> describe_open() const;

    /// The program is ended from outside; the run has failed.
    void die(std::string why) {
        if (died_.empty()) died_ = std::move(why);
    }
    const std::string& died() const noexcept { return died_; }

    tape choices;
    agenda later;
    fault_classes faults;
    file_access file_way = file_access::either;
    event_loop* loop = nullptr; // of the run
    detail::network network;
    host_registry hosts;
    name_table names;
    open_files files;
    detail::processes processes;
    signal_board signals;
    time_point now{};
    random_stream random{1};
    std::uint64_t seed = 0;

private:
    class pool;
    void happen();
    bool tell_idle();
    bool tell_jump();

    std::vector<future<>> idle_;
    std::vector<std::string> missing_;
    std::string died_;
    std::optional<bool> takes_files_;
    std::vector<std::size_t> fault_steps_;
    time_point held_at_ = time_point::max();
    future<> jumping_;
    duration wall_offset_{};
    time_point drift_since_{};
    double drift_ = 0;
    std::atomic<bool> woken_ = false;
    bool stuck_ = false;
    bool has_failed_ = false;
    bool watches_memory_ = false;
};

/// Of the run that is going on in this thread, or null.
extern constinit thread_local simulation* current_simulation;

} // namespace rondo::sim::detail
