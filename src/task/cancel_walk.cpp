#include "task/cancel_walk.hpp"

#include <utility>

namespace rondo::detail {

cancel_walk::~cancel_walk() {
    while (path_) leave_path(); // an exception came in between
    while (left_) {
        const auto who = counted_ptr<future_state>::adopt(left_);
        left_ = std::exchange(who->asked_by_, nullptr);
        who->mark_ = mark::none;
    }
}

bool cancel_walk::ask(future_state& first, const std::string& message) {
    for (future_state::cancel_step step = begin(first, message);;) {
        if (step.ask) {
            const counted_ptr<future_state> next(step.ask);
            step = begin(*next, message);
            if (!step.ask) step = path_->continue_cancel(message, step.accepted);
        } else if (path_) {
            leave_path();
            if (path_) step = path_->continue_cancel(message, step.accepted);
        } else {
            return step.accepted;
        }
    }
}

future_state::cancel_step cancel_walk::begin(future_state& who, const std::string& message) {
    if (who.mark_ == mark::asking) return {};
    if (who.mark_ == mark::has_asked) return {.accepted = who.cancel_again(message)};
    const future_state::cancel_step step = who.begin_cancel(message);
    if (step.ask) {
        who.retain();
        who.mark_ = mark::asking;
        who.asked_by_ = std::exchange(path_, &who);
    }
    return step;
}

void cancel_walk::leave_path() noexcept {
    future_state* who = path_;
    path_ = std::exchange(who->asked_by_, std::exchange(left_, who));
    who->mark_ = mark::has_asked;
}

} // namespace rondo::detail
