// How long things are under way in a simulated world.
#pragma once

#include <rondo/loop/clock.hpp>

#include <array>
#include <chrono>

namespace rondo::sim::detail {

/// Of bytes and datagrams; what the host is away comes on top.
inline constexpr std::array<duration, 4> journeys{duration::zero(), std::chrono::milliseconds(1),
                                                  std::chrono::milliseconds(50), std::chrono::seconds(2)};

} // namespace rondo::sim::detail
