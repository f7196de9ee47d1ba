// A lock that loses a wake-up: a task that is cancelled when it was given the lock does not pass it on.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>

#include <deque>

namespace rondo::test {

class lossy_lock {
public:
    coro<> acquire() {
        if (locked_) {
            waiting_.push_back(running_loop().create_future<>());
            future<> turn = waiting_.back();
            co_await turn; // cancelled when it is set already: the lock is nobody's
        }
        locked_ = true;
    }
    void release() {
        while (!waiting_.empty()) {
            future<> next = waiting_.front();
            waiting_.pop_front();
            if (next.try_set_result()) return;
        }
        locked_ = false;
    }

private:
    bool locked_ = false;
    std::deque<future<>> waiting_;
};

} // namespace rondo::test
