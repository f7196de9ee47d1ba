#include <rondo/sync/event.hpp>

namespace rondo {

void event::set() {
    waiting_.check_thread();
    set_ = true;
    waiting_.dismiss_all();
}

namespace detail {

bool event_awaiter::try_now() {
    if (event_->set_) return true;
    if (!event_->bound_.bind(task()->loop())) throw_bound_elsewhere("an event");
    return false;
}

void event_awaiter::enqueue() noexcept { event_->waiting_.push(*this); }

std::exception_ptr event_awaiter::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    return abandonment();
}

} // namespace detail
} // namespace rondo
