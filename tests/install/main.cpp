// The smallest program that needs all of the library: a loop, a timer, a task and a result.
#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdio>

using namespace std::chrono_literals;

static rondo::coro<int> twice(int value) {
    co_await rondo::sleep(1ms);
    co_return 2 * value;
}

static rondo::coro<int> answer() {
    auto half = rondo::create_task(twice, 21);
    co_return co_await half;
}

int main() { std::printf("rondo: %d\n", rondo::run(answer())); }
