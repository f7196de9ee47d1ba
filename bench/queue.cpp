// What handing an item from task to task costs: there and back.

#include "support/in_loop.hpp"

namespace {

rondo::coro<> queue_round_trip(benchmark::State& state) {
    rondo::queue<int> there(1);
    rondo::queue<int> back(1);
    auto echo = rondo::create_task([&]() -> rondo::coro<> {
        while (auto item = co_await there.next()) co_await back.put(*item);
    });
    int x = 0;
    for (auto _ : state) {
        co_await there.put(x);
        benchmark::DoNotOptimize(x = co_await back.get());
    }
    there.shutdown();
    co_await echo;
}

RONDO_BENCHMARK(queue_round_trip);

} // namespace

BENCHMARK_MAIN();
