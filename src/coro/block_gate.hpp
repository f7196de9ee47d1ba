// A hand on the allocation of blocks: with it the simulator makes any of them fail.
#pragma once

#include <cstddef>

namespace rondo::detail {

class block_gate {
public:
    /// In the place of allocate_block(), for a block of the c-th size class: throws, or gives what allocate_ungated_block()
    /// gives.
    virtual void* allocate(std::size_t c) = 0;

protected:
    ~block_gate() = default;
};

/// From now on every allocation of a block in this thread goes through it; null: through none. Without one there is no cost.
void set_block_gate(block_gate* gate) noexcept;
void* allocate_ungated_block(std::size_t c);

/// How many bytes of slabs are in blocks that this thread has given out and not taken back, as far as it knows of no other
/// thread. 0 where every block is an allocation of its own.
std::size_t slab_bytes_in_use() noexcept;

} // namespace rondo::detail
