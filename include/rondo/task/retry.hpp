// retry(): another attempt, after a while.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/sleep.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

namespace rondo {

/// The pause before the n-th retry is initial * factor^(n-1), at most maximum, less a random part of it: jitter 0.5 takes away
/// up to half. Without jitter, clients that failed together come back together (Marc Brooker, Exponential Backoff And Jitter).
struct retry_policy {
    std::size_t attempts = 5; // the first one too
    duration initial = std::chrono::milliseconds(100);
    double factor = 2.0;
    duration maximum = std::chrono::seconds(30);
    double jitter = 0.5;
    std::function<bool(const std::exception_ptr&)> retry_if =
        nullptr; // not set: every std::exception, and what is of no family
};

namespace detail {

/// How far a retry() has come.
class retry_state {
public:
    /// value_error for a policy that makes no sense.
    explicit retry_state(retry_policy policy);
    /// After a failure: there is to be another attempt. What retry_if throws goes on.
    bool again(const std::exception_ptr& error);
    /// How long to wait before it.
    duration pause();

private:
    retry_policy policy_;
    std::size_t failures_ = 0;
    double next_; // nanoseconds, before jitter
};

} // namespace detail

/// Awaits fn() until it succeeds, at most `attempts` times, with pauses that grow; then throws the last error. Only an error is
/// tried again that retry_if takes; a cancellation, an interrupt or an exit request never is. Cancelled, it ends at once, in an
/// attempt or between two. fn is called anew for every attempt.
///
///     auto page = co_await rondo::retry({.attempts = 3}, [&] { return rondo::timeout(1s, fetch(url)); });
template <class F> coro<started_t<F>> retry(retry_policy policy, F fn) {
    struct nothing {
    } no_scope;
    detail::retry_state state(std::move(policy));
    for (;;) {
        auto outcome = co_await as_result(detail::start_body(fn, no_scope));
        if (outcome || !state.again(outcome.error())) co_return std::move(outcome).value();
        co_await sleep(state.pause());
    }
}

} // namespace rondo
