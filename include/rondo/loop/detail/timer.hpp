// A timer as its owner sees it: an intrusive node, armed with a deadline and a function.
#pragma once

#include <rondo/loop/clock.hpp>

#include <cstdint>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Armed through arm_timer(), which the loop's timer_queue keeps in order: earliest deadline first, equal deadlines in the
/// order they were armed. `fire` runs once, in the loop's pass, after the node was disarmed; it makes something ready and
/// runs no user code. The node must not move or die while armed.
struct timer_node {
    using function = void (*)(timer_node&, event_loop&) noexcept;
    explicit timer_node(function f) noexcept : fire(f) {}
    timer_node(const timer_node&) = delete;
    timer_node& operator=(const timer_node&) = delete;

    bool armed() const noexcept { return where != nowhere; }

    static constexpr std::uint32_t nowhere = 0xffffffff;
    timer_node* next = nullptr;
    timer_node* previous = nullptr;
    time_point when{};
    function fire;
    // The timer_queue's own notes: the place, and a guess where the node lies that is a few further in the list.
    std::uint32_t where = nowhere;
    std::int32_t ahead = 0;
};

/// Arms `timer`, which must not be armed.
void arm_timer(event_loop& loop, timer_node& timer, time_point when);
/// Nothing when it is not armed.
void disarm_timer(event_loop& loop, timer_node& timer) noexcept;

} // namespace rondo::detail
