// coro<T>: a lazy coroutine that computes a T.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/coro/config.hpp>
#include <rondo/coro/detail/promise.hpp>
#include <rondo/coro/exceptions.hpp>
#include <rondo/coro/result.hpp>

#include <coroutine>
#include <utility>

namespace rondo {

namespace detail {
struct coro_access;
}

/// Calling a coroutine function runs nothing; its body starts when the coro is awaited or given to create_task().
///
/// Move-only, awaited once and only as an rvalue: `co_await f()` or `co_await std::move(c)`. Awaiting runs the body in the
/// awaiting task, by symmetric transfer: no pass of the loop, no native stack. A coro that was awaited, started or moved
/// from is empty; awaiting it throws invalid_state_error. What the body throws is thrown by the co_await. A cancellation of
/// the awaiting task is thrown inside the body, at the place where it waits. Destroying a coro that was never awaited
/// destroys its arguments; debug mode reports that it never ran. One allocation, from the frame free lists. O(1).
///
/// Belongs to one thread from its first step on; one that was not started may be moved to another. (PEP 492)
///
///     rondo::coro<int> twice(int x) { co_return 2 * x; }
///     rondo::coro<> main_() { int four = co_await twice(2); ... }
template <class T = void>
class [[nodiscard("a coroutine does nothing until it is awaited or started")]] RONDO_CORO_TYPE coro {
public:
    using promise_type = detail::coro_promise<T>;
    using value_type = T;

    coro(coro&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coro& operator=(coro&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~coro() {
        if (frame_) detail::destroy_unstarted(frame_);
    }

    /// False once awaited, started or moved from.
    explicit operator bool() const noexcept { return frame_ != nullptr; }

    detail::coro_awaiter<T> operator co_await() && { return detail::coro_awaiter<T>(release()); }

private:
    friend promise_type;
    friend struct detail::coro_access;
    explicit coro(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    std::coroutine_handle<promise_type> release() {
        if (!frame_) detail::throw_empty_coro();
        return std::exchange(frame_, nullptr);
    }

    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

struct coro_access {
    /// Takes the frame out, to be run as the outermost one of a task. Throws invalid_state_error when there is none.
    template <class T> static std::coroutine_handle<coro_promise<T>> release(coro<T>& c) { return c.release(); }
    /// Leaves it in. Throws as release() does.
    template <class T> static std::coroutine_handle<coro_promise<T>> frame_of(const coro<T>& c) {
        if (!c.frame_) throw_empty_coro();
        return c.frame_;
    }
};

template <class T> coro<T> coro_promise<T>::get_return_object(std::source_location where) noexcept {
    auto frame = std::coroutine_handle<coro_promise>::from_promise(*this);
    this->start_header(frame, where);
    return coro<T>(frame);
}
inline coro<void> coro_promise<void>::get_return_object(std::source_location where) noexcept {
    auto frame = std::coroutine_handle<coro_promise>::from_promise(*this);
    this->start_header(frame, where);
    return coro<void>(frame);
}

/// Any awaitable as a coroutine; a coro is itself.
template <class T> RONDO_CORO_OWNER coro<T> as_coro(coro<T>&& c) noexcept { return std::move(c); }
template <class A>
    requires(awaitable<A> && !is_coro_v<A>)
coro<await_result_t<A>> as_coro(A aw) {
    co_return co_await std::move(aw);
}

} // namespace detail
} // namespace rondo
