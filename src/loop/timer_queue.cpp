#include "loop/timer_queue.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace rondo::detail {

namespace {

/// In which guesses are kept: 32 bits of it reach 32 GiB.
constexpr std::intptr_t unit = 16;
std::intptr_t address_of(const timer_node& timer) noexcept { return reinterpret_cast<std::intptr_t>(&timer); }

} // namespace

/// Order kept, sign turned into unsigned.
std::uint64_t timer_queue::key_of(time_point when) noexcept {
    return static_cast<std::uint64_t>(when.time_since_epoch().count()) ^ (std::uint64_t{1} << 63);
}
time_point timer_queue::time_of(std::uint64_t key) noexcept {
    return time_point(duration(static_cast<std::int64_t>(key ^ (std::uint64_t{1} << 63))));
}

void timer_queue::append(timer_node& timer, std::uint32_t where) noexcept {
    list& l = lists_[where];
    timer.where = where;
    timer.next = nullptr;
    timer.previous = l.tail;
    if (l.tail) l.tail->next = &timer;
    else l.head = &timer;
    l.tail = &timer;
    if (!l.guessing) {
        l.guessing = &timer;
        l.behind_tail = 0;
    } else if (++l.behind_tail == look_ahead) {
        l.guessing->ahead = static_cast<std::int32_t>((address_of(timer) - address_of(*l.guessing)) / unit);
        l.guessing = l.guessing->next;
        --l.behind_tail;
    }
}

/// The next one, when this one will not be looked at again.
timer_node* timer_queue::step(timer_node* from) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a guess, which is never followed
    const auto* const ahead = reinterpret_cast<const char*>(address_of(*from) + from->ahead * unit);
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + sizeof(timer_node) - 1);
    return from->next;
}

void timer_queue::append(list timers, std::uint32_t where) noexcept {
    for (timer_node* timer = timers.head; timer;) {
        timer_node* const next = step(timer);
        append(*timer, where);
        timer = next;
    }
}

void timer_queue::place(timer_node& timer) noexcept {
    const std::uint64_t key = key_of(timer.when);
    if (key < cursor_) return append(timer, late);
    const unsigned level = (static_cast<unsigned>(std::bit_width((key ^ cursor_) | 1)) - 1) / digit_bits;
    const unsigned slot = static_cast<unsigned>(key >> (level * digit_bits)) % slots;
    occupied_[level] |= std::uint64_t{1} << slot;
    occupied_levels_ |= 1u << level;
    append(timer, level * slots + slot);
}

timer_queue::list timer_queue::take(std::uint32_t where) noexcept {
    if (where < late) {
        const unsigned level = where / slots;
        occupied_[level] &= ~(std::uint64_t{1} << (where % slots));
        if (!occupied_[level]) occupied_levels_ &= ~(1u << level);
    }
    return std::exchange(lists_[where], list{});
}

void timer_queue::arm(timer_node& timer, time_point when) noexcept {
    assert(!timer.armed());
    timer.when = when;
    place(timer);
    ++size_;
    next_ = std::min(next_, when);
}

void timer_queue::disarm(timer_node& timer) noexcept {
    if (!timer.armed()) return;
    list& l = lists_[timer.where];
    (timer.previous ? timer.previous->next : l.head) = timer.next;
    (timer.next ? timer.next->previous : l.tail) = timer.previous;
    if (l.guessing == &timer) l.guessing = timer.next;
    if (!l.head) take(timer.where);
    timer.where = timer_node::nowhere;
    --size_;
    if (timer.when <= next_) next_known_ = false;
}

/// Below the root of the branch every list of a level comes before every list of the levels above.
std::uint32_t timer_queue::earliest_slot() const noexcept {
    const unsigned level = static_cast<unsigned>(std::countr_zero(occupied_levels_));
    return level * slots + static_cast<unsigned>(std::countr_zero(occupied_[level]));
}

std::uint64_t timer_queue::start_of(std::uint32_t slot) const noexcept {
    const unsigned level = slot / slots;
    const unsigned above = (level + 1) * digit_bits;
    const std::uint64_t branch = above < 64 ? cursor_ >> above << above : 0;
    return branch | std::uint64_t{slot % slots} << (level * digit_bits);
}

