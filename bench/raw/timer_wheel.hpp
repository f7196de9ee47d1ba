// The floor of a timer store: eight levels of 64 slots, ticks of 131 µs, a bitmap of occupied slots per level, intrusive
// lists. Deadlines are rounded up to a tick, and timers of a tick have no order: less than what a loop promises.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace raw {

class timer_wheel {
public:
    struct node {
        node* next;
        node** previous;
        std::uint64_t tick;
        unsigned slot;
    };

    void arm(node& n, std::uint64_t nanoseconds) {
        n.tick = std::max((nanoseconds + (1u << tick_bits) - 1) >> tick_bits, now_);
        place(n);
    }
    void cancel(node& n) {
        *n.previous = n.next;
        if (n.next) n.next->previous = n.previous;
        if (!slots_[n.slot]) occupied_[n.slot / 64] &= ~(1ull << (n.slot % 64));
    }
    /// Fires what is due, level by level: a slot of a higher level is dealt out to the lower ones when its time comes.
    template <class Fire> void advance(std::uint64_t nanoseconds, Fire&& fire) {
        const std::uint64_t target = nanoseconds >> tick_bits;
        for (;;) {
            unsigned level = 0;
            std::uint64_t ahead = 0;
            for (; level < levels; ++level) {
                ahead = occupied_[level] & (~0ull << ((now_ >> (6 * level)) & 63));
                if (ahead) break;
            }
            if (level == levels) break;
            const auto slot = static_cast<unsigned>(std::countr_zero(ahead));
            const std::uint64_t base = (now_ >> (6 * (level + 1))) << (6 * (level + 1));
            const std::uint64_t at = base | (static_cast<std::uint64_t>(slot) << (6 * level));
            if (at > target) break;
            now_ = std::max(now_, at);
            occupied_[level] &= ~(1ull << slot);
            for (node* n = std::exchange(slots_[level * 64 + slot], nullptr); n;) {
                node* next = n->next;
                if (level == 0) fire(*n);
                else place(*n);
                n = next;
            }
        }
        now_ = std::max(now_, target);
    }

private:
    static constexpr unsigned levels = 8;
    static constexpr unsigned tick_bits = 17;

    void place(node& n) {
        const std::uint64_t differs = n.tick ^ now_;
        const unsigned level = differs ? static_cast<unsigned>(63 - std::countl_zero(differs)) / 6 : 0;
        const auto slot = static_cast<unsigned>((n.tick >> (6 * level)) & 63);
        n.slot = level * 64 + slot;
        n.next = slots_[n.slot];
        n.previous = &slots_[n.slot];
        if (n.next) n.next->previous = &n.next;
        slots_[n.slot] = &n;
        occupied_[level] |= 1ull << slot;
    }

    node* slots_[levels * 64] = {};
    std::uint64_t occupied_[levels] = {};
    std::uint64_t now_ = 0;
};

} // namespace raw
