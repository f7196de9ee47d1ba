// The task whose step runs in this thread.
#pragma once

#include <rondo/loop/event_loop.hpp>

namespace rondo::detail {

/// Null when no task's step runs.
inline task_record* current_record_or_null() noexcept {
    return current_loop ? loop_access::state(*current_loop).current : nullptr;
}
/// runtime_error when there is none.
task_record& current_record();

/// In destructors: a task that did not end is torn down with its loop. Its frames may be anywhere between two awaits, and no
/// other task will ever run.
bool frames_are_being_destroyed() noexcept;

} // namespace rondo::detail
