#include <rondo/task/sleep.hpp>

namespace rondo::detail {

void yield_awaiter::rethrow() { std::rethrow_exception(task_->take_cancellation(cancelled_)); }
result<void> yield_awaiter::await_result() noexcept {
    if (!cancelled_ && !task_->must_cancel()) return result<void>();
    return result<void>(task_->take_cancellation(cancelled_));
}

sleep_awaiter_base::~sleep_awaiter_base() {
    if (armed()) disarm_timer(task()->loop(), *this);
}

void sleep_awaiter_base::start() noexcept {
    event_loop& loop = task()->loop();
    if (until_ == kind::never) return;
    if (until_ == kind::at) return arm_timer(loop, *this, when);
    const duration d = when.time_since_epoch();
    if (d <= duration::zero()) settle();
    else arm_timer(loop, *this, *deadline_after(loop.time(), d));
}

void sleep_awaiter_base::ring(timer_node& node, event_loop&) noexcept {
    static_cast<sleep_awaiter_base&>(node).settle();
}

cancel_outcome sleep_awaiter_base::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    disarm_timer(task()->loop(), *this);
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::string sleep_awaiter_base::describe() const {
    if (!armed()) return "sleeping for ever";
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(when - task()->loop().time()).count();
    return "sleeping for " + std::to_string(left) + " ms more";
}

} // namespace rondo::detail
