// Waiting for one operation of the backend, which lives in the awaiting frame.
#pragma once

#include <rondo/loop/detail/operation.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <cstdint>
#include <exception>
#include <string>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Gives the operation's result, a negative one too. Cancelled, it ends when the operation has been called back; if that had a
/// result by then, the wait gives it, for what the kernel has handed over must reach somebody, and the task's cancellation is
/// told to its next wait.
///
///     operation_awaiter receiving(loop, operation_kind::recv, fd, "recv");
///     receiving.asked.buffer = ...;
///     const std::int64_t result = co_await receiving;
class operation_awaiter final : public leaf_awaiter<operation_awaiter, std::int64_t> {
public:
    operation_awaiter(event_loop& loop, operation_kind kind, int fd, const char* doing) noexcept;
    operation_awaiter(const operation_awaiter&) = delete;
    operation_awaiter& operator=(const operation_awaiter&) = delete;
    ~operation_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() noexcept;
    void enqueue() const noexcept {}
    std::exception_ptr failure();
    std::int64_t value() const noexcept { return asked.result; }

    struct owned_operation : operation {
        owned_operation(operation_awaiter& o, operation_kind k, function done) noexcept
            : operation(k, done), owner(o) {}
        operation_awaiter& owner;
    };
    /// What is to be done; filled in before the await.
    owned_operation asked;

private:
    static void completed(operation& op) noexcept;

    event_loop& loop_;
    const char* doing_;
    bool begun_ = false;
};

} // namespace rondo::detail
