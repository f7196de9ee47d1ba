#include "io/report.hpp"

#include <rondo/loop/event_loop.hpp>

#include <utility>

namespace rondo::detail {

void report_soon(event_loop& loop, std::string message, std::exception_ptr error) {
    loop.call_soon([&loop, text = std::move(message), e = std::move(error)] {
        loop_access::report(loop, {.message = text, .exception = e});
    });
}

} // namespace rondo::detail
