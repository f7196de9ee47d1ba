// interval(): ticks.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/task/async_generator.hpp>

namespace rondo {

/// Yields each time the period has passed, counted from the first next(), and gives the time at which the tick was due. It keeps to
/// its rhythm: what the body takes is not added to the period. A tick that the body was too slow for is left out, not made up for.
/// Endless; cancelling the task that waits ends the wait. period <= 0: value_error.
///
///     RONDO_FOR_AWAIT(tick, rondo::interval(1s)) { report(tick); }
async_generator<time_point> interval(duration period);

} // namespace rondo
