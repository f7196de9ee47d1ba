// What the task floor keeps for each loop: its task factory, its exception handler, and how its tasks end.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/exception_handler.hpp>

namespace rondo::detail {

class task_service final : public loop_service {
public:
    task_factory factory;
    rondo::exception_handler handler;

    /// work: cancels every task and runs the loop until they have ended. frames: names those that did not, and destroys them.
    void close(event_loop& loop, closing step) noexcept override;

    /// Makes an error_context of what the lower floors report.
    static void report(event_loop& loop, const error_report& what);

private:
    void end_tasks(event_loop& loop);
    void destroy_frames(event_loop& loop) noexcept;
};

} // namespace rondo::detail
