// Letting time pass, and letting others run.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/timer.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

/// One pass of the loop. Nobody has to settle it, so it is no awaiter of the protocol: the task is never blocked on it.
class [[nodiscard]] yield_awaiter {
public:
    yield_awaiter() noexcept = default;
    void attach(frame_header& frame) noexcept { task_ = task_of_frame(frame); }
    bool await_ready() const noexcept { return false; }
    template <class P> RONDO_AWAIT_SUSPEND void await_suspend(std::coroutine_handle<P> frame) noexcept {
        static_assert(rondo_promise<P>, "this can only be awaited inside a rondo coroutine");
        cancelled_ = task_->give_way(frame);
    }
    void await_resume() {
        if (cancelled_ || task_->must_cancel()) [[unlikely]]
            rethrow();
    }
    result<void> await_result() noexcept;

private:
    void rethrow();
    task_record* task_ = nullptr;
    bool cancelled_ = false;
};

class sleep_awaiter_base : public awaiter, private timer_node {
public:
    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

protected:
    explicit sleep_awaiter_base(delay d) noexcept : timer_node(&ring), until_(d.is_none() ? kind::never : kind::after) {
        when = time_point(d.value());
    }
    explicit sleep_awaiter_base(time_point until) noexcept : timer_node(&ring), until_(kind::at) { when = until; }
    sleep_awaiter_base(sleep_awaiter_base&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)), timer_node(&ring), until_(other.until_) {
        when = other.when;
    }
    ~sleep_awaiter_base();
    void start() noexcept;

private:
    static void ring(timer_node& node, event_loop& loop) noexcept;
    enum class kind : std::uint8_t { never, after, at };
    /// What the timer's `when` means until it is armed: `after` counts from the beginning of the clock.
    const kind until_;
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
