// Waits that only the program knows of: lowlevel::add_awaited_by().
#pragma once

#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace rondo::detail {

/// Few, if any: a list. Both ends are held, so that none of them is another one at the same address.
class awaited_by_service final : public loop_service {
public:
    void close(event_loop&, closing step) noexcept override {
        if (step == closing::work) edges_.clear();
    }
    /// Twice is once.
    void add(future_state& fut, future_state& waiter) {
        if (find(fut, waiter) == edges_.end()) edges_.push_back({counted_ptr(&fut), counted_ptr(&waiter)});
    }
    void discard(future_state& fut, future_state& waiter) {
        const auto found = find(fut, waiter);
        if (found != edges_.end()) edges_.erase(found);
    }
    template <class F> void for_each(F&& fn) const {
        for (const edge& e : edges_) fn(*e.fut, *e.waiter);
    }

private:
    struct edge {
        counted_ptr<future_state> fut;
        counted_ptr<future_state> waiter;
    };
    std::vector<edge>::iterator find(const future_state& fut, const future_state& waiter) {
        return std::ranges::find_if(edges_,
                                    [&](const edge& e) { return e.fut.get() == &fut && e.waiter.get() == &waiter; });
    }
    std::vector<edge> edges_;
};

} // namespace rondo::detail
