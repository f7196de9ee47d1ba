// Work that another thread asks of a loop, and the concurrent_future in which it gets the outcome.
#pragma once

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/concurrent_future.hpp>
#include <rondo/task/detail/launch.hpp>
#include <rondo/task/task.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// A task in the loop, for a concurrent_future outside. It keeps itself from watch() to the end of the task.
class crossing : public done_node, public std::enable_shared_from_this<crossing> {
public:
    // In any thread.
    /// Asks the task to end, when there is one. Once.
    void cancel_task() noexcept;

    // In the loop's thread.
    void watch(const task_base& started);

protected:
    explicit crossing(std::shared_ptr<loop_door> door) noexcept : done_node(&ended), door_(std::move(door)) {}
    virtual ~crossing() = default;

private:
    virtual std::optional<due_callbacks> transfer(future_state& task) noexcept = 0;
    static void ended(done_node& node, future_state& task) noexcept;
    void cancelled() noexcept;

    std::shared_ptr<loop_door> door_;
    message_of<crossing> cancellation_{&crossing::cancelled};
    std::shared_ptr<crossing> self_;
    future_state* task_ = nullptr; // while it is not done
};

template <class T> class crossing_for final : public crossing {
public:
    crossing_for(std::shared_ptr<loop_door> door, std::shared_ptr<concurrent_state_of<T>> to) noexcept
        : crossing(std::move(door)), to_(std::move(to)) {}
    concurrent_state_of<T>& to() const noexcept { return *to_; }

private:
    std::optional<due_callbacks> transfer(future_state& task) noexcept override {
        task.mark_observed();
        if (task.error()) return to_->fail(task.error());
        try {
            task.value_taken = true; // nobody else was promised it
            if constexpr (std::is_void_v<T>) return to_->set_value({});
            else return to_->set_value(std::move(static_cast<task_of<T>&>(task).value()));
        } catch (...) {
            return to_->fail(std::current_exception());
        }
    }
    std::shared_ptr<concurrent_state_of<T>> to_;
};

/// What the message to the loop carries. A message that is never read, because the loop closes, fails the future.
template <class T> class crossing_order {
public:
    explicit crossing_order(std::shared_ptr<crossing_for<T>> work) noexcept : work_(std::move(work)) {}
    crossing_order(crossing_order&&) noexcept = default;
    crossing_order& operator=(crossing_order&&) = delete;
    ~crossing_order() {
        if (work_)
            work_->to().fail(
                std::make_exception_ptr(runtime_error("the event loop was closed before it could run this")));
    }

    /// start(loop) gives the task. What it throws goes to the future and on.
    template <class F> void start(F&& make_task) {
        const std::shared_ptr<crossing_for<T>> work = std::move(work_);
        if (work->to().done()) return; // cancelled in between
        try {
            work->watch(make_task(running_loop()));
        } catch (...) {
            work->to().fail(std::current_exception());
            throw;
        }
    }
    /// fn() gives the outcome.
    template <class F> void answer(F&& fn) {
        const std::shared_ptr<crossing_for<T>> work = std::move(work_);
        if (work->to().done()) return;
        try {
            if constexpr (std::is_void_v<T>) {
                fn();
                work->to().set_value({});
            } else {
                work->to().set_value(fn());
            }
        } catch (...) {
            work->to().fail(std::current_exception());
        }
    }

private:
    std::shared_ptr<crossing_for<T>> work_;
};

[[noreturn]] void throw_loop_closed();

/// handle(order) is called in the loop's thread. The loop is closed: runtime_error.
template <class T, class F> concurrent_future<T> send_order(const std::shared_ptr<loop_door>& door, F&& handle) {
    auto outcome = std::make_shared<concurrent_state_of<T>>();
    auto work = std::make_shared<crossing_for<T>>(door, outcome);
    outcome->add_done_callback([weak = std::weak_ptr<crossing>(work)](const std::shared_ptr<concurrent_state>& state) {
        if (!state->cancelled()) return;
        if (const std::shared_ptr<crossing> running = weak.lock()) running->cancel_task();
    });
    const bool open = door->post(
        [order = crossing_order<T>(std::move(work)), handle = std::forward<F>(handle)]() mutable { handle(order); });
    if (!open) throw_loop_closed();
    return concurrent_future<T>(std::move(outcome));
}

/// Calls fn(args...) in the loop's thread and runs the coroutine that it returns as a task.
template <class F, class... A> auto call_in_loop(const std::shared_ptr<loop_door>& door, F&& fn, A&&... args) {
    using call_type = stored_call_for<F, A...>;
    using T = call_result_t<call_type>;
    return send_order<T>(
        door, [call = call_type(std::forward<F>(fn), std::forward<A>(args)...)](crossing_order<T>& order) mutable {
            order.start([&](event_loop& loop) { return launch_stored(loop, task_options{}, std::move(call)); });
        });
}

} // namespace rondo::detail
