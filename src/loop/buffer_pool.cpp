#include "loop/buffer_pool.hpp"

#include <rondo/coro/debug.hpp>

#include <array>
#include <new>

namespace rondo::detail {

namespace {

constexpr std::size_t largest_kept = std::size_t{256} * 1024;
constexpr std::size_t kept_bytes = std::size_t{4} << 20; // by one thread: the buffers of 64 connections of 64 KiB
constexpr std::size_t first_class = 12;                  // 4 KiB
constexpr std::size_t classes = 7;                       // 4 KiB to 256 KiB
static_assert(std::size_t{1} << (first_class + classes - 1) == largest_kept);

struct spare {
    spare* next;
};

/// Trivially destructible and constant-initialised, so that reaching it needs no guard.
struct cache {
    std::array<spare*, classes> lists{};
    std::size_t bytes = 0;
    std::size_t most = 0; // what may be kept: nothing before the first block is freed, and when the thread ends
    bool opened = false;
};
constinit thread_local cache kept_blocks;

struct thread_end {
    ~thread_end() {
        kept_blocks.most = 0;
        for (spare*& list : kept_blocks.lists) {
            while (spare* block = list) {
                list = block->next;
                ::operator delete(block);
            }
        }
    }
};

/// A dead buffer must be seen as such by whoever looks for misuse.
bool keeps_nothing() noexcept {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#endif
#endif
    return debug_environment();
}

void open() noexcept {
    static thread_local thread_end at_end;
    static_cast<void>(at_end);
    kept_blocks.opened = true;
    if (!keeps_nothing()) kept_blocks.most = kept_bytes;
}

std::size_t class_of(std::size_t capacity) noexcept {
    return static_cast<std::size_t>(std::countr_zero(capacity)) - first_class;
}

} // namespace

std::byte* allocate_large_buffer(std::size_t& capacity) {
    if (capacity > largest_kept) return static_cast<std::byte*>(::operator new(capacity));
    capacity = std::bit_ceil(capacity);
    spare*& list = kept_blocks.lists[class_of(capacity)];
    if (spare* block = list) {
        list = block->next;
        kept_blocks.bytes -= capacity;
        return reinterpret_cast<std::byte*>(block);
    }
    return static_cast<std::byte*>(::operator new(capacity));
}

std::byte* try_allocate_buffer(std::size_t capacity) noexcept {
    try {
        return allocate_buffer(capacity);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void free_large_buffer(std::byte* block, std::size_t capacity) noexcept {
    if (!kept_blocks.opened) open();
    if (capacity > largest_kept || kept_blocks.bytes + capacity > kept_blocks.most) {
        ::operator delete(block);
        return;
    }
    auto* freed = reinterpret_cast<spare*>(block);
    spare*& list = kept_blocks.lists[class_of(capacity)];
    freed->next = list;
    list = freed;
    kept_blocks.bytes += capacity;
}

} // namespace rondo::detail
