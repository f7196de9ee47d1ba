// A descriptor on its way to whoever will own it.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

namespace rondo::detail {

/// Closes it, unless somebody has taken it.
class descriptor_guard {
public:
    descriptor_guard(event_loop& loop, int fd) noexcept : os_(&loop_access::backend(loop).os()), fd_(fd) {}
    descriptor_guard(const descriptor_guard&) = delete;
    descriptor_guard& operator=(const descriptor_guard&) = delete;
    ~descriptor_guard() {
        if (os_) os_->close(fd_);
    }
    int fd() const noexcept { return fd_; }
    void taken() noexcept { os_ = nullptr; }

private:
    os* os_;
    int fd_;
};

} // namespace rondo::detail
