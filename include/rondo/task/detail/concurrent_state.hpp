// The state that the handles of a concurrent_future share, in any thread.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rondo::detail {

class concurrent_state;

/// Callbacks whose time has come. They run when this dies: where the outcome was set, or later, by whoever was given it.
class due_callbacks {
public:
    using callback = std::function<void(const std::shared_ptr<concurrent_state>&)>;

    due_callbacks() noexcept = default;
    due_callbacks(std::shared_ptr<concurrent_state> of, std::vector<callback> callbacks) noexcept
        : of_(std::move(of)), callbacks_(std::move(callbacks)) {}
    due_callbacks(due_callbacks&& other) noexcept = default;
    due_callbacks& operator=(due_callbacks&&) = delete;
    /// What they throw is written to stderr.
    ~due_callbacks();

    bool empty() const noexcept { return callbacks_.empty(); }

private:
    std::shared_ptr<concurrent_state> of_;
    std::vector<callback> callbacks_;
};

/// pending -> value, error or cancelled, once. Every function may be called in any thread.
class concurrent_state : public std::enable_shared_from_this<concurrent_state> {
public:
    enum class status : std::uint8_t { pending, value, error, cancelled };

    concurrent_state() = default;
    concurrent_state(const concurrent_state&) = delete;
    concurrent_state& operator=(const concurrent_state&) = delete;

    status state() const;
    bool done() const { return state() != status::pending; }
    bool cancelled() const { return state() == status::cancelled; }
    /// True: it is cancelled now.
    bool cancel();
    /// nullopt: it was done before. A cancelled_error makes it cancelled.
    std::optional<due_callbacks> fail(std::exception_ptr error);
    void add_done_callback(due_callbacks::callback fn);

    /// Blocks until it is done. A thread in which a loop runs: runtime_error, unless it is done. False: time is up.
    bool wait(delay timeout) const;
    /// Done. The error or the cancellation; null for a value.
    const std::exception_ptr& error() const noexcept { return error_; }

protected:
    ~concurrent_state() = default;

    /// The lock, held; none when it is done already.
    std::unique_lock<std::mutex> lock_pending();
    /// Ends it, and unlocks.
    due_callbacks settle(std::unique_lock<std::mutex> lock, status how);

    mutable std::mutex mutex_;

private:
    mutable std::condition_variable changed_;
    status status_ = status::pending;
    std::exception_ptr error_;
    std::vector<due_callbacks::callback> callbacks_;
};

template <class T> class concurrent_state_of final : public concurrent_state {
public:
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    concurrent_state_of() = default;
    ~concurrent_state_of() {
        if (state() == status::value) slot_.clear();
    }
    /// nullopt: it was done before.
    std::optional<due_callbacks> set_value(stored value) {
        auto lock = lock_pending();
        if (!lock) return std::nullopt;
        slot_.emplace(std::move(value));
        return settle(std::move(lock), status::value);
    }
    /// Done, with a value: a copy of it, or the value itself where it cannot be copied, once.
    T take() {
        if constexpr (std::is_void_v<T>) {
            return;
        } else if constexpr (std::copy_constructible<T>) {
            return slot_.value;
        } else {
            std::unique_lock<std::mutex> lock(mutex_);
            if (std::exchange(taken_, true))
                throw invalid_state_error("the value of this concurrent_future was taken before");
            lock.unlock();
            return std::move(slot_.value);
        }
    }

private:
    value_slot<stored> slot_;
    bool taken_ = false;
};

} // namespace rondo::detail
