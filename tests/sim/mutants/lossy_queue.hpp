// A queue that loses an item when the getter is cancelled: it waits once more after it has taken it.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sync/semaphore.hpp>
#include <rondo/task/sleep.hpp>

#include <deque>

namespace rondo::test {

class lossy_queue {
public:
    void put(int item) {
        items_.push_back(item);
        there_.release();
    }
    coro<int> get() {
        co_await there_.acquire();
        const int item = items_.front();
        items_.pop_front();
        co_await yield();
        co_return item;
    }

private:
    std::deque<int> items_;
    semaphore there_{0};
};

} // namespace rondo::test
