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

} // namespace rondo::detail
