#include <rondo/coro/invariant.hpp>

#include <rondo/coro/debug.hpp>

#include <cstdlib>
#include <string>

namespace rondo::detail {

void invariant_violated(const char* what, std::source_location where) noexcept {
    report_line(std::string("invariant violated: ") + what + " (" + where.file_name() + ":" +
                std::to_string(where.line()) + ")");
    std::abort();
}

} // namespace rondo::detail
