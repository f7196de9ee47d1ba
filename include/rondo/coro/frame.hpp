// The coroutine frame as the library knows it: where it lives in memory, and the header that each promise starts with.
//
// Every frame begins with the resume and the destroy function (Itanium coroutine ABI), then, at +16, the promise, whose
// first bytes are a frame_header. Walking from a task's innermost frame along the continuations gives its async stack; a
// debugger or another process can do the same from memory alone.
#pragma once

#include <coroutine>
#include <cstddef>
#include <new>
#include <source_location>

namespace rondo::detail {

/// What its frames know of a task.
struct task_head {
    /// The frame that runs, or where the next step resumes. Every switch from one frame to another moves it, so that a
    /// signal handler, or another process, can say at any moment where a task is.
    std::coroutine_handle<> innermost;
};

/// The first bytes of every promise. Nothing virtual, nothing else in it: its layout is read from outside the process.
struct frame_header {
    std::coroutine_handle<> continuation; // who awaits this frame; for a task's outermost frame, the task itself
    task_head* task = nullptr;            // the task that this frame runs in, once it was started
    std::source_location await_at;        // the co_await this frame was last suspended at
    std::source_location function;        // where the coroutine is defined
};

/// The promise of every frame lies at this distance from the frame's address.
inline constexpr std::size_t promise_offset = 2 * sizeof(void*);

inline frame_header& header_of(std::coroutine_handle<> frame) noexcept {
    return *reinterpret_cast<frame_header*>(static_cast<std::byte*>(frame.address()) + promise_offset);
}

/// Something that can be resumed through a coroutine_handle without being a coroutine: it starts with the word that a frame
/// starts with. Never destroyed through one. A task continues its outermost frame in this way.
struct resumable {
    using function = void (*)(resumable*) noexcept;
    function resume = nullptr;

    std::coroutine_handle<> handle() noexcept { return std::coroutine_handle<>::from_address(this); }
};

/// Frames, task records and callbacks come from per-thread free lists of 16-byte size classes up to 2 KiB, filled from
/// slabs that are never given back: of 64 KiB, and of 2 MiB in huge pages where a thread has many. What is larger comes from
/// operator new. A block may be freed in another thread than the one that allocated it. Under AddressSanitizer, and with
/// RONDO_DEBUG=1, every block is an allocation of its own, so that a dead frame is poisoned.  O(1). Throws std::bad_alloc.
void* allocate_block(std::size_t size);
void free_block(void* block, std::size_t size) noexcept;

/// A thread's free lists, by size class: a few instructions where a frame is made, and where it dies. Trivially
/// destructible and constant-initialised, so that reaching it is one thread-relative load, without a guard.
struct block_cache {
    static constexpr std::size_t granule = 16;
    static constexpr std::size_t classes = 128; // up to 2 KiB
    static constexpr std::size_t class_of(std::size_t size) noexcept { return (size + granule - 1) / granule; }

    struct spare {
        spare* next;
    };
    /// The largest class that the lists give and take without a question: 0 before the thread's first block and when it ends,
    /// where every block is an allocation of its own, and while somebody wants to be asked.
    std::size_t served = 0;
    spare* lists[classes + 1] = {};
};
extern constinit thread_local block_cache thread_blocks [[gnu::tls_model("initial-exec")]];

/// Where the lists do not serve, or this one is empty. c: class_of(size).
void* allocate_block_slowly(std::size_t c);
void free_block_slowly(void* block, std::size_t c) noexcept;

inline void* allocate_block(std::size_t size) {
    const std::size_t c = block_cache::class_of(size);
    if (c <= thread_blocks.served) [[likely]] {
        block_cache::spare*& list = thread_blocks.lists[c];
        if (block_cache::spare* block = list) [[likely]] {
            list = block->next;
            return block;
        }
    }
    return allocate_block_slowly(c);
}

inline void free_block(void* block, std::size_t size) noexcept {
    const std::size_t c = block_cache::class_of(size);
    if (c <= thread_blocks.served) [[likely]] {
        block_cache::spare*& list = thread_blocks.lists[c];
        auto* freed = static_cast<block_cache::spare*>(block);
        freed->next = list;
        list = freed;
        return;
    }
    free_block_slowly(block, c);
}

/// For tests and figures: how often this thread asked operator new because its free lists had nothing.
std::size_t block_refills() noexcept;

/// Gives a promise the allocation functions of the library.
struct pooled_frame {
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_block(frame, size); }
    // With -fcoro-aligned-allocation the compiler always asks with an alignment.
    static void* operator new(std::size_t size, std::align_val_t align) {
        return is_ordinary(align) ? allocate_block(size) : ::operator new(size, align);
    }
    static void operator delete(void* frame, std::size_t size, std::align_val_t align) noexcept {
        if (is_ordinary(align)) free_block(frame, size);
        else
            ::operator delete(frame,
                              align); // clang 16 knows the sized form only with a flag that we do not ask of users
    }

private:
    static constexpr bool is_ordinary(std::align_val_t align) noexcept {
        return static_cast<std::size_t>(align) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
    }
};

} // namespace rondo::detail
