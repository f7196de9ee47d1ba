// Inside a simulated run: the world around the test, and choices of the test's own.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/sim/label.hpp>

#include <chrono>
#include <cstdint>

namespace rondo::sim {

/// The world of the run that is going on in this thread.
class simulated_world {
public:
    simulated_world(const simulated_world&) = delete;
    simulated_world& operator=(const simulated_world&) = delete;

    /// Virtual: it stands still while anything is ready, and jumps to the next timer or arrival when nothing is.
    time_point now() const noexcept;
    /// The calendar: the same time, but for steps and drift.
    std::chrono::system_clock::time_point wall_now() const noexcept;
    void step_wall_clock(duration by) noexcept;
    /// Millionths by which it is fast from now on; negative: slow.
    void set_wall_clock_drift(double parts_per_million) noexcept;
    std::uint64_t seed() const noexcept;

protected:
    simulated_world() = default;
    ~simulated_world() = default;
};

/// Outside of a simulated run, this and what follows: runtime_error.
simulated_world& world();

/// 0 to n - 1, where 0 is what usually happens. n == 0: value_error.
std::uint32_t choose(std::uint32_t n, label what);
/// Usually not.
bool perhaps(label what);
/// Usually nothing; otherwise one to three passes, in which others run. For the places where a real program would do
/// something that takes its time.
coro<> hesitate(label what);

/// Until nothing is ready and nothing completes at this moment: every other task waits, for each other, for a timer or for
/// somebody like this one. (trio.testing.wait_all_tasks_blocked)
coro<> wait_all_tasks_blocked();

} // namespace rondo::sim
