// Memory for buffers: blocks of powers of two, reused by the thread that frees them.
#pragma once

#include <rondo/io/bytes.hpp>

#include <cstddef>

namespace rondo::detail {

/// `capacity` becomes what was given: at least what was asked, a power of two from 64 up to 256 KiB; larger ones are as
/// large as asked and not kept. Not zeroed. A block may be freed in another thread. O(1). Throws std::bad_alloc.
std::byte* allocate_buffer(std::size_t& capacity);
void free_buffer(std::byte* block, std::size_t capacity) noexcept;

/// How a buffer becomes a bytes without being copied.
struct bytes_access {
    /// `size` bytes that are to be written, not zeroed.
    static bytes make(std::size_t size) {
        std::size_t capacity = size;
        if (size == 0) return {};
        std::byte* block = allocate_buffer(capacity);
        return adopt(block, capacity, 0, size);
    }
    static void truncate(bytes& b, std::size_t size) noexcept { b.size_ = size; }
    static bytes adopt(std::byte* block, std::size_t capacity, std::size_t begin, std::size_t size) noexcept {
        bytes b;
        b.block_ = block;
        b.capacity_ = capacity;
        b.begin_ = begin;
        b.size_ = size;
        return b;
    }
};

} // namespace rondo::detail
