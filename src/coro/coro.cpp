#include <rondo/coro/coro.hpp>

#include <rondo/coro/debug.hpp>

#include <string>

namespace rondo::detail {

void destroy_unstarted(std::coroutine_handle<> frame) noexcept {
    if (debug_environment() || loops_in_debug.load(std::memory_order_relaxed) != 0) {
        const std::source_location& where = header_of(frame).function;
        report_line(std::string("coroutine was never awaited: ") + where.function_name() + " (" + where.file_name() +
                    ":" + std::to_string(where.line()) + ")");
    }
    frame.destroy();
}

void throw_empty_coro() {
    throw invalid_state_error("this coro is empty: it was awaited, started or moved from before");
}

} // namespace rondo::detail
