#include <rondo/task/detail/shard_call.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

namespace rondo::detail {

void shard_call::send(event_loop& from, shard_call_waiter& waiter) noexcept {
    back_ = loop_access::door(from);
    waiter_ = &waiter;
    to_->post(order_, shared_from_this());
}

void shard_call::arrived_there() noexcept {
    try {
        begin(running_loop());
    } catch (...) {
        fail(std::current_exception());
        answer();
    }
}

/// That is an answer too.
void shard_call::never_arrived() noexcept {
    try {
        throw runtime_error("shard " + std::to_string(shard_) + " ended before it could be called");
    } catch (...) { // or there is no memory to say so
        fail(std::current_exception());
    }
    answer();
}

void shard_call::ask_to_cancel(const std::string& message) noexcept {
    if (cancels_.load(std::memory_order_acquire) == 0) {
        try {
            cancel_message_ = message;
        } catch (...) { // it is cancelled without a word
            cancel_message_.clear();
        }
    }
    if (cancels_.fetch_add(1, std::memory_order_acq_rel) == 0) to_->post(cancellation_, shared_from_this());
}

void shard_call::asked_to_cancel() noexcept {
    const std::string message = std::move(cancel_message_);
    try {
        for (unsigned times = cancels_.exchange(0, std::memory_order_acq_rel); times > 0; --times) {
            if (task_ && task_->cancel(message)) heard_cancel_ = true;
        }
    } catch (...) { // no memory to say so to what it waits for
        loop_access::report(running_loop(), {.message = "a task could not be cancelled for another shard",
                                             .exception = std::current_exception()});
    }
}

void shard_call::watch(const task_base& started) {
    self_ = shared_from_this();
    task_ = started.state();
    task_->add_done_node(*this);
}

void shard_call::ended(done_node& node, future_state& task) noexcept {
    auto& call = static_cast<shard_call&>(node);
    const std::shared_ptr<shard_call> until_the_end = std::move(call.self_);
    call.task_ = nullptr;
    call.take(task);
    call.answer();
}

/// The caller's loop may have ended: then nobody waits any more.
void shard_call::answer() noexcept { back_->post(answer_, shared_from_this()); }

void shard_call::arrived() noexcept {
    answered_ = true;
    if (waiter_) std::exchange(waiter_, nullptr)->answered();
}

shard_call_waiter::~shard_call_waiter() {
    if (call_) call_->forget_waiter();
}

void shard_call_waiter::enqueue() noexcept { call_->send(task()->loop(), *this); }

void shard_call_waiter::answered() noexcept { settle(); }

cancel_outcome shard_call_waiter::cancel(const std::string& message) noexcept {
    mark_cancelled();
    call_->ask_to_cancel(message);
    return cancel_outcome::accepted;
}

std::exception_ptr shard_call_waiter::failure() {
    std::exception_ptr error = call_->answered() ? call_->error() : nullptr;
    const bool cancelled_there = is_cancellation(error);
    if (was_cancelled() && call_->answered() && !cancelled_there) {
        if (!call_->heard_cancel()) { // it crossed the answer on the way
            put_off_cancellation();
            return error;
        }
        clear_cancelled(); // it had something better
    }
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (cancelled_there)
        return std::make_exception_ptr(
            runtime_error("what was called on shard " + std::to_string(call_->shard()) + " was cancelled there"));
    return error;
}

std::string shard_call_waiter::describe() const {
    return "waiting for a call on shard " + std::to_string(call_->shard());
}

} // namespace rondo::detail
