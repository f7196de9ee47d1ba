// Starting tasks: create_task, spawn, ensure_future.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/task/detail/launch.hpp>
#include <rondo/task/task.hpp>

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

namespace rondo {

/// Starts a coroutine, or any other awaitable of the library (sleep, queue.get ...), as a task of the running loop. Its first
/// step runs in the next pass, after what is ready now; with eager_start it runs at once, until it first suspends. At most
/// two blocks from the free lists. runtime_error without a running loop.
///
/// A coroutine made by a capturing lambda dies with the lambda's captures: give create_task() the callable instead.
template <class A>
    requires(awaitable<A> && !future_like<A> && !std::is_lvalue_reference_v<A>)
[[nodiscard("dropping the handle does not stop the task: say spawn() if that is meant")]]
task<await_result_t<A>> create_task(A&& aw, task_options options = {}) {
    return detail::launch(running_loop(), std::move(options), detail::as_coro(std::forward<A>(aw)));
}

/// The same for a callable with arguments, which are copied or moved into the task, as std::thread does; std::ref opts out.
/// The callable is called at once, its coroutine runs later. With options they come first:
///
///     auto t = rondo::create_task(serve, std::move(reader), std::move(writer));
///     auto u = rondo::create_task({.name = "ticker"}, [n]() -> rondo::coro<> { ... });
template <class F, RONDO_SPAWN_TYPES>
[[nodiscard("dropping the handle does not stop the task: say spawn() if that is meant")]]
task<started_t<F, RONDO_SPAWNED>> create_task(F&& fn, RONDO_SPAWN_ARGS) {
    return detail::launch_call(running_loop(), task_options{.where = where}, std::forward<F>(fn), RONDO_SPAWN_FORWARD);
}
template <class F, RONDO_SPAWN_TYPES>
[[nodiscard("dropping the handle does not stop the task: say spawn() if that is meant")]]
task<started_t<F, RONDO_SPAWNED>> create_task(task_options options, F&& fn, RONDO_SPAWN_ARGS) {
    options.where = where;
    return detail::launch_call(running_loop(), std::move(options), std::forward<F>(fn), RONDO_SPAWN_FORWARD);
}

/// Fire and forget: a failure goes to the exception handler at once.
template <class A>
    requires(awaitable<A> && !future_like<A> && !std::is_lvalue_reference_v<A>)
void spawn(A&& aw, task_options options = {}) {
    detail::forget(create_task(std::forward<A>(aw), std::move(options)));
}
template <class F, RONDO_SPAWN_TYPES, class = started_t<F, RONDO_SPAWNED>> void spawn(F&& fn, RONDO_SPAWN_ARGS) {
    detail::forget(
        detail::launch_call(running_loop(), task_options{.where = where}, std::forward<F>(fn), RONDO_SPAWN_FORWARD));
}
template <class F, RONDO_SPAWN_TYPES, class = started_t<F, RONDO_SPAWNED>>
void spawn(task_options options, F&& fn, RONDO_SPAWN_ARGS) {
    options.where = where;
    detail::forget(detail::launch_call(running_loop(), std::move(options), std::forward<F>(fn), RONDO_SPAWN_FORWARD));
}

/// A future or task as it is (value_error when it belongs to another loop); anything else as a new task.
template <future_like H> std::remove_cvref_t<H> ensure_future(H&& handle) {
    if (running_loop_or_null() && &handle.loop() != running_loop_or_null())
        throw value_error("the future belongs to a different event loop");
    return std::forward<H>(handle);
}
template <class A>
    requires(awaitable<A> && !future_like<A> && !std::is_lvalue_reference_v<A>)
[[nodiscard]] task<await_result_t<A>> ensure_future(A&& aw) {
    return create_task(std::forward<A>(aw));
}

template <class A>
    requires(awaitable<A> && !future_like<A> && !std::is_lvalue_reference_v<A>)
task<await_result_t<A>> event_loop::create_task(A&& aw, task_options options) {
    return detail::launch(*this, std::move(options), detail::as_coro(std::forward<A>(aw)));
}
template <class F, RONDO_SPAWN_TYPES_AGAIN> task<started_t<F, RONDO_SPAWNED>>
event_loop::create_task(F&& fn, RONDO_SPAWN_ARGS_AGAIN) {
    return detail::launch_call(*this, task_options{.where = where}, std::forward<F>(fn), RONDO_SPAWN_FORWARD);
}
template <class F, RONDO_SPAWN_TYPES_AGAIN>
task<started_t<F, RONDO_SPAWNED>> event_loop::create_task(task_options options, F&& fn, RONDO_SPAWN_ARGS_AGAIN) {
    options.where = where;
    return detail::launch_call(*this, std::move(options), std::forward<F>(fn), RONDO_SPAWN_FORWARD);
}

} // namespace rondo
