// Waiting for a future or a task.
#pragma once

#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <exception>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo::detail {

/// The part that does not depend on the value.
class future_awaiter_base : public awaiter, private done_node {
public:
    cancel_outcome cancel(const std::string& message) noexcept override;
    future_state* begin_cancel() noexcept override;
    cancel_outcome end_cancel(bool accepted) noexcept override;
    std::string describe() const override;
    void waits_for(std::vector<const future_state*>& who) const override;

protected:
    future_awaiter_base(counted_ptr<future_state> of, bool last_handle) noexcept
        : done_node(&done), future_(std::move(of)), last_handle_(last_handle) {}
    future_awaiter_base(future_awaiter_base&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)),
          done_node(&done),
          future_(std::move(other.future_)),
          last_handle_(other.last_handle_) {}
    ~future_awaiter_base() {
        if (linked()) [[unlikely]]
            future_->remove_done_node(*this);
    }

    bool try_now() {
        if (!future_ || &future_->loop() != &task()->loop() || future_.get() == task()) [[unlikely]]
            require_awaitable();
        return future_->done();
    }
    void wait(std::coroutine_handle<> frame) noexcept {
        const bool interrupted = task()->interrupted();
        if (!suspend_uninterrupted(frame)) return;
        future_->add_done_node(*this);
        if (interrupted) [[unlikely]]
            task()->forward_interruption();
    }
    /// It ended with a value that is still there, and nothing asks the task to cancel: failure() would find nothing.
    bool has_value() const noexcept {
        return future_->state() == future_state::status::value && !future_->value_taken && !interruption_pending();
    }
    std::exception_ptr failure();
    void rethrow_failure();
    /// Nobody else can look at the value.
    bool may_move_out() const noexcept { return last_handle_ && future_->references() == 1; }
    future_state& target() const noexcept { return *future_; }

private:
    static void done(done_node& node, future_state& of) noexcept;
    void require_awaitable() const;

    counted_ptr<future_state> future_;
    bool last_handle_;
};

/// T: what is stored in the state; void: the value is dropped.
template <class T> class future_awaiter final : public future_awaiter_base {
public:
    explicit future_awaiter(counted_ptr<future_state> of, bool last_handle = false) noexcept
        : future_awaiter_base(std::move(of), last_handle) {}

    bool await_ready() { return try_now() && this->settle_now(); }
    template <class P> RONDO_AWAIT_SUSPEND void await_suspend(std::coroutine_handle<P> frame) {
        static_assert(rondo_promise<P>, "this can only be awaited inside a rondo coroutine");
        wait(frame);
    }
    T await_resume() {
        if (!has_value()) [[unlikely]]
            rethrow_failure();
        if constexpr (!std::is_void_v<T>) return value();
    }
    result<T> await_result() {
        if (!has_value()) [[unlikely]] {
            if (std::exception_ptr error = failure()) return result<T>(std::move(error));
        }
        if constexpr (std::is_void_v<T>) return result<void>();
        else return result<T>(value());
    }

private:
    T value() {
        future_state& f = target();
        auto& stored = f.is_task() ? static_cast<task_of<T>&>(f).value() : static_cast<future_of<T>&>(f).value();
        if constexpr (std::copy_constructible<T>) {
            if (!may_move_out()) return stored;
        } else {
            f.value_taken = true;
        }
        return std::move(stored);
    }
};

} // namespace rondo::detail
