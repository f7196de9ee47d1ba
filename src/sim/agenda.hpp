// What will happen later in a simulated world.
#pragma once

#include <rondo/loop/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace rondo::sim::detail {

/// Events in the order of their times; of equal times, in the order in which they were entered.
class agenda {
public:
    void clear() noexcept {
        events_.clear();
        entered_ = 0;
    }
    void enter(time_point when, std::function<void()> what) {
        events_.push_back({when, entered_++, std::move(what)});
        std::ranges::push_heap(events_, later);
    }
    bool empty() const noexcept { return events_.empty(); }
    /// time_point::max() when there is none.
    time_point next() const noexcept { return events_.empty() ? time_point::max() : events_.front().when; }
    /// The next one, which must be there, leaves.
    std::function<void()> take() {
        std::ranges::pop_heap(events_, later);
        std::function<void()> what = std::move(events_.back().what);
        events_.pop_back();
        return what;
    }

private:
    struct event {
        time_point when;
        std::uint64_t number;
        std::function<void()> what;
    };
    static bool later(const event& a, const event& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
    std::vector<event> events_; // a heap
    std::uint64_t entered_ = 0;
};

} // namespace rondo::sim::detail
