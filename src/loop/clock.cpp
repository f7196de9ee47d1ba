#include <rondo/loop/clock.hpp>

namespace rondo::detail {

deadline deadline_after(time_point now, delay d) noexcept {
    if (d.is_none()) return std::nullopt;
    const duration since = now.time_since_epoch();
    if (d.value() > duration::zero() && since > duration::max() - d.value()) return time_point::max();
    if (d.value() < duration::zero() && since < duration::min() - d.value()) return time_point::min();
    return now + d.value();
}

} // namespace rondo::detail
