#include <rondo/task/sleep.hpp>

namespace rondo::detail {

sleep_awaiter_base::~sleep_awaiter_base() {
    if (alarm_.armed()) disarm_timer(task()->loop(), alarm_);
}

void sleep_awaiter_base::start() noexcept {
    event_loop& loop = task()->loop();
    if (!absolute_) {
        if (delay_.is_none()) return;
        if (delay_.value() <= duration::zero()) {
            settle();
            return;
        }
        until_ = *deadline_after(loop.time(), delay_);
    }
    arm_timer(loop, alarm_, until_);
}

void sleep_awaiter_base::alarm::ring(timer_node& node, event_loop&) noexcept {
    static_cast<alarm&>(node).owner.settle();
}

cancel_outcome sleep_awaiter_base::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    disarm_timer(task()->loop(), alarm_);
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::string sleep_awaiter_base::describe() const {
    if (!alarm_.armed()) return "sleeping for ever";
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - task()->loop().time()).count();
    return "sleeping for " + std::to_string(left) + " ms more";
}

} // namespace rondo::detail
