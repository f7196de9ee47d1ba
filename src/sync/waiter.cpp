#include <rondo/sync/detail/waiter.hpp>

#include <rondo/coro/exceptions.hpp>

namespace rondo::detail {

cancel_outcome waiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    line_->remove(*this);
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr waiter::abandonment() const noexcept {
    if (!abandoned_) return nullptr;
    return std::make_exception_ptr(runtime_error(
        "what this task waited for was destroyed: a lock, a queue or the like must outlive those who use it"));
}

line::~line() {
    while (waiter* w = first_) {
        remove(*w);
        w->abandoned_ = true;
        if (w->is_waiting()) w->settle();
    }
}

void line::move_first(line& other) noexcept {
    waiter& w = *first_;
    remove(w);
    other.push(w);
}

void line::dismiss_first() noexcept { dismiss(*first_); }

void line::dismiss(waiter& w) noexcept {
    remove(w);
    w.settle();
}

void line::revoke_all() noexcept {
    while (first_) remove(*first_);
}

void line::check_thread() const {
    if (first_) loop_access::check_usable(first_->task()->loop());
}

} // namespace rondo::detail
