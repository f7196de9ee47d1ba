// Tasks: coroutines that run beside each other.
#pragma once

#include <rondo/loop/options.hpp>
#include <rondo/loop/stack_entry.hpp>
#include <rondo/task/future.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace rondo {

/// A handle to a task of any type.
class task_base : public future_base {
public:
    task_base() noexcept = default;
    explicit task_base(detail::counted_ptr<detail::future_state> state) noexcept : future_base(std::move(state)) {}

    /// How many cancel() calls were not taken back by uncancel().
    int cancelling() const noexcept { return record().cancelling(); }
    /// Takes one back and says how many are left; at 0 a cancellation that was not delivered yet is dropped.
    int uncancel() const {
        state_->check_thread();
        return record().uncancel();
    }
    const std::string& name() const { return record().name(); }
    void set_name(std::string name) const {
        state_->check_thread();
        record().set_name(std::move(name));
    }
    rondo::context context() const;
    /// Where it waits, innermost coroutine first; empty when done. The running task shows the frames that live, the one that runs
    /// first, each with the co_await it was last suspended at, or its own place when it was not yet.
    std::vector<stack_entry> async_stack() const;
    std::source_location created_at() const noexcept { return state_->created_at(); }
    /// For debuggers: the frame of its outermost coroutine, not to be resumed nor destroyed. Null when done, and in a picture.
    std::coroutine_handle<> coro_handle() const noexcept { return record().outermost(); }

    detail::task_record& record() const noexcept { return static_cast<detail::task_record&>(*state_); }
};

using any_task = task_base;

/// A handle to a task that yields a T. The loop keeps the task until it is done, whatever happens to its handles.
///
/// cancel() has asyncio's edge-triggered meaning: it is counted, and one cancelled_error is thrown where the task waits, or
/// at its next suspension; a task that catches it goes on. Awaiting a task that fails throws its error; awaiting gives a
/// copy of the value, or moves it out of the last rvalue handle or of a type that cannot be copied.
template <class T> class task : public task_base {
public:
    using value_type = T;

    task() noexcept = default;
    explicit task(detail::counted_ptr<detail::future_state> state) noexcept : task_base(std::move(state)) {}

    /// The value stays in the task. Throws the error; invalid_state_error when pending or taken.
    std::add_lvalue_reference_t<const T> result() const {
        state_->require_value();
        if constexpr (!std::is_void_v<T>) return of().value();
    }
    /// Moves the value out; later reads throw invalid_state_error.
    T take() {
        state_->require_value();
        state_->value_taken = true;
        if constexpr (!std::is_void_v<T>) return std::move(of().value());
    }

    using future_base::add_done_callback;
    template <class F>
        requires(std::invocable<F, const task&> && !std::invocable<F, const future_base&>)
    callback_id add_done_callback(F&& fn, call_options options = {}) const {
        return detail::add_done_callback<task>(*state_, std::forward<F>(fn), std::move(options));
    }

    detail::future_awaiter<T> operator co_await() const& { return detail::future_awaiter<T>(state_); }
    detail::future_awaiter<T> operator co_await() && { return detail::future_awaiter<T>(std::move(state_), true); }

private:
    detail::task_of<T>& of() const noexcept { return static_cast<detail::task_of<T>&>(*state_); }
};

template <class T> task<T> future_base::as_task() const {
    if (!state_ || !state_->is_task() || state_->value_type() != typeid(T)) throw std::bad_cast();
    return task<T>(state_);
}

/// A type-erased coroutine, for task factories: made into a task by default_task_factory() or eager_task_factory(), once.
class any_coro {
public:
    explicit any_coro(std::function<task_base(event_loop&, task_options&&)> make) : make_(std::move(make)) {}
    any_coro(any_coro&&) noexcept = default;
    any_coro& operator=(any_coro&&) noexcept = default;
    ~any_coro() = default;

private:
    friend task_base default_task_factory(event_loop& loop, any_coro body, task_options options);
    std::function<task_base(event_loop&, task_options&&)> make_;
};
/// A factory of a task that starts at once.
task_base eager_task_factory(event_loop& loop, any_coro body, task_options options);
task_base default_task_factory(event_loop& loop, any_coro body, task_options options);

/// The task whose step runs; null when none does. runtime_error without a running loop.
any_task current_task();
/// The tasks of the running loop that are not done, in creation order.
std::vector<any_task> all_tasks();
/// Those of `loop`, from any thread. In the thread that runs it, or ran it last, or made it, the handles are the tasks' own.
///
/// In any other thread the loop is asked, and takes pictures of its tasks between two of its callbacks: handles that belong to the
/// calling thread, with each task's id, name, places and async_stack() at that moment. A picture is never done and equal to no
/// other handle; cancel() is passed on to the task, all else has no effect on it; it has an empty context. The thread is blocked
/// until the loop comes round: at once where it sleeps, when it begins to run where it does not, never where it is stuck in
/// a callback, so give a timeout (timeout_error) to look at one that may be. A closed loop has no tasks.
///
/// In a thread in which another loop runs and would be blocked, and in the child of a fork(): runtime_error. The loop must
/// exist. O(tasks + frames), in the loop's thread.
std::vector<any_task> all_tasks(event_loop& loop, delay timeout = no_timeout);

} // namespace rondo

template <> struct std::hash<rondo::task_base> : std::hash<rondo::future_base> {};
template <class T> struct std::hash<rondo::task<T>> : std::hash<rondo::future_base> {};
