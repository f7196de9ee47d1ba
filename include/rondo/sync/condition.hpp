// condition: waiting, under a lock, until something about shared state has changed.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sync/guard.hpp>
#include <rondo/sync/lock.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace rondo {

class condition;

namespace detail {

class [[nodiscard]] notification final : public leaf_awaiter<notification, void, waiter> {
    using base = leaf_awaiter<notification, void, waiter>;
    friend base;

public:
    explicit notification(condition& of) noexcept : condition_(&of) {}
    notification(notification&& other) noexcept = default;
    ~notification();
    std::string describe() const override;

private:
    bool try_now() const noexcept { return false; }
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    void value() noexcept;
    void pass_on() noexcept;

    condition* condition_;
};

} // namespace detail

/// wait() releases the lock, waits to be notified, and takes the lock again: whatever ends the wait, the caller holds the lock
/// afterwards. Tasks are notified in the order in which they began to wait.
///
/// wait(), wait_for(), notify() and notify_all() want the lock held: runtime_error otherwise. Both task::cancel() and scopes
/// end the wait for a notification; nothing ends the wait for the lock after it, and a task::cancel() that comes then is
/// thrown when the lock is held. A task that was notified and leaves with an error passes the notification on. A wait may
/// end although the state has changed again: check it in a loop, or say wait_for(). Belongs to the loop of its lock. One
/// coroutine frame for each wait. (asyncio.Condition)
///
///     auto held = co_await changed.scoped_lock();
///     co_await changed.wait_for([&] { return !jobs.empty(); });
class condition {
public:
    /// With a lock of its own.
    condition() : lock_(&own_.emplace()) {}
    /// With a lock that outlives it; several conditions may share one.
    explicit condition(lock& shared) noexcept : lock_(&shared) {}
    condition(const condition&) = delete;
    condition& operator=(const condition&) = delete;
    ~condition() = default;

    detail::lock_awaiter<void> acquire() noexcept { return lock_->acquire(); }
    detail::lock_awaiter<guard<lock>> scoped_lock() noexcept { return lock_->scoped_lock(); }
    void release() { lock_->release(); }
    bool locked() const noexcept { return lock_->locked(); }

    coro<void> wait();
    /// Waits until pred() is true; at once, and without the lock, when it is.
    template <std::predicate P> coro<void> wait_for(P pred) {
        while (!pred()) co_await wait();
    }
    /// Wakes up to n of the tasks that wait.
    void notify(std::size_t n = 1);
    void notify_all() { notify(std::numeric_limits<std::size_t>::max()); }

private:
    friend class detail::notification;
    void wake(std::size_t n) noexcept;

    std::optional<lock> own_;
    lock* lock_;
    detail::line waiting_;
    detail::line notified_; // and not resumed yet
    detail::loop_binding bound_;
};

} // namespace rondo
