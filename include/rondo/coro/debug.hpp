// Debug mode: on for the whole process by RONDO_DEBUG=1 in the environment, for one loop by its options.
#pragma once

#include <atomic>
#include <string_view>

namespace rondo::detail {

/// RONDO_DEBUG is set and not 0. Read once.
bool debug_environment() noexcept;

/// How many open loops of the process are in debug mode.
extern constinit std::atomic<int> loops_in_debug;

/// One line on stderr, prefixed "rondo: ". For what has no loop, and so no exception handler, to go to.
void report_line(std::string_view line) noexcept;

} // namespace rondo::detail
