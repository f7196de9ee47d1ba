// Waiting until a descriptor that the program itself reads and writes is ready: a library's socket, an inotify, a device.
#pragma once

#include <rondo/loop/detail/descriptor_waiter.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <exception>
#include <string>
#include <utility>

namespace rondo {

namespace detail {

/// One poll operation, in the awaiting frame.
class [[nodiscard]] readiness_awaiter final : public leaf_awaiter<readiness_awaiter, void> {
public:
    readiness_awaiter(event_loop& loop, int fd, bool for_writing) noexcept
        : loop_(loop), fd_(fd), for_writing_(for_writing) {}
    readiness_awaiter(readiness_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)),
          loop_(other.loop_),
          fd_(other.fd_),
          for_writing_(other.for_writing_) {}
    ~readiness_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure();
    void value() const noexcept {}

private:
    struct poll_operation : operation {
        explicit poll_operation(readiness_awaiter& a) noexcept
            : operation(operation_kind::poll, &completed), owner(a) {}
        static void completed(operation& op) noexcept;
        readiness_awaiter& owner;
    };
    struct waiter : descriptor_waiter {
        explicit waiter(readiness_awaiter& a) noexcept : descriptor_waiter(&told_of_closing), owner(a) {}
        static void told_of_closing(descriptor_waiter& w) noexcept;
        readiness_awaiter& owner;
    };

    event_loop& loop_;
    int fd_;
    bool for_writing_;
    bool closing_ = false;
    poll_operation poll_{*this};
    waiter waiter_{*this};
};

} // namespace detail

/// Suspends until a read from fd (a write to it) would not wait: bytes are there, the end of them, a connection, an error.
/// At least one pass, as in Trio's wait_readable(). Any number of tasks may wait for one descriptor, and all are woken: who
/// comes too late finds EAGAIN and waits again. O(1), no allocation.
///
/// Throws value_error for a negative number, std::system_error when fd is not open (EBADF) or notify_closing(fd) was said
/// meanwhile (EBADF too); runtime_error in a task of another loop. Cancellation ends it; nothing is lost by that.
///
///     ssize_t n;
///     while ((n = ::read(fd, buffer, sizeof buffer)) < 0 && errno == EAGAIN) co_await loop.readable(fd);
inline detail::readiness_awaiter event_loop::readable(int fd) { return {*this, fd, false}; }
inline detail::readiness_awaiter event_loop::writable(int fd) { return {*this, fd, true}; }

} // namespace rondo
