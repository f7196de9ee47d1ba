#include <rondo/task/run_in_executor.hpp>

namespace rondo::detail {

void call_future::start(event_loop& loop, executor* where) {
    try {
        call_->start(loop, where, *this, {"run_in_executor()"}, std::nullopt);
    } catch (...) {
        delete this;
        throw;
    }
    future_->add_done_node(*this);
}

void call_future::call_ended() noexcept {
    future_->remove_done_node(*this);
    transfer();
    delete this;
}

void call_future::call_abandoned() noexcept {
    future_->remove_done_node(*this);
    future_->cancel("the event loop was closed");
    delete this;
}

/// Somebody cancelled the future, or set it himself.
void call_future::done(done_node& node, future_state&) noexcept {
    auto& self = static_cast<call_future&>(node);
    self.call_->cancel();
    delete &self;
}

} // namespace rondo::detail
