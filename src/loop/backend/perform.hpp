// An operation as one system call that does not wait, but for the disk.
#pragma once

#include <rondo/loop/detail/operation.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace rondo::detail {

/// So much is received into large blocks before those who wait for it have their turn: what they read is still in the processor's
/// caches, and the blocks that they free are the next ones.
inline constexpr std::size_t received_at_once = std::size_t{512} * 1024;

/// What perform() gives when the operation has to wait for its descriptor. No result of an operation looks like it.
inline constexpr std::int64_t would_block = std::numeric_limits<std::int64_t>::min();

/// Of an operation that was called back after part of it was done, or none.
inline std::int64_t cancelled_result(const operation& op) noexcept { return op.result > 0 ? op.result : -ECANCELED; }

/// Tries `op` once. Its result, or would_block: then the call is repeated when the descriptor is ready. Between calls
/// `op.result` counts what a MSG_WAITALL operation has done so far (0 at first); `repeated` tells that a connect was begun.
std::int64_t perform(operation& op, bool repeated) noexcept;

} // namespace rondo::detail
