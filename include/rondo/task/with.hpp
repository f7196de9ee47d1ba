// with(): a resource whose entering and leaving are awaited (PEP 492: async with).
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/detail/or_end.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/replaced_by.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/detail/uninterrupted.hpp>
#include <rondo/task/finally.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo {

/// aenter() gives an awaitable; aexit(exception_ptr), told of the error or null, an awaitable of void, or of bool: true swallows
/// the error.
template <class R>
concept async_resource = requires(R& r, std::exception_ptr e) {
    r.aenter();
    r.aexit(e);
} && awaitable<decltype(std::declval<R&>().aenter())> && awaitable<decltype(std::declval<R&>().aexit(nullptr))>;

namespace detail {

template <class R> using exit_t = await_result_t<decltype(std::declval<R&>().aexit(nullptr))>;
template <class R, class T>
using with_t = std::conditional_t<std::is_void_v<exit_t<R>>, T, std::optional<non_void_t<T>>>;
template <class R> using entered_t = std::remove_reference_t<await_result_t<decltype(std::declval<R&>().aenter())>>;
/// What the body is given: what entering gave, or the resource.
template <class R> using scope_of_t = std::conditional_t<std::is_void_v<entered_t<R>>, R, entered_t<R>>;

template <class R> coro<bool> leave_resource(R& resource, std::exception_ptr error) {
    if constexpr (std::is_void_v<exit_t<R>>) {
        co_await resource.aexit(std::move(error));
        co_return false;
    } else {
        co_return static_cast<bool>(co_await resource.aexit(std::move(error)));
    }
}

/// fail_after(), where there is a limit.
template <class T> RONDO_CORO_OWNER coro<T> in_time(delay limit, coro<T> cleanup) {
    if (limit.is_none()) return cleanup;
    return fail_after(limit, std::move(cleanup));
}

template <class R, class F, class S>
coro<with_t<R, body_t<F, S>>> with_entered(R& resource, F& body, S& scope, finally_options options) {
    using T = body_t<F, S>;
    auto outcome = co_await as_result(start_body(body, scope));
    result<bool> swallowed(false);
    {
        uninterrupted stretch;
        swallowed = co_await as_result(in_time(options.cleanup_timeout, leave_resource(resource, outcome.error())));
    }
    if (!swallowed) outcome.set_error(replaced_by(swallowed.error(), outcome.error()));
    else if constexpr (!std::is_void_v<exit_t<R>>) {
        if (!outcome && *swallowed) co_return std::nullopt;
    }
    co_await or_end(outcome);
    if constexpr (!std::is_void_v<exit_t<R>> && std::is_void_v<T>) co_return std::monostate();
    else co_return std::move(outcome).value();
}

/// R: the resource, or a reference to it.
template <class R, class F>
coro<with_t<std::remove_reference_t<R>, body_t<F, scope_of_t<std::remove_reference_t<R>>>>>
with(R resource, F body, finally_options options) {
    using own = std::remove_reference_t<R>;
    if constexpr (std::is_void_v<entered_t<own>>) {
        co_await resource.aenter();
        co_return co_await with_entered<own>(resource, body, resource, options);
    } else {
        auto&& entered = co_await resource.aenter();
        co_return co_await with_entered<own>(resource, body, entered, options);
    }
}

} // namespace detail

/// Enters, runs body(entered), or body(resource) when entering gives nothing, or body(), and leaves on every path: after a value,
/// an error, a cancellation. Leaving is not interrupted, as the cleanup of finally(), and `cleanup_timeout` bounds it in the
/// same way: timeout_error. Gives the value of the body; when aexit() can
/// swallow errors an optional of it, nullopt when it did. What aexit() throws replaces the error of the body, which is then its
/// cause_of(). When aenter() throws, nothing else is called. The resource is an lvalue, or moved into the coroutine.
///
///     co_await rondo::with(pool.connection(), [](connection& c) -> rondo::coro<> { co_await c.execute("..."); });
template <async_resource R, class F, class E = detail::scope_of_t<R>>
RONDO_CORO_WRAPPER coro<detail::with_t<R, body_t<F, E>>> with(R& resource, F body, finally_options options = {}) {
    return detail::with<R&, F>(resource, std::move(body), options);
}
template <async_resource R, class F, class E = detail::scope_of_t<R>>
    requires(!std::is_lvalue_reference_v<R>)
RONDO_CORO_WRAPPER coro<detail::with_t<R, body_t<F, E>>> with(R&& resource, F body, finally_options options = {}) {
    return detail::with<R, F>(std::forward<R>(resource), std::move(body), options);
}

} // namespace rondo
