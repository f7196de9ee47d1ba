// From a run that fails to a small one that fails in the same way.
#pragma once

#include "sim/tape.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace rondo::sim::detail {

/// The deviations of the run that these choices make, if it fails in the way that is looked for.
using still_fails = std::function<std::optional<std::vector<forced_choice>>(const std::vector<forced_choice>&)>;

/// Delta debugging (Zeller, Hildebrandt 2002): takes away halves, quarters, single deviations, until each that is left is
/// needed; then makes what is left smaller. At most `budget` runs.
std::vector<forced_choice> shrink(std::vector<forced_choice> failing, const still_fails& try_it, std::size_t budget);

} // namespace rondo::sim::detail
