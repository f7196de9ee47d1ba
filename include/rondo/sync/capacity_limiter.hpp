// capacity_limiter: a number of tokens, and the names of those who have borrowed them.
#pragma once

#include <rondo/sync/detail/borrower_table.hpp>
#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>
#include <rondo/sync/errors.hpp>
#include <rondo/sync/guard.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

class capacity_limiter;
template <> class guard<capacity_limiter>;

namespace detail {

/// The token of something that may outlive the limiter, and every task: it is its own borrower. Belongs to the loop's thread.
class limiter_token {
public:
    limiter_token() = default;
    limiter_token(const limiter_token&) = delete;
    limiter_token& operator=(const limiter_token&) = delete;
    ~limiter_token() { release(); }

    /// Nothing, when it is not borrowed (any more).
    void release() noexcept;

private:
    friend class limiter_waiter;
    friend class rondo::capacity_limiter;
    capacity_limiter* limiter_ = nullptr;
};

class limiter_waiter : public waiter {
public:
    std::string describe() const override;
    void waits_for(std::vector<const future_state*>& who) const override;

protected:
    /// Without a key: for the task that awaits. For a token: in its name.
    limiter_waiter(capacity_limiter& of, borrower who) noexcept : limiter_(&of), who_(std::move(who)) {}
    limiter_waiter(limiter_waiter&& other) noexcept = default;
    ~limiter_waiter();

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    /// The borrower, who has it now.
    const void* take();

    capacity_limiter* limiter_;

private:
    friend class rondo::capacity_limiter;
    void give_back() noexcept;

    borrower who_;
};

/// T: void, or the guard.
template <class T> class [[nodiscard]] limiter_awaiter final
    : public leaf_awaiter<limiter_awaiter<T>, T, limiter_waiter> {
    using base = leaf_awaiter<limiter_awaiter<T>, T, limiter_waiter>;
    friend base;

public:
    limiter_awaiter(capacity_limiter& of, borrower who) noexcept : base(of, std::move(who)) {}

private:
    T value() {
        const void* const borrower = this->take();
        if constexpr (!std::is_void_v<T>) return T(*this->limiter_, borrower);
    }
};

} // namespace detail

struct limiter_statistics {
    std::size_t total_tokens = 0;
    std::size_t borrowed_tokens = 0;
    std::size_t tasks_waiting = 0;
    std::vector<std::string> borrowers = {}; // longest first
};

/// A semaphore that knows who holds its tokens, so that a program that is stuck can say on whom, and that can be resized. A
/// borrower, the current task unless another is named, has at most one token.
///
/// acquire() does not suspend when there are tokens and nobody is in front; strict FIFO. Both task::cancel() and scopes end
/// the wait; a task that is cancelled when it had been handed a token passes it on. When the total falls below what is
/// borrowed nobody loses anything, and nobody gets a token until enough have come back. Belongs to the first loop that makes
/// a task wait: in another one waiting throws runtime_error. Destroyed while tasks wait, it fails them with runtime_error. Every
/// operation is O(1), statistics() O(n log n); nothing allocates beyond the largest number of borrowers there ever was.
/// (trio.CapacityLimiter)
///
///     rondo::capacity_limiter at_most_four(4);
///     auto token = co_await at_most_four.scoped_acquire();
///     auto text = co_await rondo::to_thread(at_most_four, read_whole_file, path);   // or: one for each thread
class capacity_limiter {
public:
    explicit capacity_limiter(std::size_t total_tokens) noexcept : total_(total_tokens) {}
    capacity_limiter(const capacity_limiter&) = delete;
    capacity_limiter& operator=(const capacity_limiter&) = delete;
    ~capacity_limiter();

    /// For the current task; has it one already: runtime_error.
    detail::limiter_awaiter<void> acquire() noexcept { return {*this, {}}; }
    /// acquire(), released by the guard, whichever task that is in by then.
    detail::limiter_awaiter<guard<capacity_limiter>> scoped_acquire() noexcept { return {*this, {}}; }
    /// For something that has an address; the name is for people. Null: value_error.
    detail::limiter_awaiter<void> acquire_on_behalf_of(const void* borrower, std::string_view name = {});
    /// For the current task. None left: would_block; has it one already, or no task runs: runtime_error.
    void acquire_nowait();
    /// That of the current task. It has none: runtime_error.
    void release();
    void release_on_behalf_of(const void* borrower);

    std::size_t total_tokens() const noexcept { return total_; }
    /// More of them: tasks that wait get them at once.
    void set_total_tokens(std::size_t n);
    std::size_t borrowed_tokens() const noexcept { return borrowers_.size() + promised_.size(); }
    std::size_t available_tokens() const noexcept {
        return total_ > borrowed_tokens() ? total_ - borrowed_tokens() : 0;
    }
    limiter_statistics statistics() const;

private:
    friend class detail::limiter_waiter;
    friend class detail::limiter_token;
    void hand_over() noexcept;
    std::vector<const detail::borrower*> in_order() const;

    std::size_t total_;
    detail::borrower_table borrowers_;
    detail::line waiting_; // empty while tokens are available
    detail::line promised_;
    detail::loop_binding bound_;
};

/// A token, given back when the guard dies. It knows for whom it was borrowed: it may move to another task.
template <> class [[nodiscard("a guard releases at once when it is dropped: give it a name")]] guard<capacity_limiter> {
public:
    /// Takes over what the current task has acquired.
    explicit guard(capacity_limiter& held);
    guard(capacity_limiter& held, const void* borrower) noexcept : held_(&held), borrower_(borrower) {}
    guard(guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)), borrower_(other.borrower_) {}
    guard& operator=(guard&& other) noexcept {
        guard before(std::move(*this));
        held_ = std::exchange(other.held_, nullptr);
        borrower_ = other.borrower_;
        return *this;
    }
    ~guard() {
        if (held_) held_->release_on_behalf_of(borrower_);
    }

    /// Releases early. A guard that holds nothing: runtime_error.
    void unlock() {
        if (!held_) throw runtime_error("this guard holds nothing: it was unlocked or moved from before");
        std::exchange(held_, nullptr)->release_on_behalf_of(borrower_);
    }

private:
    capacity_limiter* held_;
    const void* borrower_;
};

} // namespace rondo
