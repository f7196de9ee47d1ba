// Whom a loop tells what it does: the seam between the loop and the instruments of the task floor.
#pragma once

#include <rondo/loop/clock.hpp>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

class task_record;
struct ready_node;

/// A loop has one or none. Whoever has something to tell looks whether there is one, so telling nobody costs a branch; steps
/// are told through run(), which a loop without an observer does not look at.
class loop_observer {
public:
    loop_observer() = default;
    loop_observer(const loop_observer&) = delete;
    loop_observer& operator=(const loop_observer&) = delete;

    virtual void run_begins() noexcept = 0;
    virtual void run_ends() noexcept = 0;
    virtual void wait_begins(delay timeout) noexcept = 0;
    virtual void wait_ends(delay timeout) noexcept = 0;
    /// Does node.run(node, loop).
    virtual void run(ready_node& node, event_loop& loop) = 0;
    virtual void spawned(task_record& task) noexcept = 0;
    virtual void scheduled(task_record& task) noexcept = 0;
    virtual void exited(task_record& task) noexcept = 0;

protected:
    ~loop_observer() = default;
};

} // namespace rondo::detail
