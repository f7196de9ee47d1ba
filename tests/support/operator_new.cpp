#include "support/operator_new.hpp"

#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define RONDO_NEW_IS_THE_SANITIZERS 1
#endif
#endif

namespace {

constinit thread_local std::size_t calls = 0;

} // namespace

namespace rondo::test {

std::size_t operator_new_calls() noexcept { return calls; }

#if defined(RONDO_NEW_IS_THE_SANITIZERS)
bool counts_operator_new() noexcept { return false; }
#else
bool counts_operator_new() noexcept { return true; }
#endif

} // namespace rondo::test

#if !defined(RONDO_NEW_IS_THE_SANITIZERS)

namespace {

void* counted(std::size_t size, std::size_t align) {
    ++calls;
    void* block = align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                      ? std::malloc(size ? size : 1)
                      : std::aligned_alloc(align, (size + align - 1) / align * align);
    if (!block) throw std::bad_alloc();
    return block;
}

} // namespace

void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new[](std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t align) { return counted(size, static_cast<std::size_t>(align)); }
void* operator new[](std::size_t size, std::align_val_t align) {
    return counted(size, static_cast<std::size_t>(align));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

#endif
