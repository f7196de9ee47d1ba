// A call from one loop to another, which the caller awaits.
//
// The invariant: a call is used by one thread at a time, but for its counted references. The caller's thread makes it and hands
// it over with a message; from then on `there` belongs to the callee's thread, and `waiter` stays the caller's. The answer is
// written before it is posted back, and read after that has arrived.
#pragma once

#include <rondo/coro/result.hpp>
#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/future_state.hpp>
#include <rondo/task/detail/launch.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo::detail {

class shard_call_waiter;

class shard_call : public std::enable_shared_from_this<shard_call>, private done_node {
public:
    // In the caller's thread.
    void send(event_loop& from, shard_call_waiter& waiter) noexcept;
    void ask_to_cancel(const std::string& message) noexcept;
    void forget_waiter() noexcept { waiter_ = nullptr; }
    bool answered() const noexcept { return answered_; }
    /// Over there a cancellation was accepted.
    bool heard_cancel() const noexcept { return heard_cancel_; }
    std::size_t shard() const noexcept { return shard_; }
    virtual std::exception_ptr error() const noexcept = 0;

protected:
    shard_call(std::shared_ptr<loop_door> to, std::size_t shard) noexcept
        : done_node(&ended), to_(std::move(to)), shard_(shard) {}
    virtual ~shard_call() = default;

    // In the callee's thread.
    virtual void begin(event_loop& here) = 0;
    virtual void take(future_state& task) noexcept = 0;
    virtual void fail(std::exception_ptr error) noexcept = 0;
    void watch(const task_base& started);
    void answer() noexcept;

private:
    void arrived_there() noexcept;
    void never_arrived() noexcept;
    void asked_to_cancel() noexcept;
    static void ended(done_node& node, future_state& task) noexcept;
    void arrived() noexcept;

    std::shared_ptr<loop_door> to_;
    std::shared_ptr<loop_door> back_;
    message_of<shard_call> order_{&shard_call::arrived_there, &shard_call::never_arrived};
    message_of<shard_call> cancellation_{&shard_call::asked_to_cancel};
    message_of<shard_call> answer_{&shard_call::arrived};
    std::atomic<unsigned> cancels_ = 0; // that were asked for and are under way: one message is
    std::string cancel_message_;        // the caller's while there is none, the callee's while there is
    std::size_t shard_;
    shard_call_waiter* waiter_ = nullptr;
    bool answered_ = false;
    // there
    std::shared_ptr<shard_call> self_; // until the task has ended
    future_state* task_ = nullptr;     // likewise
    bool heard_cancel_ = false;
};

template <class T> class shard_call_to : public shard_call {
public:
    result<T>& outcome() noexcept { return outcome_; }
    std::exception_ptr error() const noexcept override { return outcome_.error(); }

protected:
    using shard_call::shard_call;
    void fail(std::exception_ptr e) noexcept override { outcome_.set_error(std::move(e)); }
    result<T> outcome_{no_outcome{}};
};

template <class T, class Call> class shard_task_call final : public shard_call_to<T> {
public:
    shard_task_call(std::shared_ptr<loop_door> to, std::size_t shard, Call call)
        : shard_call_to<T>(std::move(to), shard), call_(std::move(call)) {}

private:
    void begin(event_loop& here) override { this->watch(launch_stored(here, task_options{}, std::move(*call_))); }
    void take(future_state& task) noexcept override {
        task.mark_observed();
        task.value_taken = true; // nobody else was promised it
        if (task.error()) this->fail(task.error());
        else if constexpr (std::is_void_v<T>) this->outcome_.emplace();
        else this->outcome_.emplace(std::move(static_cast<task_of<T>&>(task).value()));
    }
    std::optional<Call> call_;
};

template <class T, class Call> class shard_plain_call final : public shard_call_to<T> {
public:
    shard_plain_call(std::shared_ptr<loop_door> to, std::size_t shard, Call call)
        : shard_call_to<T>(std::move(to), shard), call_(std::move(call)) {}

private:
    void begin(event_loop&) override {
        if constexpr (std::is_void_v<T>) {
            (*call_)();
            this->outcome_.emplace();
        } else {
            this->outcome_.emplace((*call_)());
        }
        call_.reset();
        this->answer();
    }
    void take(future_state&) noexcept override {}
    std::optional<Call> call_;
};

/// The part that does not depend on the value.
class shard_call_waiter : public awaiter {
public:
    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;
    void answered() noexcept;

protected:
    explicit shard_call_waiter(std::shared_ptr<shard_call> call) noexcept : call_(std::move(call)) {}
    shard_call_waiter(shard_call_waiter&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)), call_(std::move(other.call_)) {}
    ~shard_call_waiter();

    static bool try_now() noexcept { return false; }
    void enqueue() noexcept;
    std::exception_ptr failure();
    shard_call& call() const noexcept { return *call_; }

private:
    std::shared_ptr<shard_call> call_;
};

template <class T> class [[nodiscard]] shard_call_awaiter final
    : public leaf_awaiter<shard_call_awaiter<T>, T, shard_call_waiter> {
    using base = leaf_awaiter<shard_call_awaiter<T>, T, shard_call_waiter>;

public:
    explicit shard_call_awaiter(std::shared_ptr<shard_call_to<T>> call) noexcept : base(std::move(call)) {}
    shard_call_awaiter(shard_call_awaiter&&) noexcept = default;

private:
    friend base;
    T value() { return std::move(static_cast<shard_call_to<T>&>(this->call()).outcome()).value(); }
};

} // namespace rondo::detail
