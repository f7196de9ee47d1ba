// Running a loop until its main task is done, with SIGINT as Python has it.
#pragma once

#include <rondo/task/future.hpp>

#include <functional>

namespace rondo::detail {

/// Throws what comes out of the loop; the outcome of main is looked at by the caller. With handle_sigint, in the main thread and
/// where SIGINT has its default action: the first one cancels main, and keyboard_interrupt is thrown when it ends as cancelled by
/// that alone; the next ones throw it out of the loop. `interrupted` is told of each, and which it is.
void run_main(event_loop& loop, const future_base& main, bool handle_sigint,
              const std::function<void(int)>& interrupted = nullptr);

} // namespace rondo::detail
