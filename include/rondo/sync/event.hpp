// event: a flag that tasks wait for.
#pragma once

#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>

#include <exception>
#include <string>

namespace rondo {

class event;

namespace detail {

class [[nodiscard]] event_awaiter final : public leaf_awaiter<event_awaiter, void, waiter> {
    using base = leaf_awaiter<event_awaiter, void, waiter>;
    friend base;

public:
    explicit event_awaiter(event& e) noexcept : event_(&e) {}
    std::string describe() const override { return "waiting for an event"; }

private:
    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    void value() const noexcept {}

    event* event_;
};

} // namespace detail

/// set() wakes every task that waits at that moment, even when clear() follows at once; wait() does not suspend while the flag
/// is set. Cancellation ends the wait. Belongs to the first loop that makes a task wait: in another one waiting throws
/// runtime_error. Destroyed while tasks wait, it fails them with runtime_error. set() costs a visit of each waiting task, the
/// rest is O(1); nothing allocates. (asyncio.Event)
///
///     rondo::event ready;
///     co_await ready.wait();
class event {
public:
    event() = default;
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    ~event() = default;

    void set();
    void clear() noexcept { set_ = false; }
    bool is_set() const noexcept { return set_; }
    detail::event_awaiter wait() noexcept { return detail::event_awaiter(*this); }

private:
    friend class detail::event_awaiter;
    detail::line waiting_;
    detail::loop_binding bound_;
    bool set_ = false;
};

} // namespace rondo
