// An operation as a request of the ring.
#pragma once

#include <rondo/loop/detail/operation.hpp>

#include <liburing.h>

namespace rondo::detail {

/// A receive that is to be given a block.
inline bool wants_block(const operation& op) noexcept { return op.kind == operation_kind::recv && !op.buffer; }

/// All but user_data. `poll_first`: a recv waits before it tries; it is known that nothing is there. A send begins behind the
/// op.result bytes that were sent already.
void prepare_request(io_uring_sqe* sqe, operation& op, bool poll_first) noexcept;

} // namespace rondo::detail
