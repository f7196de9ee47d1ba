// Memory for buffers: blocks of powers of two, reused by the thread that frees them.
#pragma once

#include <rondo/coro/frame.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace rondo::detail {

inline constexpr std::size_t smallest_buffer = 64;
inline constexpr std::size_t largest_small_buffer = 2048; // up to here frames' free lists are used (allocate_block)
static_assert(block_cache::class_of(largest_small_buffer) == block_cache::classes);

std::byte* allocate_large_buffer(std::size_t& capacity);
void free_large_buffer(std::byte* block, std::size_t capacity) noexcept;

/// `capacity` becomes what was given: at least what was asked, a power of two from 64 up to 256 KiB; larger ones are as
/// large as asked and not kept. Not zeroed. A block may be freed in another thread. O(1). Throws std::bad_alloc.
inline std::byte* allocate_buffer(std::size_t& capacity) {
    if (capacity > largest_small_buffer) return allocate_large_buffer(capacity);
    capacity = std::bit_ceil(std::max(capacity, smallest_buffer));
    return static_cast<std::byte*>(allocate_block(capacity));
}
inline void free_buffer(std::byte* block, std::size_t capacity) noexcept {
    if (capacity > largest_small_buffer) free_large_buffer(block, capacity);
    else free_block(block, capacity);
}

/// `capacity` is a power of two. Null when there is no memory.
std::byte* try_allocate_buffer(std::size_t capacity) noexcept;

} // namespace rondo::detail
