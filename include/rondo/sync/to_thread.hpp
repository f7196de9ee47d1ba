// to_thread() with a capacity_limiter: blocking work, awaited, at most so many calls at once.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sync/capacity_limiter.hpp>
#include <rondo/task/to_thread.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

/// A call that has a token as long as it may run, whoever waits for it.
template <class R, class F, class... A> class limited_call final : public thread_call_of<R, F, A...> {
public:
    using thread_call_of<R, F, A...>::thread_call_of;
    limiter_token token;

private:
    void over() noexcept override { token.release(); }
};

/// Knows the call by the place where the user awaits it, not by that in the frame below.
class limited_thread_waiter : public thread_waiter {
public:
    void attach(frame_header& frame) noexcept;

protected:
    using thread_waiter::thread_waiter;
    limited_thread_waiter(limited_thread_waiter&&) noexcept = default;
    ~limited_thread_waiter() = default;
};

template <class R>
coro<R> call_with_token(capacity_limiter* limiter, limiter_token* token, std::shared_ptr<thread_call_for<R>> call) {
    co_await limiter_awaiter<void>(*limiter, borrower{.key = token, .token = token});
    co_return co_await thread_awaiter<R, limited_thread_waiter>(std::move(call));
}

} // namespace detail

/// to_thread(fn, args...) that first waits for a token of `limiter`, which must live until then. The call has the token, in the
/// name of the awaiting task, until it has ended: when the await was cancelled and the thread runs on, the token is still
/// out. A task may have any number of such calls. Cancelled while it waits for the token or for a thread, fn never runs. One
/// coroutine frame beside what to_thread() costs. (trio.to_thread.run_sync)
///
///     rondo::capacity_limiter disk(4);
///     std::string text = co_await rondo::to_thread(disk, read_whole_file, path);
template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
RONDO_CORO_WRAPPER coro<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>
to_thread(capacity_limiter& limiter, F&& fn, Args&&... args) {
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    auto call = std::make_shared<detail::limited_call<R, std::decay_t<F>, std::decay_t<Args>...>>(
        std::forward<F>(fn), std::forward<Args>(args)...);
    detail::limiter_token* const token = &call->token;
    return detail::call_with_token<R>(&limiter, token, std::move(call));
}

} // namespace rondo
