#include <rondo/sync/barrier.hpp>

namespace rondo {

namespace {

std::size_t checked(std::ptrdiff_t parties) {
    if (parties < 1) throw value_error("a barrier is for at least one task, not " + std::to_string(parties));
    return static_cast<std::size_t>(parties);
}

} // namespace

barrier::barrier(std::ptrdiff_t parties) : parties_(checked(parties)) {}

void barrier::do_reset() {
    waiting_.check_thread();
    broken_ = false;
    break_this_round();
    next_round();
}

void barrier::do_abort() {
    waiting_.check_thread();
    broken_ = true;
    break_this_round();
    blocked_.dismiss_all();
}

/// Who resumes and stands in no line was not let through.
void barrier::break_this_round() noexcept {
    waiting_.dismiss_all();
    leaving_.revoke_all();
}

/// Everybody but the last one, who goes on first.
void barrier::let_through() noexcept {
    for (std::size_t index = 0; !waiting_.empty(); ++index) {
        static_cast<detail::barrier_waiter&>(*waiting_.first()).index_ = index;
        waiting_.promise_first(leaving_);
    }
}

/// Those who had to stay outside come in, and may at once be enough.
void barrier::next_round() noexcept {
    while (!blocked_.empty() && leaving_.empty()) {
        if (completes_it()) {
            static_cast<detail::barrier_waiter&>(*blocked_.first()).index_ = parties_ - 1;
            blocked_.promise_first(leaving_);
            let_through();
        } else {
            blocked_.move_first(waiting_);
        }
    }
}

namespace detail {

barrier_waiter::~barrier_waiter() { leave(); }

bool barrier_waiter::try_now() {
    barrier& b = *barrier_;
    if (b.broken_) return true;
    if (b.completes_it()) {
        index_ = b.parties_ - 1;
        b.leaving_.push(*this);
        b.let_through();
        return true;
    }
    if (!b.bound_.bind(task()->loop())) throw_bound_elsewhere("a barrier");
    return false;
}

void barrier_waiter::enqueue() noexcept {
    (barrier_->leaving_.empty() ? barrier_->waiting_ : barrier_->blocked_).push(*this);
}

std::exception_ptr barrier_waiter::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        leave();
        return interruption;
    }
    if (std::exception_ptr gone = abandonment()) return gone;
    if (stands_in(barrier_->leaving_)) return nullptr;
    return std::make_exception_ptr(
        broken_barrier_error(barrier_->broken_ ? "the barrier is aborted" : "the barrier was reset"));
}

std::size_t barrier_waiter::value() noexcept {
    leave();
    return index_;
}

void barrier_waiter::leave() noexcept {
    if (!stands_in(barrier_->leaving_)) return;
    barrier_->leaving_.remove(*this);
    barrier_->next_round();
}

std::string barrier_waiter::describe() const {
    if (stands_in(barrier_->blocked_)) return "waiting until those before it have left a barrier";
    return "waiting for a barrier, " + std::to_string(barrier_->waiting_.size()) + " of " +
           std::to_string(barrier_->parties_) + " have come";
}

bool barrier_command::try_now() {
    (barrier_->*what_)();
    return true;
}

} // namespace detail
} // namespace rondo
