// Cleanup that fails: what it throws takes the place of what had failed before.
#pragma once

#include <exception>

namespace rondo::detail {

/// What the cleanup failed with, with `error`, what had failed before it (may be null), as its cause. Where it cannot have a
/// cause, `error` goes to the exception handler, unless it is a cancellation: nobody else would see it. Inside a loop.
std::exception_ptr replaced_by(const std::exception_ptr& cleanup_error, const std::exception_ptr& error);

} // namespace rondo::detail
