// What was forgotten, in debug mode.
#pragma once

#include <rondo/coro/debug.hpp>

#include <source_location>
#include <string>

namespace rondo::detail {

/// On stderr, for it is said in destructors, and when a loop is no more. `where`: who asked for it.
inline void report_unclosed(const char* what, const std::string& which, const std::source_location& where) noexcept {
    std::string line = what;
    line += " was not closed (" + which;
    if (where.line() != 0) line += std::string(", made at ") + where.file_name() + ":" + std::to_string(where.line());
    report_line(line + ")");
}

} // namespace rondo::detail
