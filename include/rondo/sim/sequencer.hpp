// sequencer: tasks that take turns, in an order that the test says.
#pragma once

#include <rondo/coro/coro.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace rondo::sim {

/// turn(n) waits until the turns 0 to n - 1 are over, and gives a guard: while that lives it is turn n. Each turn is taken once:
/// runtime_error otherwise. Cancelled while it waits, its turn will never come, and neither will those after it: they throw
/// runtime_error, as all do that come later. In any loop, simulated or not; belongs to that loop. O(1). (trio.testing.Sequencer)
///
///     rondo::sim::sequencer order;
///     co_await rondo::gather(
///         [&]() -> rondo::coro<> { auto first = co_await order.turn(0);  log("one"); }(),
///         [&]() -> rondo::coro<> { auto second = co_await order.turn(1); log("two"); }());
class sequencer {
    struct state;

public:
    class turn_guard {
    public:
        turn_guard(turn_guard&& other) noexcept : of_(std::move(other.of_)), n_(other.n_) {}
        turn_guard& operator=(turn_guard&&) = delete;
        ~turn_guard();

    private:
        friend class sequencer;
        turn_guard(std::shared_ptr<state> of, std::size_t n) noexcept : of_(std::move(of)), n_(n) {}
        std::shared_ptr<state> of_;
        std::size_t n_;
    };

    sequencer();
    coro<turn_guard> turn(std::size_t n);

private:
    std::shared_ptr<state> state_;
};

} // namespace rondo::sim
