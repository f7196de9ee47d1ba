// Whether this process may use io_uring.
#pragma once

#include <optional>
#include <system_error>

namespace rondo::detail {

/// Sets up a ring, asks for the operations that the backend uses, and sends a request that does nothing through it. What is
/// in the way, or nothing. Costs about 100 us.
std::optional<std::system_error> probe_uring();

/// The same, once per process.
const std::optional<std::system_error>& uring_obstacle();

} // namespace rondo::detail
