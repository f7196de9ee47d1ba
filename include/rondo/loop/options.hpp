// How a loop is made, and how it makes a task.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/context.hpp>

#include <cstddef>
#include <optional>
#include <source_location>
#include <string>

namespace rondo {

/// automatic: what RONDO_BACKEND says (epoll, uring); without it io_uring where the kernel allows it, epoll otherwise.
enum class backend_kind { automatic, epoll, uring };

struct loop_options {
    backend_kind backend = backend_kind::automatic;
    std::optional<bool> debug = std::nullopt;    // not set: RONDO_DEBUG
    std::optional<bool> watchdog = std::nullopt; // a thread that tells of stalls; not set: RONDO_WATCHDOG
    // With nothing to do the loop looks so long for something before it sleeps. 50 us spare most of what waking a core takes,
    // where answers come quickly; the core is kept busy for it.
    duration busy_poll = duration::zero();
};

struct sendfile_options {
    std::size_t offset = 0;                          // where in the file it begins
    std::optional<std::size_t> count = std::nullopt; // not set: to the end of the file
    bool fallback = true; // where the kernel cannot: read and send; otherwise sendfile_not_available_error
};

struct task_options {
    std::string name = {};                                        // empty: "Task-N"
    std::optional<rondo::context> context = std::nullopt;         // not set: a copy of the current one
    std::optional<bool> eager_start = std::nullopt;               // true: runs at once, until it first suspends
    std::source_location where = std::source_location::current(); // filled in at the caller's line
};

} // namespace rondo
