// shield(): waiting for something without passing one's own cancellation on to it.
#pragma once

#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/shielding.hpp>
#include <rondo/task/future.hpp>

#include <type_traits>
#include <utility>

namespace rondo {

/// A future that ends as `aw` does; cancelling it, or the task that awaits it, leaves `aw` running. A coroutine becomes a task
/// at once, which the loop keeps. When the shield was cancelled and `aw` fails later, its error goes to the exception handler.
/// Closing the loop still cancels it. For code that has to finish, `cancel_scope({.shield = true})` and finally() are better.
template <class A>
    requires awaitable<A>
[[nodiscard]] future<await_result_t<A>> shield(A&& aw) {
    using T = await_result_t<A>;
    detail::counted_ptr<detail::future_state> inner;
    if constexpr (future_like<A>) inner = detail::counted_ptr<detail::future_state>(aw.state());
    else inner = detail::counted_ptr<detail::future_state>(ensure_future(std::forward<A>(aw)).state());
    if (!inner) throw type_error("a null handle cannot be shielded");
    auto* outer = new detail::shielding<T>(inner->loop());
    future<T> handle{detail::counted_ptr<detail::future_state>::adopt(outer)};
    outer->watch(std::move(inner));
    return handle;
}

} // namespace rondo
