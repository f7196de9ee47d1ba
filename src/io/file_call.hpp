// Waiting for something that blocks on a file, in a thread of the default executor.
#pragma once

#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/thread_call.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Gives what fn() returns, a result like an operation's. Cancelled before fn has begun, it never runs. Once it has, it is
/// waited for, because nobody can stop it: a write that is still to come would meet what the program does next. Its value is
/// given then, and the task's cancellation told to its next wait: the same as with an operation_awaiter.
///
/// fn and what it points to live in the call, not in the awaiting frame: a loop that does not wait for a disk that hangs
/// destroys that.
class file_call final : public leaf_awaiter<file_call, std::int64_t>, private outcome_owner {
public:
    template <class F>
    file_call(const char* doing, F fn)
        : doing_(doing), call_(make_thread_call([fn = std::move(fn)]() mutable -> std::int64_t { return fn(); })) {}
    file_call(const file_call&) = delete;
    file_call& operator=(const file_call&) = delete;
    ~file_call();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() const noexcept { return false; }
    void enqueue() noexcept;
    std::exception_ptr failure();
    std::int64_t value();

private:
    void call_ended() noexcept override { settle(); }
    void call_abandoned() noexcept override {} // its task is torn down next

    const char* doing_;
    std::shared_ptr<thread_call_for<std::int64_t>> call_;
    std::exception_ptr not_started_;
    bool begun_ = false;
};

} // namespace rondo::detail
