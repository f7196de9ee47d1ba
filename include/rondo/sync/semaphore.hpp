// semaphore and bounded_semaphore: a number of permits.
#pragma once

#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>
#include <rondo/sync/guard.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <type_traits>

namespace rondo {

class semaphore;

namespace detail {

class semaphore_waiter : public waiter {
public:
    std::string describe() const override;

protected:
    explicit semaphore_waiter(semaphore& of) noexcept : semaphore_(&of) {}
    semaphore_waiter(semaphore_waiter&& other) noexcept = default;
    ~semaphore_waiter();

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    void take() noexcept;

    semaphore* semaphore_;

private:
    void give_back() noexcept;
};

/// S: the class that the guard releases; T: void, or the guard.
template <class S, class T>
class [[nodiscard]] semaphore_awaiter final : public leaf_awaiter<semaphore_awaiter<S, T>, T, semaphore_waiter> {
    using base = leaf_awaiter<semaphore_awaiter<S, T>, T, semaphore_waiter>;
    friend base;

public:
    explicit semaphore_awaiter(semaphore& of) noexcept : base(of) {}

private:
    T value() noexcept {
        this->take();
        if constexpr (!std::is_void_v<T>) return T(static_cast<S&>(*this->semaphore_));
    }
};

} // namespace detail

/// acquire() takes a permit and waits while there is none. Strict FIFO: release() hands the permit to the task that has
/// waited longest, and nobody overtakes a task that was handed one and has not resumed yet.
///
/// acquire() does not suspend when there are permits and nobody is in front. Both task::cancel() and scopes end the wait; a
/// task that is cancelled when it had been handed a permit passes it on. Belongs to the first loop that makes a task wait: in
/// another one waiting throws runtime_error. Destroyed while tasks wait, it fails them with runtime_error. Every operation is
/// O(1) and allocates nothing. (asyncio.Semaphore)
///
///     rondo::semaphore at_most_ten(10);
///     auto permit = co_await at_most_ten.scoped_acquire();
class semaphore {
public:
    /// Negative: value_error.
    explicit semaphore(std::ptrdiff_t value = 1);
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;
    ~semaphore() = default;

    detail::semaphore_awaiter<semaphore, void> acquire() noexcept {
        return detail::semaphore_awaiter<semaphore, void>(*this);
    }
    /// acquire(), released by the guard.
    detail::semaphore_awaiter<semaphore, guard<semaphore>> scoped_acquire() noexcept {
        return detail::semaphore_awaiter<semaphore, guard<semaphore>>(*this);
    }
    /// False: locked().
    bool try_acquire() noexcept;
    void release();
    /// acquire() would wait: no permits, or somebody is in front.
    bool locked() const noexcept { return value_ == 0 || !promised_.empty(); }
    /// How many permits there are to take.
    std::size_t value() const noexcept { return value_; }

private:
    friend class detail::semaphore_waiter;
    void hand_over() noexcept;

    std::size_t value_;
    detail::line waiting_; // empty unless value_ is 0
    detail::line promised_;
    detail::loop_binding bound_;
};

/// A semaphore that does not grow beyond its start value: one release() too many throws value_error, which finds the bug.
/// (asyncio.BoundedSemaphore)
class bounded_semaphore : public semaphore {
public:
    /// Negative: value_error.
    explicit bounded_semaphore(std::ptrdiff_t value = 1);

    /// Beyond the start value: value_error.
    void release();
    detail::semaphore_awaiter<bounded_semaphore, guard<bounded_semaphore>> scoped_acquire() noexcept {
        return detail::semaphore_awaiter<bounded_semaphore, guard<bounded_semaphore>>(*this);
    }

private:
    std::size_t limit_;
};

} // namespace rondo
