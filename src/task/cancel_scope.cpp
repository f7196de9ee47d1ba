#include <rondo/task/cancel_scope.hpp>

#include <rondo/task/detail/current.hpp>
#include <rondo/task/detail/task_record.hpp>

#include "coro/without_memory.hpp"

namespace rondo {

cancel_scope::cancel_scope() = default;

cancel_scope::cancel_scope(cancel_scope_options options) {
    node_.set_shield(options.shield);
    node_.deadline = options.deadline.value_or(time_point::max());
}

cancel_scope::~cancel_scope() {
    if (loop_) detail::disarm_timer(*loop_, timer_);
}

void cancel_scope::enter() {
    if (used_) throw runtime_error("a cancel_scope is used once");
    detail::task_record& host = detail::current_record();
    used_ = true;
    loop_ = &host.loop();
    node_.enter(host);
    arm();
}

bool cancel_scope::exit(const std::exception_ptr& error) noexcept {
    detail::disarm_timer(*loop_, timer_);
    loop_ = nullptr;
    node_.leave();
    const auto* cancelled = detail::exception_cast<cancelled_error>(error);
    // An error that an awaited task ended with may name a scope that is gone and whose place this one has.
    caught_ = cancelled && node_.cancel_called() && detail::cancelled_access::scope(*cancelled) == &node_;
    return caught_;
}

void cancel_scope::set_deadline(rondo::deadline when) {
    detail::check_thread(loop_);
    node_.deadline = when.value_or(time_point::max());
    if (!loop_) return;
    detail::disarm_timer(*loop_, timer_);
    arm();
}

rondo::deadline cancel_scope::deadline() const noexcept {
    return node_.deadline == time_point::max() ? rondo::deadline() : rondo::deadline(node_.deadline);
}

void cancel_scope::arm() noexcept {
    if (node_.deadline == time_point::max() || node_.cancel_called()) return;
    if (node_.deadline <= loop_->time()) node_.cancel(detail::text_if_possible("the deadline has passed"));
    else detail::arm_timer(*loop_, timer_, node_.deadline);
}

void cancel_scope::deadline_timer::expired(timer_node& node, event_loop&) noexcept {
    static_cast<deadline_timer&>(node).scope.node_.cancel(detail::text_if_possible("the deadline has passed"));
}

time_point current_effective_deadline() {
    time_point earliest = time_point::max();
    for (const detail::scope_node* s = detail::current_record().scope; s; s = s->parent()) {
        if (s->cancel_called()) return time_point::min();
        earliest = std::min(earliest, s->deadline);
        if (s->shield()) break;
    }
    return earliest;
}

} // namespace rondo
