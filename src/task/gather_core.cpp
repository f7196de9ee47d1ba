#include <rondo/task/detail/gather_core.hpp>

#include "coro/without_memory.hpp"

namespace rondo::detail {

gather_core::gather_core(std::vector<counted_ptr<future_state>> children, bool exceptions)
    : children_(std::move(children)),
      watches_(std::make_unique<watch[]>(children_.size())),
      left_(children_.size()),
      exceptions_(exceptions) {}

void gather_core::begin_watching() {
    if (left_ == 0) {
        complete();
        return;
    }
    for (const auto& child : children_) {
        if (!child) throw type_error("a null handle cannot be gathered");
        if (&child->loop() != &outer().loop()) throw value_error(child->label() + " belongs to a different event loop");
    }
    outer().retain(); // until the last child has ended, even when nobody looks any more
    for (std::size_t i = 0; i < children_.size(); ++i) {
        watches_[i].owner = this;
        children_[i]->add_done_node(watches_[i]);
    }
}

void gather_core::watch::ended(done_node& node, future_state& of) noexcept {
    static_cast<watch&>(node).owner->child_ended(of);
}

void gather_core::child_ended(future_state& child) noexcept {
    --left_;
    future_state& whole = outer();
    if (whole.done() || !child.done()) {
        child.mark_observed();
    } else if (exceptions_ || cancelled_ || !child.error()) {
        // What fails while the gather is being cancelled is in no result: it stays to be reported.
        if (!cancelled_ || child.state() != future_state::status::error) child.mark_observed();
        if (left_ == 0 && cancelled_) whole.settle_error(cancellation(message_, nullptr));
        else if (left_ == 0) complete();
    } else {
        child.mark_observed();
        whole.settle_failed(child.error());
    }
    if (left_ == 0) whole.release();
}

void gather_core::unended_children(std::vector<const future_state*>& who) const {
    for (const auto& child : children_) {
        if (!child->done()) who.push_back(child.get());
    }
}

void gather_core::begin_asking(const std::string& message) {
    cancelled_before_ = std::exchange(cancelled_, true); // before they are asked: a future ends at once
    if (!cancelled_before_) message_ = text_if_possible(message);
    accepted_ = false;
    asked_ = 0;
}

future_state* gather_core::next_to_ask() noexcept {
    return asked_ < children_.size() ? children_[asked_++].get() : nullptr;
}

bool gather_core::end_asking() noexcept {
    if (!accepted_) cancelled_ = cancelled_before_;
    return accepted_;
}

} // namespace rondo::detail
