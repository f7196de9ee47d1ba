// unique_fd: a descriptor that is closed when nobody owns it any more.
#pragma once

#include <utility>

namespace rondo {

/// Owns a descriptor, or nothing (-1). Movable; belongs to no loop and no thread.
///
///     rondo::unique_fd socket = std::move(message.fds.front());
///     auto [transport, protocol] = co_await loop.connect_accepted_socket(factory, socket.release());
class unique_fd {
public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~unique_fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    /// It is the caller's now.
    int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes what it owns, and owns `fd` from now on.
    void reset(int fd = -1) noexcept;

private:
    int fd_ = -1;
};

} // namespace rondo
