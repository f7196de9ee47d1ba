// Timeouts with asyncio's meaning: when time is up, the task is cancelled once, and its cancellation becomes a
// timeout_error. For code that must end whatever it catches, see cancel_scope and fail_after().
#pragma once

#include <rondo/coro/detail/or_end.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/loop/detail/timer.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/detail/wait_core.hpp>
#include <rondo/task/errors.hpp>
#include <rondo/task/future.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace rondo {

/// A timeout that can be moved while its body runs. A body that swallows the cancellation and returns ends normally, and
/// expired() says what happened; a cancellation that somebody else asked for goes on. Nested timeouts with the same
/// deadline: the outermost throws. A deadline that has passed is noticed in the next pass. Used once, inside a task.
/// (asyncio.timeout, Python 3.14)
///
///     rondo::timeout_scope limit(1s);
///     co_await limit.run([&]() -> rondo::coro<> { while (more()) { co_await step(); limit.reschedule(now() + 1s); } });
class timeout_scope {
public:
    explicit timeout_scope(delay d) : after_(d) {}
    static timeout_scope at(deadline when);
    timeout_scope(const timeout_scope&) = delete;
    timeout_scope& operator=(const timeout_scope&) = delete;
    ~timeout_scope();

    /// Throws timeout_error when time was up, what the body throws otherwise. A second time: runtime_error.
    template <class F> coro<body_t<F, timeout_scope>> run(F body) {
        enter();
        auto outcome = co_await as_result(detail::start_body(body, *this));
        if (auto error = exit(outcome.error())) outcome.set_error(std::move(error));
        co_await detail::or_end(outcome);
        co_return std::move(outcome).value();
    }

    /// nullopt: never. runtime_error unless the body is running and time is not up.
    void reschedule(deadline when);
    deadline when() const noexcept { return when_; }
    bool expired() const noexcept { return phase_ == phase::expiring || phase_ == phase::expired; }

private:
    enum class phase : std::uint8_t { created, active, expiring, expired, finished };
    struct absolute {};
    timeout_scope(absolute, deadline when) : after_(no_timeout), when_(when), absolute_(true) {}
    void enter();
    /// What to throw instead of the outcome, or null.
    std::exception_ptr exit(const std::exception_ptr& error) noexcept;
    void arm();

    struct alarm : detail::timer_node {
        explicit alarm(timeout_scope& s) noexcept : timer_node(&ring), scope(s) {}
        static void ring(timer_node& node, event_loop& loop) noexcept;
        timeout_scope& scope;
    };

    delay after_;
    deadline when_;
    bool absolute_ = false;
    phase phase_ = phase::created;
    int cancels_at_entry_ = 0;
    detail::task_record* task_ = nullptr;
    alarm alarm_{*this};
};

namespace detail {

// An awaitable that was given as an lvalue is a handle, which is copied; everything else is moved into the frame.
template <class A> coro<await_result_t<A>> timeout_after(delay d, A aw) {
    timeout_scope scope(d);
    auto outcome = co_await as_result(scope.run([&]() -> A&& { return static_cast<A&&>(aw); }));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}
template <class A> coro<await_result_t<A>> timeout_until(deadline when, A aw) {
    timeout_scope scope = timeout_scope::at(when);
    auto outcome = co_await as_result(scope.run([&]() -> A&& { return static_cast<A&&>(aw); }));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}
template <class F> coro<started_t<F>> timeout_call_after(delay d, F fn) {
    timeout_scope scope(d);
    auto outcome = co_await as_result(scope.run(plain_body<F>{fn}));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}
template <class F> coro<started_t<F>> timeout_call_until(deadline when, F fn) {
    timeout_scope scope = timeout_scope::at(when);
    auto outcome = co_await as_result(scope.run(plain_body<F>{fn}));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}
template <class A> coro<await_result_t<A>> wait_for(A aw, delay timeout) {
    if (!timeout.is_none() && timeout.value() <= duration::zero()) {
        if constexpr (future_like<A>) {
            if (!aw.done()) {
                aw.cancel();
                const counted_ptr<future_state> asked(aw.state());
                co_await wait_awaiter({asked},
                                      return_when::all_completed); // what cancels the waiting is not its outcome
                if (asked->state() == future_state::status::cancelled)
                    std::rethrow_exception(make_timeout_error(asked->error()));
            }
            co_return co_await aw;
        } else {
            throw timeout_error(); // never started
        }
    }
    auto outcome = co_await as_result(timeout_after<A>(timeout, std::move(aw)));
    co_await or_end(outcome);
    co_return std::move(outcome).value();
}

} // namespace detail

/// Runs an awaitable, or what a callable returns, in this task for at most d (no_timeout: no limit), and gives its value.
/// When time is up it is cancelled and awaited, then timeout_error is thrown.
template <class A>
    requires awaitable<A>
RONDO_CORO_OWNER coro<await_result_t<A>> timeout(delay d, A&& aw) {
    return detail::timeout_after<std::remove_cvref_t<A>>(d, std::forward<A>(aw));
}
template <class F>
    requires(!awaitable<F>)
RONDO_CORO_OWNER coro<started_t<F>> timeout(delay d, F&& fn) {
    return detail::timeout_call_after<std::decay_t<F>>(d, std::forward<F>(fn));
}
/// The same with a point in time; nullopt: never.
template <class A>
    requires awaitable<A>
RONDO_CORO_OWNER coro<await_result_t<A>> timeout_at(deadline when, A&& aw) {
    return detail::timeout_until<std::remove_cvref_t<A>>(when, std::forward<A>(aw));
}
template <class F>
    requires(!awaitable<F>)
RONDO_CORO_OWNER coro<started_t<F>> timeout_at(deadline when, F&& fn) {
    return detail::timeout_call_until<std::decay_t<F>>(when, std::forward<F>(fn));
}

/// timeout() with the arguments in asyncio's order, and its rule for timeout <= 0: a coroutine is never started, a future that
/// is done gives its value, one that is not is cancelled and awaited, then timeout_error, or what came of it in spite of that.
template <class A>
    requires awaitable<A>
RONDO_CORO_OWNER coro<await_result_t<A>> wait_for(A&& aw, delay timeout) {
    return detail::wait_for<std::remove_cvref_t<A>>(std::forward<A>(aw), timeout);
}

} // namespace rondo
