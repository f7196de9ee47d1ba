// A descriptor on its way to whoever will own it.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <utility>

namespace rondo::detail {

/// Closes it, unless somebody has taken it. -1: none.
class descriptor_guard {
public:
    descriptor_guard(event_loop& loop, int fd) noexcept : descriptor_guard(loop_access::backend(loop).os(), fd) {}
    explicit descriptor_guard(os& o, int fd = -1) noexcept : os_(&o), fd_(fd) {}
    descriptor_guard(descriptor_guard&& other) noexcept : os_(other.os_), fd_(other.take()) {}
    descriptor_guard& operator=(descriptor_guard&& other) noexcept {
        reset(other.take());
        return *this;
    }
    ~descriptor_guard() { reset(-1); }

    int fd() const noexcept { return fd_; }
    int take() noexcept { return std::exchange(fd_, -1); }
    void taken() noexcept { fd_ = -1; }
    void reset(int fd) noexcept {
        if (fd_ >= 0) os_->close(fd_);
        fd_ = fd;
    }

private:
    os* os_;
    int fd_;
};

} // namespace rondo::detail
