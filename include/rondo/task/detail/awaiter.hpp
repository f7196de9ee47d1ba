// The awaiter protocol: how a task waits, how a wait ends, and how it is cancelled. Everything that really waits derives
// from awaiter: futures, locks, timers, I/O, groups.
//
// An awaiter lives in the awaiting frame and is in exactly one state:
//
//     idle ------> waiting ------> settled
//
// idle: made, perhaps moved, not yet awaited. waiting: the task points at it (blocked_on) and somebody will settle it.
// settled: the outcome is there and the task is ready. Settling makes the task ready, it never resumes it. An awaiter that
// is settled is in nobody's list. It settles exactly once.
//
// What was taken is never dropped: when a cancellation is delivered to an awaiter that was settled with something (an item,
// a permit), it gives that back.
#pragma once

#include <rondo/coro/invariant.hpp>
#include <rondo/coro/result.hpp>
#include <rondo/task/detail/task_record.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace rondo::detail {

/// accepted: it will settle, now or later, and if nothing better came of it, as cancelled; until then its memory and what
/// it points to stay valid. too_late: it has settled, or will settle with its value.
enum class cancel_outcome : std::uint8_t { accepted, too_late };

class awaiter {
public:
    awaiter() noexcept = default;
    awaiter(awaiter&& other) noexcept { static_cast<void>(other); } // only while idle
    awaiter& operator=(awaiter&&) = delete;

    /// Before await_ready().
    void attach(frame_header& frame) noexcept { task_ = task_of_frame(frame); }

    /// Asked while waiting, by task::cancel() with its message or by a scope.
    virtual cancel_outcome cancel(const std::string& message) noexcept = 0;
    /// cancel() in two halves, where it means to cancel a future: which one, and, told whether that accepted, the outcome. Null:
    /// cancel() does it. A cancellation runs along a hundred thousand tasks that await each other without recursion.
    virtual future_state* begin_cancel() noexcept { return nullptr; }
    virtual cancel_outcome end_cancel(bool accepted) noexcept {
        return accepted ? cancel_outcome::accepted : cancel_outcome::too_late;
    }
    /// One line for people: what, whom with, since when.
    virtual std::string describe() const = 0;
    /// Those who could end the wait: tasks, futures, lock owners. Edges of the await graph.
    virtual void waits_for(std::vector<const future_state*>& who) const { static_cast<void>(who); }

    task_record* task() const noexcept { return task_; }

protected:
    enum class state : std::uint8_t { idle, waiting, settled };
    ~awaiter() = default;

    bool is_waiting() const noexcept { return state_ == state::waiting; }
    bool is_settled() const noexcept { return state_ == state::settled; }
    /// It was asked to cancel and accepted, or settled as cancelled.
    bool was_cancelled() const noexcept { return cancelled_; }

    /// It completed without waiting. True while the task's budget lasts; false: it must suspend once, already settled.
    bool settle_now() noexcept {
        state_ = state::settled;
        return task_->spend_budget();
    }
    /// settle_now() for what must not settle unless it may go on: false, and nothing has happened, with the budget spent.
    bool complete_at_once() noexcept {
        if (!task_->spend_budget()) return false;
        state_ = state::settled;
        return true;
    }
    /// The first half of await_suspend. True: now waiting, the caller puts itself where somebody will settle it. False: it is
    /// settled already (completed with the budget spent, or the task is being cancelled), and the task is ready.
    bool suspend(std::coroutine_handle<> frame) noexcept {
        suspended_ = true;
        task_->innermost = frame;
        if (state_ == state::settled || task_->interrupted()) [[unlikely]] {
            cancelled_ = state_ != state::settled;
            state_ = state::settled;
            task_->make_ready();
            return false;
        }
        state_ = state::waiting;
        task_->blocked_on = this;
        return true;
    }
    /// It has its outcome. The task will run in the next pass.
    void settle() noexcept {
        require_invariant(state_ == state::waiting, "only a waiting awaiter is settled, once");
        state_ = state::settled;
        task_->blocked_on = nullptr;
        task_->make_ready();
    }
    void settle_cancelled() noexcept {
        cancelled_ = true;
        settle();
    }
    /// It does not wait after all: its frame goes on at once.
    void stop_waiting() noexcept {
        require_invariant(state_ == state::waiting, "only a waiting awaiter stops waiting");
        state_ = state::settled;
        task_->blocked_on = nullptr;
    }
    /// Accepted, but somebody else has to answer first; settle() comes later.
    void mark_cancelled() noexcept { cancelled_ = true; }
    /// It was asked to cancel, and something better came of it.
    void clear_cancelled() noexcept {
        cancelled_ = false;
        task_->cancellation_was_answered();
    }
    /// It was asked to cancel, and has a value that must not be lost: that comes first, the cancellation at the next wait.
    void put_off_cancellation() noexcept {
        cancelled_ = false;
        task_->put_off_cancellation();
    }
    /// For awaiters that pass a cancellation on to what they wait for: waits even when the task is being cancelled; the
    /// caller then says task()->forward_interruption(). False: settled already.
    bool suspend_uninterrupted(std::coroutine_handle<> frame) noexcept {
        suspended_ = true;
        task_->innermost = frame;
        if (state_ == state::settled) [[unlikely]] {
            task_->make_ready();
            return false;
        }
        state_ = state::waiting;
        task_->blocked_on = this;
        return true;
    }

    /// The cancellation that the task must be told of instead of the outcome, or null. Ask once, when resumed.
    std::exception_ptr take_interruption() noexcept {
        if (!cancelled_ && !(suspended_ && task_->must_cancel())) [[likely]]
            return nullptr;
        return task_->take_cancellation(cancelled_);
    }
    bool interruption_pending() const noexcept { return cancelled_ || (suspended_ && task_->must_cancel()); }

private:
    task_record* task_ = nullptr;
    state state_ = state::idle;
    bool cancelled_ = false;
    bool suspended_ = false;
};

/// The language's half of an awaiter. Self provides
///     bool try_now()                  take it without waiting, if it can be had
///     void enqueue()                  go where somebody will call settle()
///     std::exception_ptr failure()    null, or the error or cancellation in place of the value; gives back what it holds
///     T value()                       the outcome, taken once
/// Base is the awaiter that several of them have in common.
template <class Self, class T, class Base = awaiter> class leaf_awaiter : public Base {
public:
    using Base::Base;
    leaf_awaiter() noexcept = default;

    bool await_ready() { return self().try_now() && this->settle_now(); }
    template <class P> RONDO_AWAIT_SUSPEND void await_suspend(std::coroutine_handle<P> frame) {
        static_assert(rondo_promise<P>, "this can only be awaited inside a rondo coroutine");
        if (this->suspend(frame)) self().enqueue();
    }
    T await_resume() {
        if (std::exception_ptr error = self().failure()) std::rethrow_exception(std::move(error));
        return self().value();
    }
    /// The outcome without throwing.
    result<T> await_result() {
        if (std::exception_ptr error = self().failure()) return result<T>(std::move(error));
        if constexpr (std::is_void_v<T>) {
            self().value();
            return result<void>();
        } else {
            return result<T>(self().value());
        }
    }

protected:
    leaf_awaiter(leaf_awaiter&&) noexcept = default;
    ~leaf_awaiter() = default;

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }
};

} // namespace rondo::detail
