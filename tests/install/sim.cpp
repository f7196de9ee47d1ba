// The smallest program that needs the simulator: a day goes by in no time, and no test framework is there.
#include <rondo/rondo.hpp>
#include <rondo/sim/run.hpp>

#include <chrono>
#include <cstdio>

using namespace std::chrono_literals;

int main() {
    int hours = 0;
    const auto day = [&]() -> rondo::coro<> {
        for (hours = 0; hours < 24; ++hours) co_await rondo::sleep(1h);
    };
    const auto explored = rondo::sim::explore({.schedules = 10}, day);
    if (explored.counter_example) std::puts(explored.counter_example->str().c_str());
    std::printf("rondo: %d\n", hours + 18);
}
