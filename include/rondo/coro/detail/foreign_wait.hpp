// Awaiting what knows nothing of tasks: an awaiter of somebody else's, with an await_suspend(std::coroutine_handle<>) of its
// own, as in cppcoro, folly or a program.
//
// It is not given the frame's handle but a gate: resuming that makes the task ready, so that the frame goes on in a step of
// its task, in its context, in the loop's thread, whoever resumed it and wherever. The library's own awaiters do that by
// themselves and are never wrapped.
#pragma once

#include <rondo/coro/config.hpp>
#include <rondo/coro/frame.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// The part that knows tasks; its functions stand on the task floor (src/task/foreign_wait.cpp). While it waits, a
/// cancellation comes too late: the awaiter cannot be asked. One that was pending before is delivered instead of waiting.
class foreign_wait : private resumable {
public:
    foreign_wait() noexcept;
    foreign_wait(const foreign_wait&) = delete;
    foreign_wait& operator=(const foreign_wait&) = delete;
    ~foreign_wait();

protected:
    /// The gate. Null: the task is being cancelled and ready already, nothing must be asked of the awaiter. A frame that no
    /// task runs is its own gate. Allocates, so that a resumption from another thread never has to.
    std::coroutine_handle<> begin(std::coroutine_handle<> frame);
    /// It does not wait after all.
    void withdraw() noexcept;
    /// Throws the cancellation that was delivered instead of waiting.
    void rethrow_cancellation() {
        if (begun_) [[unlikely]]
            rethrow_if_cancelled();
    }

private:
    class parked;
    parked& place() noexcept;
    void rethrow_if_cancelled();
    static void pass(resumable* gate) noexcept;

    bool begun_ = false;
    alignas(void*) std::byte place_[6 * sizeof(void*)]; // of a parked, from begin() on
};

/// W: the foreign awaiter, or a reference to it.
template <class W> class foreign_awaiter final : private foreign_wait {
public:
    using is_own_awaiter = void;

    /// make() gives the W, in place.
    template <std::invocable M> explicit foreign_awaiter(M&& make) : inner_(std::forward<M>(make)()) {}

    bool await_ready() noexcept(noexcept(inner_.await_ready())) { return static_cast<bool>(inner_.await_ready()); }
    template <class P> RONDO_AWAIT_SUSPEND std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) {
        static_assert(
            requires { inner_.await_suspend(std::coroutine_handle<>()); },
            "this awaiter wants to know the promise of whoever awaits it: rondo's coroutines do not tell");
        using answer = decltype(inner_.await_suspend(std::coroutine_handle<>()));
        try {
            const std::coroutine_handle<> gate = begin(frame);
            if (!gate) return std::noop_coroutine();
            // From the call on the frame may be gone: no member is touched, unless the awaiter says that it does not wait.
            if constexpr (std::is_void_v<answer>) {
                inner_.await_suspend(gate);
                return std::noop_coroutine();
            } else if constexpr (std::same_as<answer, bool>) {
                if (inner_.await_suspend(gate)) return std::noop_coroutine();
            } else {
                const std::coroutine_handle<> next = inner_.await_suspend(gate);
                if (next != gate) return next;
            }
        } catch (...) {
            error_ = std::current_exception(); // clang 16 lets what await_suspend throws out of the coroutine
        }
        withdraw();
        return frame;
    }
    decltype(auto) await_resume() {
        if (error_) [[unlikely]]
            std::rethrow_exception(std::move(error_));
        rethrow_cancellation();
        return inner_.await_resume();
    }

private:
    W inner_;
    std::exception_ptr error_;
};

} // namespace rondo::detail
