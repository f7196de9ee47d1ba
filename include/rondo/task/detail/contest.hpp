// Tasks of which one is to win: what select() and staggered_race() have in common.
#pragma once

#include <exception>

namespace rondo::detail {

/// For a competitor that has ended with `error`, or null: throws it when it is an exit request, or the cancellation of the
/// competitor itself, which was asked to end and did not lose by its own fault.
void rethrow_request_to_end(const std::exception_ptr& error);

/// What somebody failed with who had lost already goes to the exception handler. A cancellation is no failure.
void report_loser(const std::exception_ptr& error);

} // namespace rondo::detail
