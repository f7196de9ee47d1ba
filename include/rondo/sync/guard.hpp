// guard<L>: what was acquired, released at the end of the block.
#pragma once

#include <rondo/coro/exceptions.hpp>

#include <utility>

namespace rondo {

/// Holds a lock, a permit or the like, and releases it when it dies; movable. Made by scoped_lock() and scoped_acquire(). Its
/// end never suspends: what was held goes to the first in the line at once. Releasing by hand what a guard still holds is an
/// error of the program: the release of the guard then throws out of its destructor, and the program ends with its message.
///
///     {
///         auto held = co_await mutex.scoped_lock();
///         co_await update();
///     }   // released here
template <class L> class [[nodiscard("a guard releases at once when it is dropped: give it a name")]] guard {
public:
    /// Takes over what the caller has acquired.
    explicit guard(L& held) noexcept : held_(&held) {}
    guard(guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    guard& operator=(guard&& other) noexcept {
        guard before(std::move(*this));
        held_ = std::exchange(other.held_, nullptr);
        return *this;
    }
    ~guard() {
        if (held_) held_->release();
    }

    /// Releases early. A guard that holds nothing: runtime_error.
    void unlock() {
        if (!held_) throw runtime_error("this guard holds nothing: it was unlocked or moved from before");
        std::exchange(held_, nullptr)->release();
    }

private:
    L* held_;
};

} // namespace rondo
