// A child process with its pipes, however its parent will talk to it.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/subprocess_options.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>

#include "io/descriptor_guard.hpp"
#include "io/process_core.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rondo::detail {

/// A process that runs, and our ends of its pipes, non-blocking. Nobody's yet: it is killed unless its core is taken.
struct started_process {
    started_process(counted_ptr<process_core> running, os& o) noexcept
        : core(std::move(running)), in(o), out(o), err(o) {}
    started_process(started_process&&) noexcept = default;
    started_process& operator=(started_process&&) = delete;
    ~started_process() {
        if (core) core->abandon();
    }

    counted_ptr<process_core> core;
    descriptor_guard in; // -1 where it is no pipe, as the others
    descriptor_guard out;
    descriptor_guard err;
};

/// Until the program runs. Cancelled, it kills and reaps the process first. value_error, std::system_error as
/// create_subprocess_exec().
coro<started_process> start_process(event_loop& loop, std::vector<std::string> argv, subprocess_options options);

} // namespace rondo::detail
