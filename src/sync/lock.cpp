#include <rondo/sync/lock.hpp>

#include <rondo/task/detail/current.hpp>

#include <utility>

namespace rondo {

bool lock::try_lock() {
    if (!is_free()) return false;
    take_for(detail::current_record_or_null());
    return true;
}

void lock::release() {
    // A frame that is destroyed inside condition::wait() has a guard, but not the lock.
    if (!locked_ && detail::frames_are_being_destroyed()) return;
    if (!locked_) throw runtime_error(label() + " is not held: it cannot be released");
    waiting_.check_thread();
    locked_ = false;
    const detail::counted_ptr<detail::future_state> before = std::move(owner_); // may be the last one to know that task
    pass_on();
}

void lock::take_for(detail::task_record* owner) noexcept {
    locked_ = true;
    owner_ = detail::counted_ptr<detail::future_state>(owner);
}

void lock::pass_on() noexcept {
    if (!waiting_.empty()) waiting_.promise_first(promised_);
}

std::string lock::label() const { return name_.empty() ? "a lock" : "lock '" + name_ + "'"; }

const detail::future_state* lock::holder() const noexcept {
    if (!promised_.empty()) return promised_.first()->task();
    return owner_.get();
}

std::string lock::description() const {
    const detail::future_state* h = holder();
    return label() + " held " + (h ? "by " + h->label() : "from outside of tasks");
}

namespace detail {

lock_waiter::~lock_waiter() { give_back(); }

bool lock_waiter::try_now() {
    if (lock_->is_free()) {
        lock_->promised_.push(*this);
        return true;
    }
    if (!lock_->bound_.bind(task()->loop())) throw_bound_elsewhere(lock_->label());
    return false;
}

void lock_waiter::enqueue() noexcept { lock_->waiting_.push(*this); }

std::exception_ptr lock_waiter::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        give_back();
        return interruption;
    }
    return abandonment();
}

void lock_waiter::take() noexcept {
    lock_->promised_.remove(*this);
    lock_->take_for(task());
}

void lock_waiter::give_back() noexcept {
    if (!stands_in(lock_->promised_)) return;
    lock_->promised_.remove(*this);
    lock_->pass_on();
}

std::string lock_waiter::describe() const { return "waiting for " + lock_->description(); }

void lock_waiter::waits_for(std::vector<const future_state*>& who) const {
    if (const future_state* holder = lock_->holder()) who.push_back(holder);
}

} // namespace detail
} // namespace rondo
