// operator new and delete as the simulator needs them: counted, and able to fail. Linked in where allocations_are_seen() is
// asked.
#include "sim/memory.hpp"

#include <cstdlib>
#include <new>

// Weak, so that a program's own go before these without a word. Those of AddressSanitizer are weak themselves; those of
// ThreadSanitizer are not.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RONDO_SIM_REPLACES
#endif
#endif
#if !defined(RONDO_SIM_REPLACES)
#define RONDO_SIM_REPLACES [[gnu::weak]]
#endif

namespace {

using rondo::sim::detail::let_an_allocation_fail;
using rondo::sim::detail::watched_memory;

void* take(std::size_t size, std::size_t align) {
    if (watched_memory.decides) [[unlikely]]
        let_an_allocation_fail();
    void* block = align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                      ? std::malloc(size ? size : 1)
                      : std::aligned_alloc(align, (size + align - 1) / align * align);
    if (!block) throw std::bad_alloc();
    ++watched_memory.blocks;
    return block;
}
void* try_to_take(std::size_t size) noexcept {
    try {
        return take(size, 1);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void give_back(void* block) noexcept {
    if (!block) return;
    --watched_memory.blocks;
    std::free(block);
}

} // namespace

RONDO_SIM_REPLACES void* operator new(std::size_t size) { return take(size, 1); }
RONDO_SIM_REPLACES void* operator new[](std::size_t size) { return take(size, 1); }
RONDO_SIM_REPLACES void* operator new(std::size_t size, std::align_val_t align) {
    return take(size, static_cast<std::size_t>(align));
}
RONDO_SIM_REPLACES void* operator new[](std::size_t size, std::align_val_t align) {
    return take(size, static_cast<std::size_t>(align));
}
// The C++ library's would call those above; a sanitizer's would not.
RONDO_SIM_REPLACES void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return try_to_take(size); }
RONDO_SIM_REPLACES void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return try_to_take(size); }
RONDO_SIM_REPLACES void operator delete(void* block, const std::nothrow_t&) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete[](void* block, const std::nothrow_t&) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete(void* block) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete[](void* block) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete(void* block, std::size_t) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete[](void* block, std::size_t) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete[](void* block, std::align_val_t) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
RONDO_SIM_REPLACES void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }

namespace rondo::sim::detail {

bool allocations_are_seen() noexcept {
    const std::int64_t before = watched_memory.blocks;
    void* const block = ::operator new(1);
    const bool counted = watched_memory.blocks == before + 1;
    ::operator delete(block);
    return counted;
}

} // namespace rondo::sim::detail
