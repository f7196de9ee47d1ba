// barrier: tasks wait for each other until all of them have come.
#pragma once

#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>
#include <rondo/sync/errors.hpp>

#include <cstddef>
#include <exception>
#include <string>

namespace rondo {

class barrier;

namespace detail {

class [[nodiscard]] barrier_waiter final : public leaf_awaiter<barrier_waiter, std::size_t, waiter> {
    using base = leaf_awaiter<barrier_waiter, std::size_t, waiter>;
    friend base;
    friend class rondo::barrier;

public:
    explicit barrier_waiter(barrier& of) noexcept : barrier_(&of) {}
    barrier_waiter(barrier_waiter&& other) noexcept = default;
    ~barrier_waiter();
    std::string describe() const override;

private:
    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    std::size_t value() noexcept;
    void leave() noexcept;

    barrier* barrier_;
    std::size_t index_ = 0;
};

/// reset() and abort(): done when awaited, without waiting.
class [[nodiscard("awaiting it is what does it")]] barrier_command final
    : public leaf_awaiter<barrier_command, void, awaiter> {
    using base = leaf_awaiter<barrier_command, void, awaiter>;
    friend base;

public:
    barrier_command(barrier& of, void (barrier::*what)()) noexcept : barrier_(&of), what_(what) {}
    cancel_outcome cancel(const std::string&) noexcept override { return cancel_outcome::too_late; }
    std::string describe() const override { return "changing a barrier"; }

private:
    bool try_now();
    void enqueue() const noexcept {}
    /// It is done: a cancellation that comes now is for the next suspension.
    std::exception_ptr failure() const noexcept { return nullptr; }
    void value() const noexcept {}

    barrier* barrier_;
    void (barrier::*what_)();
};

} // namespace detail

/// wait() waits until `parties` tasks wait; then they all go on, and the barrier can be used again. Its value is a number from
/// 0 to parties - 1, each given once, in the order of coming: the last one to come gets parties - 1, does not suspend, and so
/// goes on first, then 0, 1 and so on. Who comes while some that were let through have not gone on yet waits until they have.
///
/// Both task::cancel() and scopes end the wait: the task leaves, and one more has to come. reset() throws broken_barrier_error
/// in those who wait and makes the barrier usable again; abort() does, and makes every wait() throw until reset(). Both also
/// reach a task that was let through and has not gone on yet. A task that is let through keeps that from scopes, not from
/// task::cancel().
///
/// Belongs to the first loop that makes a task wait: in another one waiting throws runtime_error. Destroyed while tasks wait,
/// it fails them with runtime_error. Letting through costs a visit of each task, the rest is O(1); nothing allocates.
/// (asyncio.Barrier)
///
///     rondo::barrier round(3);
///     if (co_await round.wait() == 0) log("all three have come");
class barrier {
public:
    /// < 1: value_error.
    explicit barrier(std::ptrdiff_t parties);
    barrier(const barrier&) = delete;
    barrier& operator=(const barrier&) = delete;
    ~barrier() = default;

    /// Broken, before or while it waits: broken_barrier_error.
    detail::barrier_waiter wait() noexcept { return detail::barrier_waiter(*this); }
    detail::barrier_command reset() noexcept { return {*this, &barrier::do_reset}; }
    detail::barrier_command abort() noexcept { return {*this, &barrier::do_abort}; }

    std::size_t parties() const noexcept { return parties_; }
    /// How many wait for the others; 0 while those who were let through go on.
    std::size_t n_waiting() const noexcept { return waiting_.size(); }
    /// abort() was called, and no reset() since.
    bool broken() const noexcept { return broken_; }

private:
    friend class detail::barrier_waiter;
    void do_reset();
    void do_abort();
    void break_this_round() noexcept;
    void let_through() noexcept;
    void next_round() noexcept;
    bool completes_it() const noexcept { return leaving_.empty() && waiting_.size() + 1 == parties_; }

    std::size_t parties_;
    bool broken_ = false;
    detail::line waiting_;
    detail::line leaving_; // let through, and not resumed yet; then nobody waits
    detail::line blocked_; // came while others were leaving
    detail::loop_binding bound_;
};

} // namespace rondo
