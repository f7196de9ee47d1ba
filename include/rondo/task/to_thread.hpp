// to_thread(): blocking work, awaited.
#pragma once

#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/thread_call.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

class thread_waiter : public awaiter, private outcome_owner {
public:
    void attach(frame_header& frame) noexcept {
        awaiter::attach(frame);
        where_ = frame.await_at;
    }
    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

protected:
    explicit thread_waiter(std::shared_ptr<thread_call> call) noexcept : call_(std::move(call)) {}
    thread_waiter(thread_waiter&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)), call_(std::move(other.call_)) {}
    ~thread_waiter();

    bool try_now() const;
    void enqueue() noexcept;
    /// What came in the way of the call: a cancellation, or that it could not be started.
    std::exception_ptr obstacle() noexcept;

    std::shared_ptr<thread_call> call_;

private:
    void call_ended() noexcept override { settle(); }
    void call_abandoned() noexcept override {} // its task is torn down next

    std::exception_ptr not_started_;
    std::source_location where_{};
};

template <class R, class Waiter = thread_waiter>
class [[nodiscard]] thread_awaiter final : public leaf_awaiter<thread_awaiter<R, Waiter>, R, Waiter> {
    using base = leaf_awaiter<thread_awaiter<R, Waiter>, R, Waiter>;
    friend base;

public:
    explicit thread_awaiter(std::shared_ptr<thread_call_for<R>> call) noexcept : base(std::move(call)) {}

private:
    result<R>& outcome() noexcept { return static_cast<thread_call_for<R>&>(*this->call_).outcome; }
    std::exception_ptr failure() noexcept {
        if (std::exception_ptr error = this->obstacle()) return error;
        return outcome().take_error();
    }
    R value() {
        if constexpr (!std::is_void_v<R>) return *std::move(outcome());
    }
};

} // namespace detail

/// Awaits fn(args...), which runs in a thread of the default executor, in a copy of the current context. Callable and arguments
/// are copied or moved, std::ref opts out; they are used and destroyed in that thread. Nothing starts before the await.
///
/// Suspends; what fn throws is thrown here. Cancelled, by task::cancel() or a scope, it returns at once: fn never runs when it
/// has not begun, otherwise it runs on, can see the cancellation with from_thread::check_cancelled(), and what it returns is
/// dropped. Closing the loop waits for it. Two allocations, none of them in the thread. (asyncio.to_thread)
///
///     std::string text = co_await rondo::to_thread(read_whole_file, path);
template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
detail::thread_awaiter<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> to_thread(F&& fn, Args&&... args) {
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    return detail::thread_awaiter<R>(detail::make_thread_call(std::forward<F>(fn), std::forward<Args>(args)...));
}

} // namespace rondo
