#include <rondo/task/timeout.hpp>

#include <rondo/task/detail/current.hpp>
#include <rondo/task/detail/task_record.hpp>

namespace rondo {

timeout_scope timeout_scope::at(deadline when) { return {absolute{}, when}; }

timeout_scope::~timeout_scope() {
    if (task_) detail::disarm_timer(task_->loop(), alarm_);
}

void timeout_scope::enter() {
    if (phase_ != phase::created) throw runtime_error("this timeout has already been entered");
    task_ = &detail::current_record();
    // One that is still to be delivered comes out in here, and is somebody else's.
    cancels_at_entry_ = task_->cancelling() - (task_->must_cancel() ? 1 : 0);
    if (!absolute_) when_ = detail::deadline_after(task_->loop().time(), after_);
    phase_ = phase::active;
    arm();
}

void timeout_scope::arm() {
    if (when_) detail::arm_timer(task_->loop(), alarm_, *when_);
}

void timeout_scope::reschedule(deadline when) {
    if (phase_ == phase::created) throw runtime_error("this timeout has not been entered: it cannot be rescheduled");
    if (phase_ != phase::active)
        throw runtime_error(expired() ? "this timeout has expired: it cannot be rescheduled"
                                      : "this timeout has finished: it cannot be rescheduled");
    detail::check_thread(&task_->loop());
    detail::disarm_timer(task_->loop(), alarm_);
    when_ = when;
    arm();
}

void timeout_scope::alarm::ring(timer_node& node, event_loop&) noexcept {
    timeout_scope& scope = static_cast<alarm&>(node).scope;
    scope.phase_ = phase::expiring;
    scope.task_->cancel({});
}

std::exception_ptr timeout_scope::exit(const std::exception_ptr& error) noexcept {
    detail::task_record& host = *std::exchange(task_, nullptr);
    detail::disarm_timer(host.loop(), alarm_);
    if (phase_ != phase::expiring) {
        phase_ = phase::finished;
        return nullptr;
    }
    phase_ = phase::expired;
    const bool asked_by_nobody_else = host.uncancel() <= cancels_at_entry_;
    const auto* cancelled = detail::exception_cast<cancelled_error>(error);
    // A scope's cancellation is not ours to turn into a timeout, and goes on.
    if (!asked_by_nobody_else || !cancelled || detail::cancelled_access::scope(*cancelled)) return nullptr;
    return detail::make_timeout_error(error);
}

} // namespace rondo
