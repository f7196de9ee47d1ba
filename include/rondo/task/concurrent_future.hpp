// concurrent_future<T>: a value that will be there, for threads that wait for it by blocking.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/task/detail/concurrent_state.hpp>
#include <rondo/task/errors.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo {

/// A shared handle; it and its copies may be used in any thread, each handle by one thread at a time. The outcome is set
/// once: a value, an error, or cancelled. get() blocks the thread; in a thread in which an event loop runs it throws
/// runtime_error instead, unless the outcome is there: await wrap_future() in there. A handle that was moved from is null and
/// can only be assigned to. (concurrent.futures.Future)
///
///     rondo::concurrent_future<int> answer = rondo::run_coroutine_threadsafe(loop, ask, "life");
///     int x = answer.get(5s);
template <class T = void> class concurrent_future {
    static constexpr bool is_void = std::is_void_v<T>;
    static_assert(!std::is_reference_v<T>, "a concurrent_future holds values: use a pointer or std::reference_wrapper");

public:
    using value_type = T;

    /// Pending; whoever has a handle sets the outcome.
    concurrent_future() : state_(std::make_shared<detail::concurrent_state_of<T>>()) {}
    explicit concurrent_future(std::shared_ptr<detail::concurrent_state_of<T>> state) noexcept
        : state_(std::move(state)) {}

    bool done() const { return state_->done(); }
    bool cancelled() const { return state_->cancelled(); }
    /// False: it has another outcome. Whoever works for it is told: run_coroutine_threadsafe() cancels its task.
    bool cancel() { return state_->cancel(); }

    /// Blocks until it is done. Throws the error, or cancelled_error. A copy of the value; a value that cannot be copied is
    /// moved out, and the next get() throws invalid_state_error.
    T get() const { return get(no_timeout); }
    /// Not done after `timeout`: timeout_error.
    T get(delay timeout) const {
        if (std::exception_ptr error = outcome(timeout)) std::rethrow_exception(std::move(error));
        return state_->take();
    }
    /// Blocks until it is done. Null for a value; cancelled: throws cancelled_error.
    std::exception_ptr exception() const {
        std::exception_ptr error = outcome(no_timeout);
        if (state_->cancelled()) std::rethrow_exception(std::move(error));
        return error;
    }

    /// Done: invalid_state_error.
    template <class U = T>
        requires(!is_void && std::convertible_to<U, T>)
    void set_result(U&& value) {
        require(state_->set_value(static_cast<T>(std::forward<U>(value))));
    }
    void set_result()
        requires is_void
    {
        require(state_->set_value({}));
    }
    void set_exception(std::exception_ptr error) { require(state_->fail(std::move(error))); }
    template <class E>
        requires(!std::same_as<std::remove_cvref_t<E>, std::exception_ptr>)
    void set_exception(E&& error) {
        set_exception(std::make_exception_ptr(std::forward<E>(error)));
    }

    /// Calls fn(handle) once: in the thread that sets the outcome, or here when it is there. What fn throws is written to
    /// stderr.
    void add_done_callback(std::function<void(concurrent_future)> fn) const {
        state_->add_done_callback([fn = std::move(fn)](const std::shared_ptr<detail::concurrent_state>& state) {
            fn(concurrent_future(std::static_pointer_cast<detail::concurrent_state_of<T>>(state)));
        });
    }

    const std::shared_ptr<detail::concurrent_state_of<T>>& state() const noexcept { return state_; }

private:
    std::exception_ptr outcome(delay timeout) const {
        if (!state_->wait(timeout)) throw timeout_error("the concurrent_future is not done");
        return state_->error();
    }
    static void require(const std::optional<detail::due_callbacks>& accepted) {
        if (!accepted) throw invalid_state_error("this concurrent_future is done already");
    }

    std::shared_ptr<detail::concurrent_state_of<T>> state_;
};

} // namespace rondo
