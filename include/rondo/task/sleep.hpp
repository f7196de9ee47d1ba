// Letting time pass, and letting others run.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/timer.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

/// One pass of the loop.
class [[nodiscard]] yield_awaiter final : public awaiter {
public:
    yield_awaiter() noexcept = default;
    cancel_outcome cancel(const std::string&) noexcept override { return cancel_outcome::too_late; }
    std::string describe() const override { return "ready to run"; }

    bool await_ready() const noexcept { return false; }
    template <class P> RONDO_AWAIT_SUSPEND void await_suspend(std::coroutine_handle<P> frame) noexcept {
        static_assert(rondo_promise<P>, "this can only be awaited inside a rondo coroutine");
        suspend_for_a_pass(frame);
    }
    void await_resume() {
        if (std::exception_ptr error = take_interruption()) std::rethrow_exception(std::move(error));
    }
    result<void> await_result() { return result<void>(take_interruption()); }
};

class sleep_awaiter_base : public awaiter {
public:
    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

protected:
    explicit sleep_awaiter_base(delay d) noexcept : delay_(d) {}
    explicit sleep_awaiter_base(time_point until) noexcept : delay_(no_timeout), until_(until), absolute_(true) {}
    sleep_awaiter_base(sleep_awaiter_base&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)),
          delay_(other.delay_),
          until_(other.until_),
          absolute_(other.absolute_) {}
    ~sleep_awaiter_base();
    void start() noexcept;

private:
    struct alarm : timer_node {
        explicit alarm(sleep_awaiter_base& o) noexcept : timer_node(&ring), owner(o) {}
        static void ring(timer_node& node, event_loop& loop) noexcept;
        sleep_awaiter_base& owner;
    };
    delay delay_;
    time_point until_{};
    bool absolute_ = false;
    alarm alarm_{*this};
};

template <class T> class [[nodiscard]] sleep_awaiter final : public sleep_awaiter_base {
public:
    template <class When, class... V>
    explicit sleep_awaiter(When when, V&&... value) : sleep_awaiter_base(when), value_(std::forward<V>(value)...) {}

    bool await_ready() const noexcept { return false; }
    template <class P> RONDO_AWAIT_SUSPEND void await_suspend(std::coroutine_handle<P> frame) {
        static_assert(rondo_promise<P>, "this can only be awaited inside a rondo coroutine");
        if (this->suspend(frame)) start();
    }
    T await_resume() {
        if (std::exception_ptr error = take_interruption()) std::rethrow_exception(std::move(error));
        if constexpr (!std::is_void_v<T>) return std::move(value_);
    }
    result<T> await_result() {
        if (std::exception_ptr error = take_interruption()) return result<T>(std::move(error));
        if constexpr (std::is_void_v<T>) return result<void>();
        else return result<T>(std::move(value_));
    }

private:
    [[no_unique_address]] std::conditional_t<std::is_void_v<T>, std::monostate, T> value_;
};

} // namespace detail

/// One pass of the loop: everything that is ready runs before this task goes on.
inline detail::yield_awaiter yield() noexcept { return {}; }
/// yield(), under the name that says why it stands there: a place where the scopes' cancellation is noticed.
inline detail::yield_awaiter checkpoint() noexcept { return {}; }

/// Suspends for d: <= 0 is one pass, no_timeout is for ever. Cancellation ends it at once. One timer, in the frame: O(1), no
/// allocation. NaN: value_error.
inline detail::sleep_awaiter<void> sleep(delay d) { return detail::sleep_awaiter<void>(d); }
template <class T> detail::sleep_awaiter<std::decay_t<T>> sleep(delay d, T&& value) {
    return detail::sleep_awaiter<std::decay_t<T>>(d, std::forward<T>(value));
}
inline detail::sleep_awaiter<void> sleep_until(time_point when) { return detail::sleep_awaiter<void>(when); }
inline detail::sleep_awaiter<void> sleep_forever() { return detail::sleep_awaiter<void>(delay(no_timeout)); }

} // namespace rondo
