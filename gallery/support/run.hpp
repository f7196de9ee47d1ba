// Running a program of the gallery in real time, or in virtual time, where a minute takes no time at all.
#pragma once

#include <rondo/rondo.hpp>
#include <rondo/sim/run.hpp>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <limits>

namespace gallery {

/// What main() returns. In virtual time the coroutine runs in a simulated world that decides nothing by chance: its clock
/// stands still while anything is ready, and jumps to the next timer when nothing is.
inline int run(bool virtual_time, const std::function<rondo::coro<>()>& program) {
    if (!virtual_time) {
        try {
            rondo::run(program);
            return 0;
        } catch (const rondo::keyboard_interrupt&) {
            return 130; // as a shell tells of Ctrl-C
        }
    }
    const rondo::sim::outcome outcome = rondo::sim::run(
        {.max_steps = std::numeric_limits<std::size_t>::max(), .faults = rondo::sim::fault_classes::none()}, program);
    if (!outcome.failure) return 0;
    std::fprintf(stderr, "%s\n", outcome.failure->str().c_str());
    return 1;
}

} // namespace gallery
