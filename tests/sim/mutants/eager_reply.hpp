// A request whose timeout and whose answer both wake the one who waits, without looking whether the other one has.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>

#include <chrono>

namespace rondo::test {

class eager_reply {
public:
    /// 0: too late.
    coro<int> wait(duration limit) {
        timer_handle alarm = running_loop().call_later(limit, [f = answer_]() mutable { f.set_result(0); });
        const int got = co_await answer_;
        alarm.cancel();
        co_return got;
    }
    void answer(int with) { answer_.set_result(with); }

private:
    future<int> answer_ = running_loop().create_future<int>();
};

} // namespace rondo::test
