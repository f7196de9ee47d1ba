// finally(): cleanup that awaits, on every path.
#pragma once

#include <rondo/coro/detail/or_end.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/replaced_by.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/detail/uninterrupted.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/move_on_after.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace rondo {

struct finally_options {
    delay cleanup_timeout = no_timeout;
};

namespace detail {

template <class C> coro<> run_cleanup(C& cleanup) {
    if constexpr (std::is_void_v<std::invoke_result_t<C&>>) cleanup();
    else static_cast<void>(co_await cleanup());
    co_return;
}

template <class F, class C> coro<started_t<F>> finally_call(F body, C cleanup, finally_options options) {
    struct nothing {
    } no_scope;
    auto outcome = co_await as_result(start_body(body, no_scope));
    result<void> cleaned;
    {
        uninterrupted stretch;
        if (options.cleanup_timeout.is_none()) cleaned = co_await as_result(run_cleanup(cleanup));
        else cleaned = co_await as_result(fail_after(options.cleanup_timeout, run_cleanup(cleanup)));
    }
    if (!cleaned) outcome.set_error(replaced_by(cleaned.error(), outcome.error()));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}

} // namespace detail

/// Runs the body, an awaitable or a callable that gives one, then the cleanup, a callable that may give an awaitable, whatever
/// came of the body: a value, an error, a cancellation. Then what came of the body goes on. The cleanup is not interrupted:
/// neither by scopes nor by task::cancel(), which is delivered after it; `cleanup_timeout` bounds it, and then throws
/// timeout_error. What the cleanup throws replaces what the body threw, and cause_of() it is that. (try/finally with an await
/// in it, which C++ has not.)
///
///     co_await rondo::finally([&] { return use(connection); }, [&] { return connection.aclose(); });
template <class A, class C>
    requires awaitable<A>
RONDO_CORO_OWNER coro<await_result_t<A>> finally(A body, C cleanup, finally_options options = {}) {
    auto give = [aw = std::move(body)]() mutable -> A&& { return std::move(aw); };
    return detail::finally_call<decltype(give), C>(std::move(give), std::move(cleanup), options);
}
template <class F, class C>
    requires(!awaitable<F>)
RONDO_CORO_OWNER coro<started_t<F>> finally(F body, C cleanup, finally_options options = {}) {
    return detail::finally_call<F, C>(std::move(body), std::move(cleanup), options);
}

} // namespace rondo
