// mock_clock: virtual time that moves only when the test says so.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/clock.hpp>

namespace rondo::sim {

/// While it lives the time of a simulated run stands still: nothing that waits for it happens, and a run in which everything
/// waits is a deadlock. One at a time: runtime_error; outside of a simulated run: runtime_error. (trio.testing.MockClock)
///
///     rondo::sim::mock_clock clock;
///     auto ticking = rondo::create_task(tick_every, 1s);
///     co_await clock.jump(10s);        // ten ticks have happened when it returns
class mock_clock {
public:
    mock_clock();
    mock_clock(const mock_clock&) = delete;
    mock_clock& operator=(const mock_clock&) = delete;
    ~mock_clock();

    /// Lets so much time pass, with all that happens in it, each at its time; returns when everybody else waits again. Negative:
    /// value_error. One at a time: runtime_error.
    coro<> jump(duration by);
};

} // namespace rondo::sim
