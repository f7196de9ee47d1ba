// The processes of a simulated world: programs, their lives, and how a parent hears of their ends.
#pragma once

#include <rondo/loop/detail/operation.hpp>
#include <rondo/sim/program.hpp>
#include <rondo/task/task.hpp>

#include "loop/backend/operation_list.hpp"
#include "loop/backend/os.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rondo::sim::detail {

class simulation;

/// A process is a task of the run's loop, and so one that does not end is found as any other task is. It is running, then has a
/// status that its parent may not have heard of, then can be reaped, once. Functions give 0 or -errno.
class processes {
public:
    explicit processes(simulation& world) noexcept : world_(world) {}
    processes(const processes&) = delete;
    processes& operator=(const processes&) = delete;
    void clear() noexcept;

    void add_program(std::string name, program body);
    int spawn(const rondo::detail::spawn_request& request, rondo::detail::spawned_process& child);
    int reap(const rondo::detail::spawned_process& child, int& status);
    int send_signal(const rondo::detail::spawned_process& child, int signal);
    int watch_exit(const rondo::detail::spawned_process& child, std::function<void()> ended);

    // Descriptors of processes, and operations that wait for them.
    static bool has(int fd) noexcept;
    int close(int fd);
    bool submit(rondo::detail::operation& op);
    /// False: it does not wait here.
    bool cancel(rondo::detail::operation& op);
    void cancel_all();

    /// Lets go of the tasks, whose loop is closed.
    void forget_lives() noexcept;

    /// Descriptors that are open, and processes that nobody has reaped.
    std::size_t open_count() const noexcept;
    void describe_open(std::vector<std::string>& to) const;

private:
    struct process {
        std::string name;
        task<int> life;
        std::array<int, 3> streams{-1, -1, -1}; // until it runs
        int killed_by = 0;
        std::optional<int> status = std::nullopt;
        bool told = false; // its parent can know
        bool reaped = false;
        bool left = false; // to the kernel: its parent has no way to hear of its end
        bool has_descriptor = false;
        std::function<void()> ended = nullptr;
        rondo::detail::operation_list waiting = {};
    };

    const program* find(const std::string& name) const;
    int take_streams(const rondo::detail::spawn_request& request, std::array<int, 3>& streams);
    void begin(int pid, const program& body, invocation given);
    void kill(int pid, int signal);
    void has_ended(int pid, int status);
    void tell(int pid);
    void drop_if_done(int pid);

    simulation& world_;
    std::map<std::string, program> programs_;
    std::map<int, process> all_; // by pid
    int next_pid_ = 0;
};

} // namespace rondo::sim::detail
