// How often this process has asked the C library for memory. Programs that link allocations.cpp count every malloc, calloc,
// realloc and aligned allocation, whoever makes it: operator new, a C library, the program itself.
#pragma once

#include <cstdint>

namespace bench {

std::uint64_t allocations() noexcept;
/// How many bytes it asked for, ever.
std::uint64_t allocated_bytes() noexcept;

} // namespace bench
