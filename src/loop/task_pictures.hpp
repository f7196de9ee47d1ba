// All tasks of a loop, for its watchdog. The function stands on the task floor, which knows what a task is.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>

#include <cstddef>
#include <span>

namespace rondo::detail {

/// Of the tasks that are not done, the oldest first, as many as there is room for. Gives how many they are. From a signal handler,
/// in the loop's thread.
std::size_t picture_tasks(const loop_state& of, std::span<running_task> into) noexcept;

} // namespace rondo::detail
