// What a context holds: a shared, immutable map, replaced on every change.
#pragma once

#include <rondo/loop/context.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace rondo::detail {

/// Sorted by variable; programs have few. The map is shared between contexts, and so between threads: its count is atomic.
using context_map = std::vector<std::pair<std::uint64_t, context_value>>;

class context_state {
public:
    std::uint32_t references = 1;
    bool entered = false; // by context::run
    std::shared_ptr<const context_map> values;
};

} // namespace rondo::detail
