#include <rondo/sync/condition.hpp>

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/uninterrupted.hpp>

namespace rondo {

coro<void> condition::wait() {
    if (!lock_->locked()) throw runtime_error("a condition was awaited without holding its lock");
    if (!bound_.bind(running_loop())) detail::throw_bound_elsewhere("a condition");
    lock_->release();
    result<void> outcome = co_await as_result(detail::notification(*this));
    const bool destroyed = !outcome && !outcome.cancelled(); // then nothing of it may be touched
    if (!destroyed) {
        detail::uninterrupted until_locked;
        co_await lock_->acquire();
        if (std::exception_ptr cancelled = until_locked.end()) {
            if (outcome) wake(1);
            outcome.set_error(std::move(cancelled));
        }
    }
    std::move(outcome).value();
}

void condition::notify(std::size_t n) {
    if (!lock_->locked()) throw runtime_error("a condition was notified without holding its lock");
    waiting_.check_thread();
    wake(n);
}

void condition::wake(std::size_t n) noexcept {
    for (; n > 0 && !waiting_.empty(); --n) waiting_.promise_first(notified_);
}

namespace detail {

notification::~notification() { pass_on(); }

void notification::enqueue() noexcept { condition_->waiting_.push(*this); }

std::exception_ptr notification::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        pass_on();
        return interruption;
    }
    return abandonment();
}

void notification::value() noexcept { condition_->notified_.remove(*this); }

void notification::pass_on() noexcept {
    if (!stands_in(condition_->notified_)) return;
    condition_->notified_.remove(*this);
    condition_->wake(1);
}

std::string notification::describe() const {
    return "waiting for a condition, in a line of " + std::to_string(condition_->waiting_.size());
}

} // namespace detail
} // namespace rondo
