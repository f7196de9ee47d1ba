// The coroutine of a body form: run(body).
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>

#include <exception>
#include <utility>

namespace rondo::detail {

template <class T> coro<T> failed_coro(std::exception_ptr error) {
    co_await std::suspend_never();
    std::rethrow_exception(std::move(error));
}

/// The awaitable that a body returns, as a coroutine. A body that throws before it returns one gives a coroutine that throws.
template <class F, class S> RONDO_CORO_WRAPPER coro<body_t<F, S>> start_body(F& body, S& scope) {
    try {
        return as_coro(call_body(body, scope));
    } catch (...) {
        return failed_coro<body_t<F, S>>(std::current_exception());
    }
}

} // namespace rondo::detail
