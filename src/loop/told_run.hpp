// A run of a loop, for those who watch it.
#pragma once

#include <rondo/loop/detail/loop_observer.hpp>
#include <rondo/loop/detail/loop_state.hpp>

namespace rondo::detail {

/// Tells the observer of a run, and of its end.
struct told_run {
    explicit told_run(loop_state& s) noexcept : state(s) {
        if (state.observer) state.observer->run_begins();
    }
    told_run(const told_run&) = delete;
    told_run& operator=(const told_run&) = delete;
    ~told_run() {
        if (state.observer) state.observer->run_ends();
    }
    loop_state& state;
};

} // namespace rondo::detail
