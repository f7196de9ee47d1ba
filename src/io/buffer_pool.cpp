#include "io/buffer_pool.hpp"

#include <rondo/coro/debug.hpp>
#include <rondo/coro/frame.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

namespace rondo::detail {

namespace {

constexpr std::size_t smallest = 64;
constexpr std::size_t largest_frame_block = 2048; // up to here frames' free lists are used (allocate_block)
constexpr std::size_t largest_kept = std::size_t{256} * 1024;
constexpr std::size_t kept_bytes = std::size_t{4} << 20; // by one thread: the buffers of 64 connections of 64 KiB
constexpr std::size_t first_class = 12;                  // 4 KiB
constexpr std::size_t classes = 7;                       // 4 KiB to 256 KiB
static_assert(std::size_t{1} << (first_class + classes - 1) == largest_kept);

struct spare {
    spare* next;
};

struct cache {
    std::array<spare*, classes> lists{};
    std::size_t bytes = 0;
    bool gone = false; // freed by a thread_local that dies later

    ~cache() {
        for (std::size_t c = 0; c < classes; ++c) {
            while (spare* block = lists[c]) {
                lists[c] = block->next;
                ::operator delete(block);
            }
        }
        gone = true;
    }
};
thread_local cache kept;

/// A dead buffer must be seen as such by whoever looks for misuse.
bool keeps_nothing() noexcept {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#endif
#endif
    return debug_environment();
}

std::size_t class_of(std::size_t capacity) noexcept {
    return static_cast<std::size_t>(std::countr_zero(capacity)) - first_class;
}

} // namespace

std::byte* allocate_buffer(std::size_t& capacity) {
    if (capacity > largest_kept) return static_cast<std::byte*>(::operator new(capacity));
    capacity = std::bit_ceil(std::max(capacity, smallest));
    if (capacity <= largest_frame_block) return static_cast<std::byte*>(allocate_block(capacity));
    spare*& list = kept.lists[class_of(capacity)];
    if (spare* block = list) {
        list = block->next;
        kept.bytes -= capacity;
        return reinterpret_cast<std::byte*>(block);
    }
    return static_cast<std::byte*>(::operator new(capacity));
}

void free_buffer(std::byte* block, std::size_t capacity) noexcept {
    if (capacity <= largest_frame_block) {
        free_block(block, capacity);
        return;
    }
    if (capacity > largest_kept || kept.gone || keeps_nothing() || kept.bytes + capacity > kept_bytes) {
        ::operator delete(block);
        return;
    }
    auto* freed = reinterpret_cast<spare*>(block);
    spare*& list = kept.lists[class_of(capacity)];
    freed->next = list;
    list = freed;
    kept.bytes += capacity;
}

} // namespace rondo::detail
