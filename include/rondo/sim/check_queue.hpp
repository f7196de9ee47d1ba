// check_queue(): a queue of one's own, in a thousand worlds.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/run.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace rondo::sim {

namespace detail {

struct queue_under_test {
    std::function<coro<>(int)> put;
    std::function<coro<int>()> get;
};
exploration check_queue(const options& how, std::size_t capacity, const std::function<queue_under_test()>& make);

} // namespace detail

/// Explores what a bounded queue has to keep, whoever is cancelled when: what was put is got once, in the order of putting; a get()
/// that was cancelled has taken nothing, a put() that was cancelled has put its item or has not; with nobody who gets, `capacity`
/// items go in and the next put() waits. `make` gives a new queue of ints with that capacity, by value or as a pointer to one, with
/// `co_await put(int)` and `co_await get()`; it is called inside of the run.
///
///     const auto checked = rondo::sim::check_queue(2, [] { return std::make_unique<my_queue<int>>(2); });
template <class F> exploration check_queue(std::size_t capacity, F make, const options& how = {}) {
    return detail::check_queue(how, capacity, [make]() mutable {
        auto made = std::make_shared<decltype(make())>(make());
        const auto reach = [made]() -> decltype(auto) {
            if constexpr (requires { *(*made); }) return **made;
            else return *made;
        };
        return detail::queue_under_test{
            [reach](int item) -> coro<> { co_await reach().put(item); },
            [reach]() -> coro<int> { co_return co_await reach().get(); },
        };
    });
}

} // namespace rondo::sim
