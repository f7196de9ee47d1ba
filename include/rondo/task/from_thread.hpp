// from_thread: the way back into the loop for what to_thread() runs.
#pragma once

#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/task/detail/crossing.hpp>

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {
/// The loop that the call of this thread belongs to; runtime_error when none does.
std::shared_ptr<loop_door> door_of_this_thread();
} // namespace detail

/// For code that to_thread() or run_in_executor() has put into a thread; anywhere else these throw runtime_error. They speak to
/// the loop from which the call came. A loop that closes goes on until its threads have ended, so that they can use it
/// to the last; when it is closed for good, run() and run_sync() throw runtime_error. (As in Trio and AnyIO)
///
///     co_await rondo::to_thread([&] {
///         while (step()) { rondo::from_thread::check_cancelled(); rondo::from_thread::run(report, progress()); }
///     });
namespace from_thread {

/// Runs the coroutine of fn(args...) as a task of the loop, blocks until it has ended, and gives its value or throws its error.
/// The task starts with a copy of this thread's context.
template <class F, class... Args> started_t<F, Args...> run(F&& fn, Args&&... args) {
    return detail::call_in_loop(detail::door_of_this_thread(), std::forward<F>(fn), std::forward<Args>(args)...).get();
}

/// Calls fn(args...) in the loop's thread, blocks until it has returned, and gives its value or throws its error.
template <class F, class... Args> called_t<F, Args...> run_sync(F&& fn, Args&&... args) {
    using R = called_t<F, Args...>;
    static_assert(!std::is_reference_v<R>,
                  "what crosses threads is a value: return a pointer or std::reference_wrapper");
    return detail::send_order<R>(
               detail::door_of_this_thread(),
               [fn = std::decay_t<F>(std::forward<F>(fn)), kept = std::tuple<std::decay_t<Args>...>(std::forward<Args>(
                                                               args)...)](detail::crossing_order<R>& order) mutable {
                   order.answer([&]() -> R {
                       return std::apply([&](auto&... a) -> R { return std::invoke(std::move(fn), std::move(a)...); },
                                         kept);
                   });
               })
        .get();
}

/// cancelled_error when the one that awaits this call was cancelled.
void check_cancelled();

} // namespace from_thread
} // namespace rondo
