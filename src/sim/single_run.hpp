// One run of a body in a simulated world.
#pragma once

#include <rondo/sim/run.hpp>

#include "sim/simulation.hpp"

namespace rondo::sim::detail {

inline constexpr label main_is_cancelled = "the main task is cancelled";

/// What kind of failure it was, if it failed, and its whole tape: world.choices.
outcome run_once(simulation& world, const plan& p, const options& how, const body_factory& body);

} // namespace rondo::sim::detail
