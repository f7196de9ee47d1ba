// What the benchmark `compile` compiles.
#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdio>

rondo::coro<> hello() {
    co_await rondo::sleep(std::chrono::milliseconds(1));
    std::puts("hello, world");
}

int main() { rondo::run(hello); }
