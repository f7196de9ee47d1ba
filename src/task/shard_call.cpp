#include <rondo/task/detail/shard_call.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

namespace rondo::detail {

/// What the message carries. One that is never read, because the loop has ended, is an answer too.
struct shard_call::order {
    explicit order(std::shared_ptr<shard_call> c) noexcept : call(std::move(c)) {}
    order(order&&) noexcept = default;
    order& operator=(order&&) = delete;
    ~order() {
        if (!call) return;
        call->fail(std::make_exception_ptr(
            runtime_error("shard " + std::to_string(call->shard_) + " ended before it could be called")));
        call->answer();
    }
    void operator()() {
        const std::shared_ptr<shard_call> c = std::move(call);
        try {
            c->begin(running_loop());
        } catch (...) {
            c->fail(std::current_exception());
            c->answer();
        }
    }
    std::shared_ptr<shard_call> call;
};

void shard_call::send(event_loop& from, shard_call_waiter& waiter) {
    back_ = loop_access::door(from);
    waiter_ = &waiter;
    to_->post(order(shared_from_this()));
}

void shard_call::ask_to_cancel(const std::string& message) {
    to_->post([self = shared_from_this(), message] {
        if (self->task_ && self->task_->cancel(message)) self->heard_cancel_ = true;
    });
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
void shard_call::answer() noexcept {
    back_->post([self = shared_from_this()] { self->arrived(); });
}

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
