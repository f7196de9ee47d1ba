// A semaphore that lets too many in: between looking at the count and taking from it there is a wait.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/sleep.hpp>

#include <chrono>

namespace rondo::test {

class loose_semaphore {
public:
    explicit loose_semaphore(int permits) : left_(permits) {}
    coro<> acquire() {
        while (left_ <= 0) co_await sleep(std::chrono::milliseconds(1));
        co_await sim::hesitate("before taking the permit");
        --left_;
    }
    void release() { ++left_; }

private:
    int left_;
};

} // namespace rondo::test