/// So few that looking at each of them costs less than what it saves: a wake-up, or moving them down level by level.
bool timer_queue::is_short(const list& timers) noexcept {
    constexpr int few = 8;
    const timer_node* timer = timers.head;
    for (int seen = 0; timer && seen < few; ++seen) timer = timer->next;
    return timer == nullptr;
}

time_point timer_queue::find_next() const noexcept {
    if (lists_[late].head) return time_of(cursor_);
    if (!occupied_levels_) return time_point::max();
    const std::uint32_t slot = earliest_slot();
    if (!is_short(lists_[slot])) return time_of(start_of(slot));
    time_point earliest = time_point::max();
    for (const timer_node* timer = lists_[slot].head; timer; timer = timer->next)
        earliest = std::min(earliest, timer->when);
    return earliest;
}

time_point timer_queue::next_deadline() const noexcept {
    if (!next_known_) {
        next_ = find_next();
        next_known_ = true;
    }
    return next_;
}

/// Stable merge sort by deadline, from the bottom up: runs[i] is sorted, 2^i long or empty, and of later runs all are older.
timer_queue::list timer_queue::sorted(list unsorted) noexcept {
    constexpr auto merge = [](timer_node* older, timer_node* newer) {
        timer_node* head = nullptr;
        timer_node** end = &head;
        while (older && newer) {
            timer_node*& least = newer->when < older->when ? newer : older;
            *end = least;
            end = &least->next;
            least = least->next;
        }
        *end = older ? older : newer;
        return head;
    };
    std::array<timer_node*, 64> runs;
    std::size_t used = 0;
    while (timer_node* run = unsorted.head) {
        unsorted.head = std::exchange(run->next, nullptr);
        std::size_t i = 0;
        for (; i < used && runs[i]; ++i) run = merge(std::exchange(runs[i], nullptr), run);
        runs[i] = run;
        used = std::max(used, i + 1);
    }
    list result;
    for (std::size_t i = 0; i < used; ++i) result.head = merge(runs[i], result.head);
    return result;
}

/// Behind what is due not later. What else is due comes from earlier lists, so that only this list's own are passed.
void timer_queue::insert_due(timer_node& timer) noexcept {
    list& l = lists_[due];
    timer_node* after = nullptr;
    timer_node* before = l.tail;
    while (before && before->when > timer.when) after = std::exchange(before, before->previous);
    timer.where = due;
    timer.next = after;
    timer.previous = before;
    (after ? after->previous : l.tail) = &timer;
    (before ? before->next : l.head) = &timer;
}

void timer_queue::collect_due(std::uint64_t now) noexcept {
    if (lists_[late].head) append(sorted(take(late)), due);
    while (occupied_levels_) {
        const std::uint32_t slot = earliest_slot();
        const unsigned level = slot / slots;
        const std::uint64_t start = start_of(slot);
        if (start > now) break;
        const std::uint64_t last = start | ((std::uint64_t{1} << (level * digit_bits)) - 1);
        const list timers = take(slot);
        if (level == 0) {
            append(timers, due);
        } else if (last <= now && is_short(timers)) {
            for (timer_node* timer = timers.head; timer;) insert_due(*std::exchange(timer, timer->next));
        } else {
            cursor_ = timers.head == timers.tail ? std::min(now, key_of(timers.head->when)) : start;
            for (timer_node* timer = timers.head; timer;) {
                timer_node* const next = step(timer);
                place(*timer);
                timer = next;
            }
        }
    }
    cursor_ = std::max(cursor_, now);
}

void timer_queue::fire_due(time_point now, event_loop& loop) noexcept {
    if (next_known_ && next_ > now) return;
    collect_due(key_of(now));
    next_known_ = false;
    while (timer_node* timer = lists_[due].head) {
        static_cast<void>(step(timer));
        disarm(*timer);
        timer->fire(*timer, loop);
    }
}

} // namespace rondo::detail
