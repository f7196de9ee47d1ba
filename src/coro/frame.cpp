#include <rondo/coro/frame.hpp>

#include <rondo/coro/debug.hpp>

#include "coro/block_gate.hpp"
#include "coro/held_over_fork.hpp"
#include "coro/slab.hpp"

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

using spare = block_cache::spare;

/// What is left of threads that ended: their free blocks, for the next thread that has none. Slabs are never given back,
/// because their blocks may be anywhere; being listed here keeps them reachable for leak checkers.
struct depot {
    std::mutex mutex;
    std::vector<void*> slabs;
    std::array<spare*, block_cache::classes + 1> lists{};
};
depot& the_depot() {
    static depot* d = new depot; // never destroyed: threads may end after static destructors ran
    return *d;
}
std::mutex& depot_mutex() { return the_depot().mutex; }

/// The rest of a thread's part: where it carves new blocks from.
struct thread_slab {
    std::byte* cursor = nullptr;
    std::byte* end = nullptr;
    std::size_t refills = 0;
    std::size_t bytes = 0;      // of all its slabs
    block_gate* gate = nullptr; // asked for every block, so the lists do not serve by themselves
    bool closed = false; // the thread is ending: what later thread_local destructors free goes to the depot directly
};
constinit thread_local thread_slab slab;

/// Gives the thread's free blocks to the depot when the thread ends. Made when its lists open.
struct thread_end {
    ~thread_end() {
        thread_blocks.served = 0;
        slab.closed = true;
        depot& d = the_depot();
        std::lock_guard<std::mutex> hold(d.mutex);
        for (std::size_t c = 1; c <= block_cache::classes; ++c) {
            while (spare* block = thread_blocks.lists[c]) {
                thread_blocks.lists[c] = block->next;
                block->next = d.lists[c];
                d.lists[c] = block;
            }
        }
    }
};

#if defined(RONDO_BLOCKS_ARE_SEPARATE)
constexpr bool pooled = false;
#else
// False until it is initialised: a block made before that has the size of its class too, and may join the free lists later.
const bool pooled = !debug_environment();
#endif

/// The thread's lists serve from now on. False: it is ending.
bool open_lists() {
    if (slab.closed) return false;
    static thread_local thread_end at_end;
    static_cast<void>(at_end);
    if (!slab.gate) thread_blocks.served = block_cache::classes;
    return true;
}

void* refill(std::size_t c) {
    ++slab.refills;
    hold_over_fork<depot_mutex>();
    const std::size_t bytes = c * block_cache::granule;
    depot& d = the_depot();
    std::lock_guard<std::mutex> hold(d.mutex);
    if (spare* block = d.lists[c]) {
        d.lists[c] = block->next;
        return block;
    }
    d.slabs.push_back(nullptr); // first, since this may fail, too
    const fresh_slab fresh = new_slab(slab.bytes);
    d.slabs.back() = fresh.begin;
    slab.bytes += fresh.bytes;
    slab.cursor = static_cast<std::byte*>(fresh.begin) + bytes;
    slab.end = static_cast<std::byte*>(fresh.begin) + fresh.bytes;
    return fresh.begin;
}

} // namespace

constinit thread_local block_cache thread_blocks;

void* allocate_block_slowly(std::size_t c) { return slab.gate ? slab.gate->allocate(c) : allocate_ungated_block(c); }

void* allocate_ungated_block(std::size_t c) {
    if (c > block_cache::classes || !pooled) {
        ++slab.refills;
        return ::operator new(c * block_cache::granule);
    }
    const std::size_t bytes = c * block_cache::granule;
    if (open_lists()) {
        if (spare* block = thread_blocks.lists[c]) {
            thread_blocks.lists[c] = block->next;
            return block;
        }
    }
    if (static_cast<std::size_t>(slab.end - slab.cursor) < bytes) return refill(c);
    return std::exchange(slab.cursor, slab.cursor + bytes);
}

void free_block_slowly(void* block, std::size_t c) noexcept {
    if (c > block_cache::classes || !pooled) {
        ::operator delete(block);
        return;
    }
    auto* freed = static_cast<spare*>(block);
    if (open_lists()) {
        freed->next = std::exchange(thread_blocks.lists[c], freed);
        return;
    }
    depot& d = the_depot();
    std::lock_guard<std::mutex> hold(d.mutex);
    freed->next = d.lists[c];
    d.lists[c] = freed;
}

void set_block_gate(block_gate* gate) noexcept {
    slab.gate = gate;
    thread_blocks.served = 0;
}

std::size_t slab_bytes_in_use() noexcept {
    std::size_t idle = static_cast<std::size_t>(slab.end - slab.cursor);
    for (std::size_t c = 1; c <= block_cache::classes; ++c) {
        for (const spare* block = thread_blocks.lists[c]; block; block = block->next) idle += c * block_cache::granule;
    }
    return slab.bytes - idle; // modulo 2^64: blocks of other threads may have come here
}

std::size_t block_refills() noexcept { return slab.refills; }

} // namespace rondo::detail
