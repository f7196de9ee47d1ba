// Errors that nobody waits for.
#pragma once

#include <rondo/loop/event_loop.hpp>

#include <utility>

namespace rondo::detail {

/// Tells the loop's exception handler in a turn of its own, because it is user code. What the report points to is `kept`
/// until then.
template <class... Kept> void report_soon(event_loop& loop, error_report what, Kept... kept) {
    loop.call_soon([&loop, what = std::move(what), ... keep = std::move(kept)] { loop_access::report(loop, what); });
}

} // namespace rondo::detail
