// The orders in which a queue gives its items.
#pragma once

namespace rondo {

/// First in, first out: queue<T>.
struct fifo_order {};
/// Last in, first out: lifo_queue<T>.
struct lifo_order {};
/// Least first, as `compare` says; equal ones in the order in which they were put: priority_queue<T>.
///
///     const auto by_due = [](const job& a, const job& b) { return a.due < b.due; };
///     rondo::queue<job, rondo::priority_order<decltype(by_due)>> jobs(100, {by_due});
template <class Compare> struct priority_order {
    Compare compare{};
};

} // namespace rondo
