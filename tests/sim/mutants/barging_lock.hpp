// A lock that promises the order of coming, and lets a newcomer in while the one whose turn it is has not woken up yet.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>

#include <deque>

namespace rondo::test {

class barging_lock {
public:
    coro<> acquire() {
        while (locked_) {
            waiting_.push_back(running_loop().create_future<>());
            future<> turn = waiting_.back();
            co_await turn;
        }
        locked_ = true;
    }
    void release() {
        locked_ = false;
        if (waiting_.empty()) return;
        waiting_.front().try_set_result();
        waiting_.pop_front();
    }

private:
    bool locked_ = false;
    std::deque<future<>> waiting_;
};

} // namespace rondo::test
