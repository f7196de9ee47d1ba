// An event that misses a notification: between looking at the flag and standing in line there is a wait.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>

#include <vector>

namespace rondo::test {

class deaf_event {
public:
    coro<> wait() {
        if (set_) co_return;
        co_await sim::hesitate("before standing in line");
        waiting_.push_back(running_loop().create_future<>());
        co_await waiting_.back();
    }
    void set() {
        set_ = true;
        for (future<>& f : waiting_) f.try_set_result();
        waiting_.clear();
    }

private:
    bool set_ = false;
    std::vector<future<>> waiting_;
};

} // namespace rondo::test
