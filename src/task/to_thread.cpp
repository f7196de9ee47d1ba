#include <rondo/task/to_thread.hpp>

#include <rondo/task/detail/task_record.hpp>

namespace rondo::detail {

thread_waiter::~thread_waiter() {
    if (is_waiting() && call_) call_->cancel();
}

bool thread_waiter::try_now() const {
    if (!call_) throw invalid_state_error("this to_thread() was awaited or moved from before");
    return false;
}

void thread_waiter::enqueue() noexcept {
    try {
        call_->start(task()->loop(), nullptr, *this, {"to_thread()", where_}, fork_context());
    } catch (...) {
        not_started_ = std::current_exception();
        settle();
    }
}

cancel_outcome thread_waiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    call_->cancel();
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr thread_waiter::obstacle() noexcept {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    return std::move(not_started_);
}

std::string thread_waiter::describe() const {
    return call_->is_queued() ? "waiting for a thread that is free" : "waiting for a call that runs in a thread";
}

} // namespace rondo::detail
