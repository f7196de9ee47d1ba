// How late the loop comes round.
#pragma once

#include "base/histogram.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <functional>

namespace mayhem {

/// Sleeps for a moment again and again and records how much later than asked it went on: the time that anything else in this
/// loop may have to wait for its turn.
class lag_monitor {
public:
    using time_source = std::function<std::chrono::steady_clock::time_point()>;

    /// Real time, and not the loop's: that one stands still during a pass, and the length of a pass is what is measured.
    explicit lag_monitor(time_source now = std::chrono::steady_clock::now, rondo::duration period = usual_period)
        : now_(std::move(now)), period_(period) {}

    static constexpr std::chrono::milliseconds usual_period{2};

    /// Until cancelled.
    rondo::coro<> run();
    const histogram& lag() const noexcept { return lag_; }

private:
    time_source now_;
    rondo::duration period_;
    histogram lag_;
};

} // namespace mayhem
