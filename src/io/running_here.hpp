// Members of event_loop that wait can only do so in their own loop.
#pragma once

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include <string>

namespace rondo::detail {

/// runtime_error when `loop` is not the one that runs in this thread.
inline void check_runs_here(const event_loop& loop, const char* method) {
    if (running_loop_or_null() != &loop)
        throw runtime_error(std::string(method) + " is to be awaited in the loop that it belongs to");
}

} // namespace rondo::detail
