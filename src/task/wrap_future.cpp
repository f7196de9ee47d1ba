#include <rondo/task/wrap_future.hpp>

#include <rondo/loop/detail/loop_door.hpp>

#include "task/thread_service.hpp"

#include <optional>

namespace rondo::detail {

void future_mirror::begin(event_loop& loop) {
    service<thread_service>(loop); // what enter() would have to make
    auto self = std::static_pointer_cast<future_mirror>(shared_from_this());
    of_->add_done_callback([self = std::move(self), door = loop_access::door(loop)](
                               const std::shared_ptr<concurrent_state>&) { door->post(self->outcome_, self); });
    enter(loop);
    to_->add_done_node(*this);
}

void future_mirror::arrived() noexcept {
    if (!to_) return; // cancelled in between
    const counted_ptr<future_state> to = std::move(to_);
    to->remove_done_node(*this);
    leave();
    if (of_->error()) {
        to->settle_error(of_->error());
        return;
    }
    to_ = to;
    try {
        transfer_value();
    } catch (...) {
        to->settle_failed(std::current_exception());
    }
    to_ = {};
}

void future_mirror::abandon() noexcept {
    const counted_ptr<future_state> to = std::move(to_);
    of_.reset(); // its callback holds this
    to->remove_done_node(*this);
    to->cancel("the event loop was closed");
}

/// Somebody cancelled the mirror, or set it himself.
void future_mirror::done(done_node& node, future_state& to) noexcept {
    auto& self = static_cast<future_mirror&>(node);
    const std::shared_ptr<concurrent_state> of = std::move(self.of_); // its callback holds self
    event_loop& loop = to.loop();
    const bool cancelled = to.state() == future_state::status::cancelled;
    self.to_ = {};
    self.leave();
    if (!cancelled) return;
    std::optional<due_callbacks> due = of->fail(std::make_exception_ptr(cancelled_error()));
    if (!due || due->empty()) return;
    try {
        loop.call_soon([due = *std::move(due)] {}); // user code: not in here
    } catch (...) {                                 // then they have run already, when `due` died
    }
}

} // namespace rondo::detail
