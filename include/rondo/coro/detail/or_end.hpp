// Ending a coroutine with an error that is there as a value.
#pragma once

#include <rondo/coro/detail/promise.hpp>

#include <coroutine>
#include <exception>
#include <utility>

namespace rondo::detail {

/// `co_await or_end(outcome)`: goes on when the outcome is a value. Otherwise the coroutine ends here, with that error, as if
/// it had thrown it, but nothing is thrown and caught in its own frame, which costs about a microsecond: a cancellation that
/// passes through a timeout costs what the program's own frames cost. What lives in the frame dies with it, before whoever
/// awaits it goes on; no catch clause of this coroutine sees the error.
template <class R> class or_end {
public:
    using is_own_awaiter = void;

    explicit or_end(R& outcome) noexcept : outcome_(outcome) {}
    bool await_ready() const noexcept { return outcome_.has_value(); }
    template <class P> RONDO_AWAIT_SUSPEND std::coroutine_handle<>
    await_suspend(std::coroutine_handle<P> frame) noexcept {
        frame.promise().outcome().set_error(outcome_.take_error());
        return transfer_to(frame.promise().continuation, frame.promise().task);
    }
    void await_resume() const noexcept {}

private:
    R& outcome_;
};

/// The same with an error that is there by itself: `co_await end_with(error)` goes on when it is null.
class end_with {
public:
    using is_own_awaiter = void;

    explicit end_with(std::exception_ptr error) noexcept : error_(std::move(error)) {}
    bool await_ready() const noexcept { return error_ == nullptr; }
    template <class P> RONDO_AWAIT_SUSPEND std::coroutine_handle<>
    await_suspend(std::coroutine_handle<P> frame) noexcept {
        frame.promise().outcome().set_error(std::move(error_));
        return transfer_to(frame.promise().continuation, frame.promise().task);
    }
    void await_resume() const noexcept {}

private:
    std::exception_ptr error_;
};

} // namespace rondo::detail
