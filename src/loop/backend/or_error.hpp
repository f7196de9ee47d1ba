// The result of a system call in the form that the seam has: errno negated.
#pragma once

#include <cerrno>

namespace rondo::detail {

inline int or_error(int result) noexcept { return result < 0 ? -errno : result; }

} // namespace rondo::detail
