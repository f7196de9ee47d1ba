// A line of an async stack.
#pragma once

#include <source_location>
#include <string>

namespace rondo {

/// A coroutine that waits, or runs: the co_await it was last suspended at, and what it is.
struct stack_entry {
    std::source_location where;
    std::string function;
};

} // namespace rondo
