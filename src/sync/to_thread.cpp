#include <rondo/sync/to_thread.hpp>

#include <rondo/task/detail/task_record.hpp>

namespace rondo::detail {

void limited_thread_waiter::attach(frame_header& frame) noexcept {
    thread_waiter::attach(task_of_frame(frame)->ends_chain(frame.continuation) ? frame : header_of(frame.continuation));
}

} // namespace rondo::detail
