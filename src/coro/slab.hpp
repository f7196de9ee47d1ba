// What blocks are carved from. Never given back.
#pragma once

#include <cstddef>

namespace rondo::detail {

struct fresh_slab {
    void* begin;
    std::size_t bytes;
};

/// For a thread that has `in_use` bytes of slabs already. Small at first; a thread that needs many gets huge pages, since with a
/// million tasks the translation of addresses costs more than what the tasks do. Throws std::bad_alloc.
fresh_slab new_slab(std::size_t in_use);

} // namespace rondo::detail
