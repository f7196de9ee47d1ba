#include <rondo/coro/frame.hpp>

#include <rondo/coro/debug.hpp>

#include <array>
#include <mutex>
#include <utility>
#include <vector>

namespace rondo::detail {

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RONDO_BLOCKS_ARE_SEPARATE 1
#endif
#endif

constexpr std::size_t granule = 16;
constexpr std::size_t classes = 128; // up to 2 KiB
constexpr std::size_t slab_bytes = std::size_t{64} * 1024;

constexpr std::size_t class_of(std::size_t size) noexcept { return (size + granule - 1) / granule; }

struct spare {
    spare* next;
};
using free_lists = std::array<spare*, classes + 1>;

/// What is left of threads that ended: their free blocks, for the next thread that has none. Slabs are never given back,
/// because their blocks may be anywhere; being listed here keeps them reachable for leak checkers.
struct depot {
    std::mutex mutex;
    std::vector<void*> slabs;
    free_lists lists{};
};
depot& the_depot() {
    static depot* d = new depot; // never destroyed: threads may end after static destructors ran
    return *d;
}

/// Trivially destructible and constant-initialised: reading it is one thread-relative load, without a guard.
struct thread_cache {
    free_lists lists{};
    std::byte* cursor = nullptr;
    std::byte* end = nullptr;
    std::size_t refills = 0;
    bool closed = false; // the thread is ending: what later thread_local destructors free goes to the depot directly
};
constinit thread_local thread_cache cache;

/// Gives the thread's free blocks to the depot when the thread ends. Made by the first refill.
struct thread_end {
    ~thread_end() {
        depot& d = the_depot();
        std::lock_guard<std::mutex> hold(d.mutex);
        for (std::size_t c = 1; c <= classes; ++c) {
            while (spare* block = cache.lists[c]) {
                cache.lists[c] = block->next;
                block->next = d.lists[c];
                d.lists[c] = block;
            }
        }
        cache.closed = true;
    }
};

#if defined(RONDO_BLOCKS_ARE_SEPARATE)
constexpr bool pooled = false;
#else
// False until it is initialised: a block made before that has the size of its class too, and may join the free lists later.
const bool pooled = !debug_environment();
#endif

void* carve(std::size_t c) {
    const std::size_t bytes = c * granule;
    if (static_cast<std::size_t>(cache.end - cache.cursor) < bytes) {
        ++cache.refills;
        static thread_local thread_end at_end;
        static_cast<void>(at_end);
        depot& d = the_depot();
        std::lock_guard<std::mutex> hold(d.mutex);
        if (spare* block = d.lists[c]) {
            d.lists[c] = block->next;
            return block;
        }
        d.slabs.reserve(d.slabs.size() + 1);
        auto* slab = static_cast<std::byte*>(::operator new(slab_bytes));
        d.slabs.push_back(slab);
        cache.cursor = slab;
        cache.end = slab + slab_bytes;
    }
    return std::exchange(cache.cursor, cache.cursor + bytes);
}

} // namespace

void* allocate_block(std::size_t size) {
    const std::size_t c = class_of(size);
    if (c > classes || !pooled) [[unlikely]] {
        ++cache.refills;
        return ::operator new(c * granule);
    }
    if (spare* block = cache.lists[c]) {
        cache.lists[c] = block->next;
        return block;
    }
    return carve(c);
}

void free_block(void* block, std::size_t size) noexcept {
    const std::size_t c = class_of(size);
    if (c > classes || !pooled) [[unlikely]] {
        ::operator delete(block);
        return;
    }
    auto* freed = static_cast<spare*>(block);
    if (cache.closed) [[unlikely]] {
        depot& d = the_depot();
        std::lock_guard<std::mutex> hold(d.mutex);
        freed->next = d.lists[c];
        d.lists[c] = freed;
        return;
    }
    freed->next = cache.lists[c];
    cache.lists[c] = freed;
}

std::size_t block_refills() noexcept { return cache.refills; }

} // namespace rondo::detail
