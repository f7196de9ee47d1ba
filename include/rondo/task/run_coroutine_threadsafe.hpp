// run_coroutine_threadsafe(): a coroutine for a loop that runs in another thread.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/task/concurrent_future.hpp>
#include <rondo/task/detail/crossing.hpp>

#include <type_traits>
#include <utility>

namespace rondo {

/// Calls fn(args...) in the loop's thread, where its coroutine is made and runs as a task. Callable and arguments are copied or
/// moved, std::ref opts out. The future gets what comes of the task; cancelling it cancels the task, and what that still
/// yields is dropped. When the loop closes first, the task is cancelled as every other, and what had not begun fails with
/// runtime_error: a thread that waits is never left waiting.
///
/// Any thread; the loop must exist. A closed loop: runtime_error. get() in the loop's own thread throws runtime_error. What fn
/// throws before it returns a coroutine, and what a task factory throws, goes to the loop's exception handler as well.
/// (asyncio.run_coroutine_threadsafe)
///
///     auto answer = rondo::run_coroutine_threadsafe(loop, ask, "life");
///     use(answer.get());
template <class F, class... Args>
concurrent_future<started_t<F, Args...>> run_coroutine_threadsafe(event_loop& loop, F&& fn, Args&&... args) {
    return detail::call_in_loop(detail::loop_access::door(loop), std::forward<F>(fn), std::forward<Args>(args)...);
}
/// The same for a coroutine that was made here. Its captures and reference parameters must live until it has ended: the other
/// form is better.
template <class T> concurrent_future<T> run_coroutine_threadsafe(coro<T> c, event_loop& loop) {
    return detail::send_order<T>(
        detail::loop_access::door(loop), [c = std::move(c)](detail::crossing_order<T>& order) mutable {
            order.start([&](event_loop& l) { return detail::launch(l, task_options{}, std::move(c)); });
        });
}

} // namespace rondo
