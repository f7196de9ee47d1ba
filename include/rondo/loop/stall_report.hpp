// What the watchdog tells while a loop is stuck.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/stack_entry.hpp>

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace rondo {

/// A loop that has not come round for slow_callback_duration(): some task or callback runs and runs, or sits in a system
/// call, and everybody else waits. Made during the stall by the loop's watchdog, once for each stall, and a value: it may be kept.
/// Members that do not apply are empty: a callback has no task; a thread that does not answer the watchdog's signal (blocked
/// in the kernel for good, or the signal is blocked) has neither task nor stacks. Made in some milliseconds, in the watchdog's
/// thread; the stalled thread only fills a buffer. (asyncio tells only afterwards: "Executing ... took 0.123 seconds".)
///
///     loop.set_stall_handler([](const rondo::stall_report& stall) { log.warn(to_string(stall)); });
///     loop.set_watchdog(true);                       // or rondo::run({.watchdog = true}, serve), or RONDO_WATCHDOG=1
struct stall_report {
    duration lasting = duration::zero();                           // so far
    std::uint64_t task_id = 0;                                     // 0: no task runs
    std::string task_name = {};                                    // at most 64 letters
    std::optional<std::source_location> created_at = std::nullopt; // the task
    std::vector<stack_entry> async_stack = {};                     // innermost first, at most 32
    std::vector<std::string> native_stack = {}; // innermost first: "function+0x1c in program (+0x2f31c)", for addr2line
    std::string system_call = {};               // "read", "futex", "system call 333"; empty: it computes
};

/// Some lines, the last one without its end.
std::string to_string(const stall_report& stall);

} // namespace rondo
