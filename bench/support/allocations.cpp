// Stands in front of glibc's allocator and counts. With RONDO_BENCH_COUNTER=FILE in the environment the count lies in that
// file's first eight bytes, where the load generator reads it while a server runs.
#include "allocations.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

// Not atomic: what is measured allocates in one thread.
std::uint64_t own_count = 0;
std::uint64_t* count = &own_count;
std::uint64_t bytes = 0;

void note(std::size_t size) {
    ++*count;
    bytes += size;
}

[[gnu::constructor]] void share_the_count() {
    const char* file = std::getenv("RONDO_BENCH_COUNTER");
    if (!file) return;
    const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    if (ftruncate(fd, sizeof *count) == 0) {
        void* shared = mmap(nullptr, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (shared != MAP_FAILED) count = static_cast<std::uint64_t*>(shared);
    }
    close(fd);
}

} // namespace

std::uint64_t bench::allocations() noexcept { return *count; }
std::uint64_t bench::allocated_bytes() noexcept { return bytes; }

extern "C" {

void* malloc(std::size_t size) {
    note(size);
    return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) {
    note(items * size);
    return __libc_calloc(items, size);
}
void* realloc(void* block, std::size_t size) {
    note(size);
    return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

} // extern "C"
