// The armed timers of a loop, in order.
//
// A radix tree over the deadline's 64 bits, six at a time, of which only the branch that the present lies on exists: eleven
// levels of 64 lists. A timer hangs at the level of the highest digit in which its deadline differs from the cursor (the
// present, as the last fire_due() saw it), in the list of that digit. When the cursor enters a list of a level, its timers
// move down; at the lowest level a list is one nanosecond, and its order is the order of arming:
//
//   - two timers with one deadline are always in the same list, because the place follows from deadline and cursor alone;
//   - a list is appended to, and moved down from front to back, so that it stays in the order of arming.
//
// Deadlines before the cursor, which are due already, wait in a list of their own and are sorted when they fire.
//
// Among a million timers each is somewhere else in memory, and walking along a list is to wait for memory at every step. So a
// node knows roughly where the node is that comes a few steps later, and that is asked for ahead of time. A guess that has
// become wrong costs nothing but its use.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/timer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Nothing here allocates or throws. Belongs to the loop's thread.
class timer_queue {
public:
    timer_queue() = default;
    timer_queue(const timer_queue&) = delete;
    timer_queue& operator=(const timer_queue&) = delete;

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    /// `timer` must not be armed. O(1).
    void arm(timer_node& timer, time_point when) noexcept;

    /// Nothing when it is not armed. O(1).
    void disarm(timer_node& timer) noexcept;

    /// When to call fire_due() next; time_point::max() without timers. Not later than the earliest deadline, or a time
    /// that has passed when that has passed. Earlier when many timers are close together: fire_due() then fires nothing
    /// and brings them into order. Usually O(1), never more than a few nodes looked at.
    time_point next_deadline() const noexcept;

    /// Calls look(timer) for each, in no order; it arms and disarms nothing. O(timers).
    template <class F> void for_each(F look) const {
        for (const list& timers : lists_) {
            for (timer_node* t = timers.head; t; t = t->next) look(*t);
        }
    }

    /// Disarms and fires what is due at `now`: earliest deadline first, equal deadlines in the order of arming. A timer that
    /// a fire function disarms does not fire; one that it arms waits for the next call, even when it is due. Each timer
    /// moves down at most ten times between arming and firing, typically one to four times.
    void fire_due(time_point now, event_loop& loop) noexcept;

private:
    struct list {
        timer_node* head = nullptr;
        timer_node* tail = nullptr;
        timer_node* guessing = nullptr; // the next to be told what is ahead of it
        std::uint32_t behind_tail = 0;  // how far that is from the tail, about
    };
    static constexpr std::uint32_t look_ahead = 6;
    static constexpr unsigned digit_bits = 6;
    static constexpr unsigned slots = 1u << digit_bits;
    static constexpr unsigned levels = 11; // 11 * 6 >= 64
    static constexpr std::uint32_t late = levels * slots;
    static constexpr std::uint32_t due = late + 1;

    static std::uint64_t key_of(time_point when) noexcept;
    static time_point time_of(std::uint64_t key) noexcept;
    static bool is_short(const list& timers) noexcept;
    static list sorted(list unsorted) noexcept;
    static timer_node* step(timer_node* from) noexcept;

    void append(timer_node& timer, std::uint32_t where) noexcept;
    void append(list timers, std::uint32_t where) noexcept;
    void place(timer_node& timer) noexcept;
    list take(std::uint32_t where) noexcept;
    std::uint32_t earliest_slot() const noexcept;
    std::uint64_t start_of(std::uint32_t slot) const noexcept;
    void insert_due(timer_node& timer) noexcept;
    void collect_due(std::uint64_t now) noexcept;
    time_point find_next() const noexcept;

    std::array<list, levels * slots + 2> lists_{}; // by timer_node::where
    std::array<std::uint64_t, levels> occupied_{}; // which lists of a level are not empty
    std::uint32_t occupied_levels_ = 0;
    std::uint64_t cursor_ = 0; // what hangs in the tree is not before it
    std::size_t size_ = 0;
    mutable time_point next_ = time_point::max();
    mutable bool next_known_ = true;
};

} // namespace rondo::detail
