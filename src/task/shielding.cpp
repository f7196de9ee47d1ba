#include <rondo/task/detail/shielding.hpp>

namespace rondo::detail {

void report_behind_shield(future_state& inner) noexcept {
    if (inner.state() != future_state::status::error) return;
    inner.mark_observed();
    loop_access::report(inner.loop(), {.message = inner.label() + " failed after its shield was cancelled",
                                       .exception = inner.error(),
                                       .future = &inner});
}

} // namespace rondo::detail
