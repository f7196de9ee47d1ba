// signal_receiver: signals as an asynchronous stream.
#pragma once

#include <rondo/io/detail/write_awaiter.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rondo {

namespace detail {

class signal_mailbox;
void retain(signal_mailbox& m) noexcept;
void release(signal_mailbox& m) noexcept;

class [[nodiscard]] signal_awaiter final : public leaf_awaiter<signal_awaiter, std::optional<int>> {
public:
    explicit signal_awaiter(counted_ptr<signal_mailbox> from) noexcept : from_(std::move(from)) {}
    signal_awaiter(signal_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)), from_(std::move(other.from_)) {}
    ~signal_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() noexcept;
    void enqueue() noexcept;
    std::exception_ptr failure();
    std::optional<int> value() const noexcept { return given_; }
    void give(std::optional<int> signal) noexcept {
        listed_ = false;
        given_ = signal;
        settle();
    }

private:
    friend struct waiting_list<signal_awaiter>;
    counted_ptr<signal_mailbox> from_;
    std::optional<int> given_;
    signal_awaiter* next_ = nullptr;
    signal_awaiter* previous_ = nullptr;
    bool listed_ = false;
};

} // namespace detail

/// Receives signals from its construction on, in the order in which the loop notices them; arrivals of one signal that nobody
/// has taken yet are one. Several receivers of a signal all get it, beside the loop's handler for it. While a receiver
/// lives, the signal's own action (ending the process, say) does not happen.
///
/// Belongs to the running loop. value_error for a number that is no signal, runtime_error for one that cannot be caught or
/// without a running loop. Move-only; the destructor closes. (Trio's open_signal_receiver)
///
///     rondo::signal_receiver stop({SIGTERM, SIGINT});
///     while (auto number = co_await stop.next()) { ... }
class signal_receiver {
public:
    explicit signal_receiver(std::vector<int> signals);
    signal_receiver(signal_receiver&&) noexcept = default;
    signal_receiver& operator=(signal_receiver&& other) noexcept;
    ~signal_receiver();

    /// The next signal; nullopt once closed. Cancelled at the moment it was given one, it leaves it to the next call.
    detail::signal_awaiter next() { return detail::signal_awaiter(from_); }
    /// What has not been taken is dropped, tasks in next() get nullopt. Idempotent.
    void close() noexcept;

private:
    detail::counted_ptr<detail::signal_mailbox> from_;
};

} // namespace rondo
