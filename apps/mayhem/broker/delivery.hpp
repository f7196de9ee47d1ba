// A message in somebody's hands.
#pragma once

#include "broker/request.hpp"

#include <compare>
#include <cstdint>
#include <string>

namespace mayhem {

/// Which message, and which delivery of it. Later deliveries compare greater, so it fences writes: what an earlier delivery
/// still wants to write is refused once a later one has written.
struct delivery_tag {
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;

    friend auto operator<=>(const delivery_tag&, const delivery_tag&) = default;
};

struct delivery {
    delivery_tag tag = {};
    std::uint32_t failures = 0; // earlier deliveries that came to nothing
    std::string payload = {};
};

} // namespace mayhem
