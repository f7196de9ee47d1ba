#include <rondo/task/detail/concurrent_state.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/simulated_thread.hpp"

#include <chrono>

namespace rondo::detail {

due_callbacks::~due_callbacks() {
    for (const callback& fn : callbacks_) {
        try {
            fn(of_);
        } catch (...) {
            report_line("a done callback of a concurrent_future failed: " +
                        describe_exception(std::current_exception()));
        }
    }
}

concurrent_state::status concurrent_state::state() const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return status_;
}

bool concurrent_state::cancel() {
    static_cast<void>(fail(std::make_exception_ptr(cancelled_error())));
    return cancelled();
}

std::optional<due_callbacks> concurrent_state::fail(std::exception_ptr error) {
    auto lock = lock_pending();
    if (!lock) return std::nullopt;
    const status how = is_cancellation(error) ? status::cancelled : status::error;
    error_ = std::move(error);
    return settle(std::move(lock), how);
}

void concurrent_state::add_done_callback(due_callbacks::callback fn) {
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        if (status_ == status::pending) {
            callbacks_.push_back(std::move(fn));
            return;
        }
    }
    std::vector<due_callbacks::callback> at_once;
    at_once.push_back(std::move(fn));
    const due_callbacks due(shared_from_this(), std::move(at_once));
}

bool concurrent_state::wait(delay timeout) const {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto is_done = [this] { return status_ != status::pending; };
    if (is_done()) return true;
    if (running_loop_or_null())
        throw runtime_error(
            "waiting for a concurrent_future would block the event loop of this thread: await wrap_future()");
    if (in_simulated_thread)
        throw runtime_error(
            "a thread of a simulated world cannot wait for its loop, which waits for it: await instead");
    if (timeout.is_none()) {
        changed_.wait(lock, is_done);
        return true;
    }
    const deadline until = deadline_after(std::chrono::steady_clock::now(), timeout);
    return changed_.wait_until(lock, *until, is_done);
}

std::unique_lock<std::mutex> concurrent_state::lock_pending() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (status_ != status::pending) lock.unlock();
    return lock;
}

due_callbacks concurrent_state::settle(std::unique_lock<std::mutex> lock, status how) {
    status_ = how;
    std::vector<due_callbacks::callback> callbacks = std::exchange(callbacks_, {});
    lock.unlock();
    changed_.notify_all();
    return due_callbacks(shared_from_this(), std::move(callbacks));
}

} // namespace rondo::detail
