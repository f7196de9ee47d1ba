// Errors that nobody waits for.
#pragma once

#include <exception>
#include <string>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Tells the loop's exception handler in a turn of its own, because it is user code.
void report_soon(event_loop& loop, std::string message, std::exception_ptr error);

} // namespace rondo::detail
