#include <rondo/io/readiness.hpp>

#include <rondo/io/errors.hpp>

#include "loop/backend/backend.hpp"

#include <cerrno>
#include <string>

#include <poll.h>

namespace rondo::detail {

readiness_awaiter::~readiness_awaiter() {
    require_invariant(!poll_.pending(), "an operation has completed before its frame is destroyed");
}

bool readiness_awaiter::try_now() {
    if (&loop_ != &task()->loop())
        throw runtime_error("readable() and writable() are for tasks of the same event loop");
    prepare_to_wait_for(loop_, fd_);
    return false;
}

void readiness_awaiter::enqueue() noexcept {
    poll_.fd = fd_;
    poll_.flags = for_writing_ ? POLLOUT : POLLIN;
    if (loop_access::backend(loop_).submit(poll_)) {
        settle();
        return;
    }
    waiter_.fd = fd_;
    add_waiter(loop_, waiter_);
}

void readiness_awaiter::poll_operation::completed(operation& op) noexcept {
    readiness_awaiter& self = static_cast<poll_operation&>(op).owner;
    remove_waiter(self.loop_, self.waiter_);
    self.settle();
}

void readiness_awaiter::waiter::told_of_closing(descriptor_waiter& w) noexcept {
    readiness_awaiter& self = static_cast<waiter&>(w).owner;
    self.closing_ = true;
    loop_access::backend(self.loop_).cancel(self.poll_);
}

cancel_outcome readiness_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    mark_cancelled();
    loop_access::backend(loop_).cancel(poll_);
    return cancel_outcome::accepted;
}

std::exception_ptr readiness_awaiter::failure() {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (closing_) return os_error(EBADF, describe() + ", which is being closed");
    if (poll_.result < 0) return os_error(static_cast<int>(-poll_.result), describe());
    return nullptr;
}

std::string readiness_awaiter::describe() const {
    return "waiting until descriptor " + std::to_string(fd_) + (for_writing_ ? " is writable" : " is readable");
}

} // namespace rondo::detail
