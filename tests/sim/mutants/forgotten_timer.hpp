// A call with a deadline that disarms it only when the answer comes in time and is none but a good one.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/event_loop.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>

namespace rondo::test {

inline coro<> call_with_alarm(std::function<coro<bool>()> call) {
    timer_handle alarm = running_loop().call_later(std::chrono::hours(1), [] {});
    const bool good = co_await call();
    if (!good) throw std::runtime_error("refused");
    alarm.cancel();
}

} // namespace rondo::test
