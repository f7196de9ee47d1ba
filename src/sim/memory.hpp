// The allocations of a simulated run: those of the body and of the library under it, and not of the world around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rondo::sim::detail {

class simulation;

/// This thread's.
struct memory_watch {
    simulation* decides = nullptr; // whether an allocation fails; null: nobody does
    std::int64_t blocks = 0;       // taken from operator new and not given back
};
extern constinit thread_local memory_watch watched_memory;

/// While it lives, what the thread allocates belongs to a run whose allocations `decides` lets fail; null: to nobody's.
class allocating_for {
public:
    explicit allocating_for(simulation* decides) noexcept : before_(std::exchange(watched_memory.decides, decides)) {}
    allocating_for(const allocating_for&) = delete;
    allocating_for& operator=(const allocating_for&) = delete;
    ~allocating_for() { watched_memory.decides = before_; }

private:
    simulation* before_;
};

/// While it lives, what the thread allocates is the world's own, and does not fail.
class allocating_for_the_world : allocating_for {
public:
    allocating_for_the_world() noexcept : allocating_for(nullptr) {}
};

/// Asked before each allocation of the run. Throws std::bad_alloc.
void let_an_allocation_fail();

/// Blocks of the library go through let_an_allocation_fail() too, from now on or no longer.
void watch_blocks(bool on) noexcept;

/// This program's operator new is the simulator's, so that allocations are seen. It links that in; a program's own, and that of
/// a thread sanitizer, goes before.
bool allocations_are_seen() noexcept;

} // namespace rondo::sim::detail
