// lock: mutual exclusion between tasks.
#pragma once

#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>
#include <rondo/sync/guard.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rondo {

class lock;

namespace detail {

class lock_waiter : public waiter {
public:
    std::string describe() const override;
    void waits_for(std::vector<const future_state*>& who) const override;

protected:
    explicit lock_waiter(lock& of) noexcept : lock_(&of) {}
    lock_waiter(lock_waiter&& other) noexcept = default;
    ~lock_waiter();

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    void take() noexcept;

    lock* lock_;

private:
    void give_back() noexcept;
};

/// T: void, or the guard.
template <class T> class [[nodiscard]] lock_awaiter final : public leaf_awaiter<lock_awaiter<T>, T, lock_waiter> {
    using base = leaf_awaiter<lock_awaiter<T>, T, lock_waiter>;
    friend base;

public:
    explicit lock_awaiter(lock& of) noexcept : base(of) {}

private:
    T value() noexcept {
        this->take();
        if constexpr (!std::is_void_v<T>) return T(*this->lock_);
    }
};

} // namespace detail

/// At most one task holds it. Strict FIFO, no barging: a released lock goes to the task that has waited longest, and who
/// comes between its release and that task's resumption queues behind. Not re-entrant: a task that asks again waits for
/// itself. Any task may release.
///
/// acquire() does not suspend when the lock is free; both task::cancel() and scopes end the wait, and a task that is
/// cancelled when it had been given the lock passes it on. Not for use between threads or loops: it belongs to the first loop
/// that makes a task wait, and in another one waiting throws runtime_error. Every operation is O(1) and allocates nothing.
/// Destroyed while tasks wait, it fails them with runtime_error. The name is for people: waiting tasks, deadlock reports.
/// (asyncio.Lock)
///
///     rondo::lock database("db");
///     auto held = co_await database.scoped_lock();
class lock {
public:
    explicit lock(std::string_view name = {}) : name_(name) {}
    lock(const lock&) = delete;
    lock& operator=(const lock&) = delete;
    ~lock() = default;

    detail::lock_awaiter<void> acquire() noexcept { return detail::lock_awaiter<void>(*this); }
    /// acquire(), released by the guard.
    detail::lock_awaiter<guard<lock>> scoped_lock() noexcept { return detail::lock_awaiter<guard<lock>>(*this); }
    /// False: somebody holds it, or is about to.
    bool try_lock();
    /// Not held: runtime_error.
    void release();
    /// False also while it is on its way from the one who released it to the one who waits.
    bool locked() const noexcept { return locked_; }

private:
    friend class detail::lock_waiter;
    bool is_free() const noexcept { return !locked_ && promised_.empty(); }
    void take_for(detail::task_record* owner) noexcept;
    void pass_on() noexcept;
    std::string label() const;
    std::string description() const;
    const detail::future_state* holder() const noexcept;

    std::string name_;
    detail::line waiting_;
    detail::line promised_;                           // at most one
    detail::counted_ptr<detail::future_state> owner_; // null also when it was taken outside of tasks
    detail::loop_binding bound_;
    bool locked_ = false;
};

} // namespace rondo
