// Deadlines in the level-triggered way: move_on_after() gives up quietly, fail_after() throws.
#pragma once

#include <rondo/coro/detail/or_end.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/errors.hpp>
#include <rondo/task/future.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

template <class A> coro<std::optional<non_void_t<await_result_t<A>>>> move_on(delay d, A aw) {
    cancel_scope scope({.deadline = deadline_after(clock::now(), d)});
    auto outcome = co_await as_result(scope.run([&]() -> A&& { return static_cast<A&&>(aw); }));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}
template <class F> coro<std::optional<non_void_t<started_t<F>>>> move_on_call(delay d, F fn) {
    cancel_scope scope({.deadline = deadline_after(clock::now(), d)});
    auto outcome = co_await as_result(scope.run(plain_body<F>{fn}));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}
template <class T> coro<T> or_timeout(coro<std::optional<non_void_t<T>>> attempt) {
    auto outcome = co_await as_result(std::move(attempt));
    if (outcome && !*outcome) outcome.set_error(std::make_exception_ptr(timeout_error()));
    co_await or_end(outcome);
    if constexpr (!std::is_void_v<T>) co_return **std::move(outcome);
}

} // namespace detail

/// Runs an awaitable, or what a callable returns, in a cancel_scope that ends after d; nullopt when it did. What was running
/// is cancelled and awaited before this returns. d <= 0: ends at the first suspension.
template <class A>
    requires awaitable<A>
RONDO_CORO_OWNER coro<std::optional<non_void_t<await_result_t<A>>>> move_on_after(delay d, A&& aw) {
    return detail::move_on<std::remove_cvref_t<A>>(d, std::forward<A>(aw));
}
template <class F>
    requires(!awaitable<F>)
RONDO_CORO_OWNER coro<std::optional<non_void_t<started_t<F>>>> move_on_after(delay d, F&& fn) {
    return detail::move_on_call<std::decay_t<F>>(d, std::forward<F>(fn));
}

/// The same, but throws timeout_error.
template <class A>
    requires awaitable<A>
RONDO_CORO_OWNER coro<await_result_t<A>> fail_after(delay d, A&& aw) {
    return detail::or_timeout<await_result_t<A>>(move_on_after(d, std::forward<A>(aw)));
}
template <class F>
    requires(!awaitable<F>)
RONDO_CORO_OWNER coro<started_t<F>> fail_after(delay d, F&& fn) {
    return detail::or_timeout<started_t<F>>(move_on_after(d, std::forward<F>(fn)));
}

} // namespace rondo
