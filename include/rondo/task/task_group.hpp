// task_group: tasks that end together (structured concurrency; asyncio.TaskGroup with Trio's scope).
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/detail/or_end.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/group_core.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/detail/wait_core.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/future.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo {

/// The child's side of task_group::start(): a copyable handle. started() twice: invalid_state_error; when start() was
/// cancelled in the meantime, started() does nothing.
template <class V = void> class task_status {
public:
    explicit task_status(future<V> ready) : ready_(std::move(ready)) {}
    template <class U = V>
        requires(!std::is_void_v<V> && std::convertible_to<U, V>)
    void started(U&& value) const {
        if (!ready_.cancelled()) future<V>(ready_).set_result(std::forward<U>(value));
    }
    void started() const
        requires std::is_void_v<V>
    {
        if (!ready_.cancelled()) future<V>(ready_).set_result();
    }

private:
    future<V> ready_;
};

/// Children that all have ended when the group ends. The rules (asyncio.TaskGroup, Python 3.14, and cancel() of 3.15):
///
/// - The first child that fails cancels the others, and the body; a child that was cancelled does not.
/// - A body that fails or is cancelled cancels the children. Each child is cancelled once; one that swallows it is waited for.
/// - When all have ended, the errors are thrown as one exception_group, in the order in which they came, the body's last; a
///   single one too. keyboard_interrupt and system_exit are thrown alone, and so is a generator_exit of the body when nothing
///   else failed. A cancellation from outside goes on only when there are no errors, and task::cancelling() is afterwards what
///   it was before plus what came from outside.
/// - Children may create children until the group has ended; creating one in a group that is shutting down or has ended
///   throws runtime_error.
///
/// Belongs to its loop's thread; debug mode throws runtime_error on a violation. run() suspends until the children have ended;
/// leaving an empty group costs no pass. The handle of a child is a normal one.
///
///     co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
///         group.create_task(fetch, "a");
///         group.create_task(fetch, "b");
///         co_return;
///     });
class task_group {
public:
    /// Makes a group of its own: `g.run(...)` leaves the group g alone, which debug mode tells when g ends. Gives the body's value.
    /// When cancel() interrupted the body there is none: a void body returns, any other throws
    /// invalid_state_error.
    template <class F> static coro<body_t<F, task_group>> run(F body) {
        using R = body_t<F, task_group>;
        task_group group;
        auto outcome = co_await as_result(detail::start_body(body, group));
        group.core_.begin_end(outcome.error());
        while (group.core_.has_living())
            group.core_.waited(co_await as_result(detail::group_core::join_awaiter(group.core_)));
        co_await detail::end_with(group.core_.end());
        if constexpr (!std::is_void_v<R>) {
            if (!outcome) throw invalid_state_error("the task group was cancelled before its body had a value");
            co_return *std::move(outcome);
        }
    }

    /// The manual form: enters here, ends with `co_await group.join()`. runtime_error without a running task. Destroyed with
    /// children left: in debug mode std::terminate with a report, otherwise they are cancelled and left to the loop. Destroyed
    /// without join() and without children: debug mode says so.
    task_group() = default;
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group() = default;

    /// Waits for the children and throws as run() does. Once, in the task that made the group: runtime_error.
    coro<void> join();

    template <class A>
        requires(awaitable<A> && !future_like<A> && !std::is_lvalue_reference_v<A>)
    task<await_result_t<A>> create_task(A&& aw, task_options options = {}) {
        return core_.create([&](detail::scope_node* around) {
            return detail::launch(core_.loop(), std::move(options), detail::as_coro(std::forward<A>(aw)), around);
        });
    }
    template <class F, RONDO_SPAWN_TYPES> task<started_t<F, RONDO_SPAWNED>> create_task(F&& fn, RONDO_SPAWN_ARGS) {
        return launch(task_options{.where = where}, std::forward<F>(fn), RONDO_SPAWN_FORWARD);
    }
    template <class F, RONDO_SPAWN_TYPES>
    task<started_t<F, RONDO_SPAWNED>> create_task(task_options options, F&& fn, RONDO_SPAWN_ARGS) {
        options.where = where;
        return launch(std::move(options), std::forward<F>(fn), RONDO_SPAWN_FORWARD);
    }
    /// create_task() without the handle.
    template <class F, RONDO_SPAWN_TYPES, class = started_t<F, RONDO_SPAWNED>> void start_soon(F&& fn,
                                                                                               RONDO_SPAWN_ARGS) {
        launch(task_options{.where = where}, std::forward<F>(fn), RONDO_SPAWN_FORWARD);
    }
    /// Starts fn(task_status<V>, args...) and waits until it says started(value); gives the value. A child that fails before
    /// that fails start(), and not the group; one that returns before that: runtime_error. Cancelled: the child is too.
    template <class V = void, class F, class... Args>
        requires std::invocable<std::decay_t<F>, task_status<V>, std::decay_t<Args>...>
    RONDO_CORO_OWNER coro<V> start(F&& fn, Args&&... args) {
        using call_type = detail::stored_call_for<F, task_status<V>, Args...>;
        future<V> ready = core_.loop().template create_future<V>();
        return start_and_wait<V>(ready,
                                 call_type(std::forward<F>(fn), task_status<V>(ready), std::forward<Args>(args)...));
    }

    /// Ends the group: children and body are cancelled, and it ends without cancelled_error. Idempotent; after the end it does
    /// nothing.
    void cancel(std::string reason = {}) {
        detail::check_thread(&core_.loop());
        core_.cancel(reason);
    }
    /// The level-triggered scope around body and children.
    rondo::cancel_scope& cancel_scope() noexcept { return core_.scope(); }
    /// Children that are not done.
    std::size_t size() const noexcept { return core_.size(); }

private:
    template <class F, class... A> auto launch(task_options&& options, F&& fn, A&&... args) {
        return core_.create([&](detail::scope_node* around) {
            return detail::launch_call_in(around, core_.loop(), std::move(options), std::forward<F>(fn),
                                          std::forward<A>(args)...);
        });
    }
    template <class V, class Call> coro<V> start_and_wait(future<V> ready, Call call) {
        auto child = core_.create(
            [&](detail::scope_node* around) {
                return detail::launch_stored(core_.loop(), task_options{}, std::move(call), around);
            },
            detail::counted_ptr<detail::future_state>(ready.state()));
        auto waited =
            co_await as_result(detail::wait_awaiter({detail::counted_ptr<detail::future_state>(ready.state()),
                                                     detail::counted_ptr<detail::future_state>(child.state())},
                                                    return_when::first_completed));
        if (!waited) {
            ready.cancel(); // from now on its failure is the group's
            if (child.cancelling() == 0) child.cancel("the start of this task was cancelled");
            std::move(waited).value();
        }
        if (ready.done()) co_return ready.take();
        static_cast<void>(child.result());
        throw runtime_error("the child of task_group::start() ended without calling started()");
    }
    detail::group_core core_;
};

} // namespace rondo
