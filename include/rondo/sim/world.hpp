// Inside a simulated run: the world around the test, and choices of the test's own.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/host_list.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/sim/files.hpp>
#include <rondo/sim/host.hpp>
#include <rondo/sim/label.hpp>
#include <rondo/sim/options.hpp>
#include <rondo/sim/program.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

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

    // Hosts. The body of the run is on one of its own, which has a loopback, and an address as soon as there are others.
    /// A host that is up and has no program. Its name resolves to its addresses; without any it gets the next free one of
    /// 10.0.0.0/8. An address or a name that is taken, or no numeric address: value_error.
    host& add_host(std::string name);
    host& add_host(std::string name, const host_list& addresses);
    /// Where the body of the run is; its name is "body".
    host& body_host() noexcept;
    /// lookup_error when there is none.
    host& find_host(std::string_view name);

    // Names beside those of the hosts; what is not there is EAI_NONAME.
    /// From now on the name has these addresses, and no others.
    void add_name(const std::string& name, const host_list& addresses);
    /// Nothing when it is not there.
    void remove_name(const std::string& name);

    // The network between hosts. Without more, everybody reaches everybody at once.
    /// How long it takes from one to the other, in both directions, beside what the world chooses.
    void set_latency(host& a, host& b, duration one_way);
    /// Neither hears the other any more: what is under way and what is sent is lost. TCP sends it again, at growing intervals,
    /// and gives up with ETIMEDOUT after 15 minutes (tcp(7): tcp_retries2), connecting after two.
    void partition(host& a, host& b);
    /// `to` does not hear `from`.
    void partition_one_way(host& from, host& to);
    /// Ends what partition() and partition_one_way() did between these two, or between all.
    void heal(host& a, host& b);
    void heal();

    /// What may happen from now on, in place of options::faults: a test of recovery lets the faults end. Not for
    /// fault_classes::memory.
    void set_faults(const fault_classes& faults) noexcept;

    simulated_files files() noexcept;
    /// Of what was not synced, that is left which the tape chooses: of a file everything, nothing, its first writes or any of them,
    /// the last one torn. Files that are open have no medium any more: EIO. The program goes on; what stands for the one
    /// that the power was lost for is the test's to end, and to begin anew.
    void lose_power();

    /// From now on create_subprocess_exec() finds it under this name, or, by a name without a slash, under its last part.
    void add_program(std::string name, program body);
    /// Comes at a moment of the tape's choice; raised again until then, it comes once. One that nobody watches by then ends the
    /// run, unless its default action is to be ignored.
    void raise(int signal);

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
