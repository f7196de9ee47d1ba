#include <rondo/sync/semaphore.hpp>

namespace rondo {

namespace {

std::size_t start_value(std::ptrdiff_t value) {
    if (value < 0) throw value_error("a semaphore cannot start with " + std::to_string(value) + " permits");
    return static_cast<std::size_t>(value);
}

} // namespace

semaphore::semaphore(std::ptrdiff_t value) : value_(start_value(value)) {}

bool semaphore::try_acquire() noexcept {
    if (locked()) return false;
    --value_;
    return true;
}

void semaphore::release() {
    waiting_.check_thread();
    hand_over();
}

void semaphore::hand_over() noexcept {
    if (waiting_.empty()) ++value_;
    else waiting_.promise_first(promised_);
}

bounded_semaphore::bounded_semaphore(std::ptrdiff_t value) : semaphore(value), limit_(this->value()) {}

void bounded_semaphore::release() {
    if (value() >= limit_)
        throw value_error("a bounded_semaphore of " + std::to_string(limit_) + " was released too many times");
    semaphore::release();
}

namespace detail {

semaphore_waiter::~semaphore_waiter() { give_back(); }

bool semaphore_waiter::try_now() {
    if (!semaphore_->locked()) {
        --semaphore_->value_;
        semaphore_->promised_.push(*this);
        return true;
    }
    if (!semaphore_->bound_.bind(task()->loop())) throw_bound_elsewhere("a semaphore");
    return false;
}

void semaphore_waiter::enqueue() noexcept {
    if (semaphore_->value_ == 0) {
        semaphore_->waiting_.push(*this);
        return;
    }
    --semaphore_->value_; // it resumes behind those who were promised theirs before
    semaphore_->promised_.push(*this);
    settle();
}

std::exception_ptr semaphore_waiter::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        give_back();
        return interruption;
    }
    return abandonment();
}

void semaphore_waiter::take() noexcept { semaphore_->promised_.remove(*this); }

void semaphore_waiter::give_back() noexcept {
    if (!stands_in(semaphore_->promised_)) return;
    semaphore_->promised_.remove(*this);
    semaphore_->hand_over();
}

std::string semaphore_waiter::describe() const {
    return "waiting for a semaphore, in a line of " + std::to_string(semaphore_->waiting_.size());
}

} // namespace detail
} // namespace rondo
