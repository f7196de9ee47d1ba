// Whether this process may use io_uring.
#pragma once

#include <optional>
#include <system_error>

struct io_uring_probe;

namespace rondo::detail {

/// Sets up a ring, asks for the operations that the backend uses, and sends a request that does nothing through it. What is
/// in the way, or nothing. Costs about 100 us.
std::optional<std::system_error> probe_uring();

/// Of what the kernel says it knows: an operation that the backend uses is not among it.
std::optional<std::system_error> lacking_operation(const io_uring_probe& known);

/// probe_uring(), once per process.
const std::optional<std::system_error>& uring_obstacle();

} // namespace rondo::detail
