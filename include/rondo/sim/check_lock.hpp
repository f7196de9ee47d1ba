// check_lock(): a lock of one's own, in a thousand worlds.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/run.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace rondo::sim {

namespace detail {

struct lock_under_test {
    std::function<coro<>()> acquire;
    std::function<void()> release;
};
exploration check_lock(const options& how, const std::function<lock_under_test()>& make);

} // namespace detail

/// Explores what a lock has to keep, whoever is cancelled when: one holds it at a time; those who wait get it in the order of
/// their coming; one who is cancelled loses nothing for the others. `make` gives a new lock, by value or as a pointer to one, with
/// `co_await acquire()` and `release()`; it is called inside of the run. (trio.testing's check_*)
///
///     const auto checked = rondo::sim::check_lock([] { return std::make_unique<my_lock>(); });
///     EXPECT_FALSE(checked.counter_example) << checked.counter_example->str();
template <class F> exploration check_lock(F make, const options& how = {}) {
    return detail::check_lock(how, [make]() mutable {
        auto made = std::make_shared<decltype(make())>(make());
        const auto reach = [made]() -> decltype(auto) {
            if constexpr (requires { *(*made); }) return **made;
            else return *made;
        };
        return detail::lock_under_test{
            [reach]() -> coro<> { co_await reach().acquire(); },
            [reach] { reach().release(); },
        };
    });
}

} // namespace rondo::sim
