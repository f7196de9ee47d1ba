// Looking for work instead of sleeping: waking a core takes longer than many an answer.
#include "loop/internals.hpp"

#include <algorithm>

namespace rondo {

/// True: there is something to do, or there may be.
bool event_loop::poll_busily(time_point until) {
    internals& in = *internals_;
    const time_point begun = in.backend->now();
    const time_point end = std::min(until, begun + in.busy_poll);
    time_point before = time_point::min();
    // Where the clock stands still, in a simulated world, nothing is waited for in this way.
    for (time_point now = begun; now != before && now < std::min(end, in.timers.next_deadline());) {
        wait(time_point::min());
        if (!state_.ready.empty() || !in.inbox.empty() || (in.signals && in.signals->pending())) return true;
        before = now;
        now = in.backend->now();
    }
    return false;
}

void detail::loop_access::set_busy_poll(event_loop& loop, duration before_sleeping) noexcept {
    loop.internals_->busy_poll = before_sleeping;
}

} // namespace rondo
