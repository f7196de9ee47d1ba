// A timeout that takes every cancellation for its own.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/task.hpp>

#include <utility>

namespace rondo::test {

/// False: too late.
inline coro<bool> in_time(duration limit, coro<> work) {
    task<> running = create_task(std::move(work));
    timer_handle alarm = running_loop().call_later(limit, [running]() mutable { running.cancel(); });
    bool finished = false;
    try {
        co_await running;
        finished = true;
    } catch (const cancelled_error&) { // whose it was is not asked
    }
    alarm.cancel();
    co_return finished;
}

} // namespace rondo::test
