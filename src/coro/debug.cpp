#include <rondo/coro/debug.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace rondo::detail {

constinit std::atomic<int> loops_in_debug{0};

bool debug_environment() noexcept {
    static const bool on = [] {
        const char* value = std::getenv("RONDO_DEBUG");
        return value != nullptr && *value != '\0' && std::string_view(value) != "0";
    }();
    return on;
}

void report_line(std::string_view line) noexcept {
    std::fprintf(stderr, "rondo: %.*s\n", static_cast<int>(line.size()), line.data());
}

} // namespace rondo::detail
