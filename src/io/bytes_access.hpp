// How a buffer becomes a bytes without being copied.
#pragma once

#include <rondo/io/bytes.hpp>

#include "loop/buffer_pool.hpp"

#include <cstddef>

namespace rondo::detail {

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
