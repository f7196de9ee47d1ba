#include "io/operation_awaiter.hpp"

#include <rondo/loop/detail/loop_state.hpp>

#include "loop/backend/backend.hpp"

#include <cassert>

namespace rondo::detail {

namespace {

/// A send that was cancelled in the middle has no value: half a message is none.
bool has_value(const operation& op) noexcept {
    if (op.result < 0) return false;
    return op.kind != operation_kind::send || static_cast<std::size_t>(op.result) == op.size;
}

} // namespace

operation_awaiter::operation_awaiter(event_loop& loop, operation_kind kind, int fd, const char* doing) noexcept
    : asked(*this, kind, &completed), loop_(loop), doing_(doing) {
    asked.fd = fd;
}

operation_awaiter::~operation_awaiter() { assert(!asked.pending()); }

bool operation_awaiter::try_now() noexcept {
    if (task()->interrupted()) return false; // nothing is begun for a task that is cancelled before it waits
    begun_ = true;
    return loop_access::backend(loop_).submit(asked);
}

void operation_awaiter::completed(operation& op) noexcept { static_cast<owned_operation&>(op).owner.settle(); }

cancel_outcome operation_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    mark_cancelled();
    loop_access::backend(loop_).cancel(asked);
    return cancel_outcome::accepted;
}

std::exception_ptr operation_awaiter::failure() {
    if (!begun_ || !has_value(asked)) return take_interruption();
    if (was_cancelled()) put_off_cancellation();
    return nullptr;
}

std::string operation_awaiter::describe() const { return std::string(doing_) + " on fd " + std::to_string(asked.fd); }

} // namespace rondo::detail
