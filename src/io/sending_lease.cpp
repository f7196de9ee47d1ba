#include "io/sending_lease.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/stream_core.hpp"
#include "loop/backend/backend.hpp"

#include <cerrno>
#include <utility>

namespace rondo::detail {

sending_lease::sending_lease(counted_ptr<stream_core> of)
    : of_(std::move(of)), answered_(of_->loop().create_future<>()) {
    if (of_->is_lent()) throw runtime_error("a sendfile() on this transport is going on (" + of_->describe() + ")");
    of_->lend(*this);
}

sending_lease::~sending_lease() { of_->give_back(); }

void sending_lease::revoke() noexcept {
    revoked_ = true;
    if (running_) loop_access::backend(of_->loop()).cancel(*running_);
    answered_.try_set_result();
}

std::exception_ptr sending_lease::reason() const {
    if (of_->error()) return of_->error();
    if (of_->write_error()) return of_->write_error();
    return os_error(ECONNRESET, "the connection was closed during a sendfile()");
}

} // namespace rondo::detail
