// Counts calls of operator new.
#pragma once

#include <cstddef>

namespace rondo::test {

/// False in sanitized builds: there every block of the library is an allocation of its own, and operator new is theirs.
bool counts_operator_new() noexcept;

/// Calls in this thread so far.
std::size_t operator_new_calls() noexcept;

} // namespace rondo::test

#define RONDO_SKIP_UNLESS_NEW_IS_COUNTED()                                                                             \
    if (!rondo::test::counts_operator_new()) GTEST_SKIP() << "allocations are counted in builds without sanitizers"
