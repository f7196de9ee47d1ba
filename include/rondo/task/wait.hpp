// wait() and wait_any(): waiting for several futures without consuming them.
#pragma once

#include <rondo/task/detail/wait_core.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/wait_options.hpp>

#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

namespace rondo {

/// Both in the order of the arguments, each handle once.
template <class H> struct wait_result {
    std::vector<H> done;
    std::vector<H> pending;
};

namespace detail {

template <class H> std::vector<counted_ptr<future_state>> states_of(const std::vector<H>& futures) {
    std::vector<counted_ptr<future_state>> states;
    states.reserve(futures.size());
    for (const H& f : futures) states.emplace_back(f.state());
    return states;
}

template <class H> coro<wait_result<H>> wait(std::vector<H> futures, wait_options options) {
    if (futures.empty()) throw value_error("wait() needs at least one future");
    std::vector<H> unique;
    for (const std::size_t place : first_places(states_of(futures))) unique.push_back(std::move(futures[place]));
    // What ends the waiting for lack of time is a scope of its own, so that nothing else is touched.
    static_cast<void>(co_await move_on_after(options.timeout, wait_awaiter(states_of(unique), options.return_when)));
    wait_result<H> result;
    for (H& f : unique) (f.done() ? result.done : result.pending).push_back(std::move(f));
    co_return result;
}

template <class H> coro<std::size_t> wait_any(std::vector<H> futures) {
    if (futures.empty()) throw value_error("wait_any() needs at least one future");
    co_await wait_awaiter(states_of(futures), return_when::first_completed);
    std::size_t index = 0;
    while (!futures[index].done()) ++index;
    co_return index;
}

} // namespace detail

/// Waits until the condition of the options holds or time is up. Throws nothing that the futures hold, and cancels none of
/// them, neither on timeout nor when the waiting task is cancelled. Costs a pass even when all are done. No futures:
/// value_error.
template <future_like H> RONDO_CORO_OWNER coro<wait_result<H>> wait(std::vector<H> futures, wait_options options = {}) {
    return detail::wait(std::move(futures), options);
}
template <future_like H> RONDO_CORO_OWNER coro<wait_result<H>> wait(std::initializer_list<H> futures,
                                                                    wait_options options = {}) {
    return detail::wait(std::vector<H>(futures), options);
}

/// The index of the first that is done; when several are, the first of them in the order of the arguments.
template <future_like... H>
    requires(sizeof...(H) > 0)
RONDO_CORO_OWNER coro<std::size_t> wait_any(const H&... futures) {
    return detail::wait_any(std::vector<future_base>{futures...});
}
template <future_like H> RONDO_CORO_OWNER coro<std::size_t> wait_any(std::vector<H> futures) {
    return detail::wait_any(std::move(futures));
}

} // namespace rondo
