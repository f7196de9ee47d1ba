// guest_run(): a coroutine inside somebody else's main loop (Trio's guest mode).
#pragma once

#include <rondo/coro/result.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/guest_core.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace rondo {

template <class T> struct guest_options {
    /// Has its argument called soon, in the host's thread, and never inside this call. It is called in any thread, must not wait
    /// for the host and must not throw: g_idle_add(), QMetaObject::invokeMethod(..., Qt::QueuedConnection), asio::post().
    std::function<void(std::function<void()>)> run_in_host;
    /// Called in the host's thread when the guest has ended and its loop is closed; it may destroy the guest. Not set: an error
    /// goes to the loop's exception handler.
    std::function<void(result<T>)> done = nullptr;
    std::optional<bool> debug = std::nullopt; // not set: RONDO_DEBUG
    std::function<std::unique_ptr<event_loop>()> loop_factory = nullptr;
};

/// A guest in a host loop: the owner of its event loop. Belongs to the host's thread. Destroyed before the guest is done it
/// closes the loop there and then, which cancels the tasks and waits for them, and `done` is not called.
class [[nodiscard("the guest ends when its handle dies")]] guest {
public:
    explicit guest(std::shared_ptr<detail::guest_core> core) noexcept : core_(std::move(core)) {}
    guest(guest&& other) noexcept = default;
    guest& operator=(guest&& other) noexcept;
    ~guest();

    /// Asks main to end, as task::cancel() does. False: it is done.
    bool cancel(const std::string& message = {}) const;
    /// main and all other tasks have ended, and the loop is closed.
    bool done() const noexcept;
    event_loop& loop() const noexcept;

private:
    std::shared_ptr<detail::guest_core> core_;
};

/// Runs main() in a new loop whose passes are made by the host loop of this thread, between its own events; neither waits for the
/// other. When main is done what else lives is cancelled, and awaited, as at the end of run(), while the host goes on; then
/// `done` is called with the outcome. Returns at once; the first step is made from the host.
///
/// A thread of the guest's own waits for its descriptors, timers and threads (it polls loop().poll_fd()), and calls run_in_host()
/// when there is something to do; then the host makes one pass, and more while tasks are ready. So a host needs no more than
/// a function that other threads may call. One that can watch a descriptor by itself can do without the thread: see
/// event_loop::poll_fd().
///
/// Signals are the host's, SIGINT too: it says cancel(). A keyboard_interrupt or system_exit that comes out of a task cancels main,
/// and is the outcome. runtime_error inside a running loop; std::system_error when there is no thread or descriptor for it.
///
///     auto guest = rondo::guest_run(fetch_all, {.run_in_host = post_to_gui, .done = [](rondo::result<int> n) { show(n); }});
template <class F> guest guest_run(F main, guest_options<started_t<F>> options) {
    using T = started_t<F>;
    auto core = detail::guest_core::make(std::move(options.run_in_host), options.loop_factory, options.debug);
    task<T> running = detail::launch_call(core->loop(), task_options{}, std::move(main));
    core->begin(running,
                [running, done = std::move(options.done)](std::exception_ptr instead) mutable -> std::function<void()> {
                    if (!done) return nullptr;
                    auto outcome = std::make_shared<result<T>>(detail::guest_outcome(running, std::move(instead)));
                    return [done = std::move(done), outcome = std::move(outcome)] { done(std::move(*outcome)); };
                });
    return guest(std::move(core));
}

} // namespace rondo
