#include <rondo/task/interval.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/task/sleep.hpp>

namespace rondo {

namespace {

async_generator<time_point> ticks(duration period) {
    time_point due = *detail::deadline_after(clock::now(), period);
    for (;;) {
        co_await sleep_until(due);
        co_yield due;
        const time_point now = clock::now();
        const duration::rep missed = now < due ? 0 : (now - due) / period;
        due = *detail::deadline_after(due + missed * period, period);
    }
}

} // namespace

async_generator<time_point> interval(duration period) {
    if (period <= duration::zero()) throw value_error("the period of an interval() must be positive");
    return ticks(period);
}

} // namespace rondo
