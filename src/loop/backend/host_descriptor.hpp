// What a host loop polls, for a loop that lives inside it.
#pragma once

#include <rondo/loop/clock.hpp>

namespace rondo::detail {

/// A descriptor that is readable while one of others (a backend's own) is, or since a time has come. Nobody reads from it.
class host_descriptor {
public:
    host_descriptor() noexcept = default;
    host_descriptor(const host_descriptor&) = delete;
    host_descriptor& operator=(const host_descriptor&) = delete;
    ~host_descriptor() { close(); }

    bool is_open() const noexcept { return epoll_ >= 0; }
    int number() const noexcept { return epoll_; }
    /// Readable at once, until set() says otherwise. 0 or -errno.
    int open() noexcept;
    /// From now on it is readable while this one is. 0 or -errno.
    int watch(int fd) noexcept;
    void close() noexcept;
    /// From `when` on it is readable: the past means now, time_point::max() never. Costs a system call when it changes.
    void set(time_point when) noexcept;

private:
    int epoll_ = -1;
    int timer_ = -1;
    time_point when_ = time_point::max();
};

} // namespace rondo::detail
