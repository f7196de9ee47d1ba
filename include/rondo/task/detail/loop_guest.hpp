// Something that another thread works on or waits for, as its loop knows it.
#pragma once

#include <memory>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Shared between threads; its loop keeps it, and what in it belongs to the loop's thread, from enter() to leave(). A loop
/// that closes lets go of those that are left: what another thread still holds then has no more to do with the loop.
class loop_guest : public std::enable_shared_from_this<loop_guest> {
public:
    loop_guest(const loop_guest&) = delete;
    loop_guest& operator=(const loop_guest&) = delete;

protected:
    loop_guest() = default;
    virtual ~loop_guest() = default;

    // All of these in the loop's thread.
    void enter(event_loop& loop);
    /// May destroy it. Nothing, when it has left.
    void leave() noexcept;
    /// The loop is closing; this has left.
    virtual void abandon() noexcept = 0;

private:
    friend class thread_service;
    std::shared_ptr<loop_guest> self_; // while it is known to the loop
    loop_guest** previous_ = nullptr;
    loop_guest* next_ = nullptr;
};

} // namespace rondo::detail
