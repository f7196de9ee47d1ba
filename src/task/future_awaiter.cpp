#include <rondo/task/detail/future_awaiter.hpp>

namespace rondo::detail {

void future_awaiter_base::require_awaitable() const {
    if (!future_) throw invalid_state_error("a null future cannot be awaited");
    if (future_->done()) return; // whoever's it is
    if (&future_->loop() != &task()->loop())
        throw runtime_error(future_->label() + " belongs to a different event loop");
    throw runtime_error(future_->label() + " cannot await itself");
}

void future_awaiter_base::done(done_node& node, future_state&) noexcept {
    static_cast<future_awaiter_base&>(node).settle();
}

cancel_outcome future_awaiter_base::cancel(const std::string& message) noexcept {
    const counted_ptr<future_state> keep(begin_cancel());
    return end_cancel(keep->cancel(message));
}

future_state* future_awaiter_base::begin_cancel() noexcept {
    mark_cancelled();
    return future_.get();
}

cancel_outcome future_awaiter_base::end_cancel(bool accepted) noexcept {
    if (accepted) return cancel_outcome::accepted;
    if (future_->done()) return cancel_outcome::too_late;
    future_->remove_done_node(*this); // a circle of tasks that wait for each other is broken here
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr future_awaiter_base::failure() {
    const bool only_asked = was_cancelled() && future_ && future_->done();
    if (only_asked && future_->state() != future_state::status::cancelled) clear_cancelled(); // it had something better
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    future_->mark_observed();
    if (future_->error()) return future_->error();
    if (future_->value_taken)
        return std::make_exception_ptr(invalid_state_error("the value of " + future_->label() + " was taken before"));
    return nullptr;
}

void future_awaiter_base::rethrow_failure() {
    if (std::exception_ptr error = failure()) std::rethrow_exception(std::move(error));
}

std::string future_awaiter_base::describe() const { return "waiting for " + future_->label(); }

void future_awaiter_base::waits_for(std::vector<const future_state*>& who) const { who.push_back(future_.get()); }

} // namespace rondo::detail
