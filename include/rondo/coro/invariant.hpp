// Invariants that every build checks: one comparison each, where going on would corrupt something.
#pragma once

#include <source_location>

namespace rondo::detail {

/// Prints what was violated and where, and ends the process: nothing goes on after a violated invariant.
[[noreturn]] void invariant_violated(const char* what, std::source_location where) noexcept;

/// Asserted in every build. What is expensive to check stays behind assert().
inline void require_invariant(bool holds, const char* what,
                              std::source_location where = std::source_location::current()) noexcept {
    if (!holds) [[unlikely]]
        invariant_violated(what, where);
}

} // namespace rondo::detail
