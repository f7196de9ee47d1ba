#include "coro/slab.hpp"

#include <new>

#include <sys/mman.h>

namespace rondo::detail {

namespace {

constexpr std::size_t small = std::size_t{64} * 1024;
constexpr std::size_t huge_page = std::size_t{2} * 1024 * 1024; // of x86-64, and of AArch64 with pages of 4 KiB

/// From here on one slab more is an eighth of what there is, at most.
constexpr std::size_t many = 8 * huge_page;

} // namespace

fresh_slab new_slab(std::size_t in_use) {
    if (in_use < many) return {::operator new(small), small};
    void* const slab = ::operator new(huge_page, std::align_val_t(huge_page));
    static_cast<void>(::madvise(slab, huge_page, MADV_HUGEPAGE)); // where it is not to be had, the pages are small
    return {slab, huge_page};
}

} // namespace rondo::detail
