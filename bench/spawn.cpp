// What a task costs: a pass of the loop, and creating, completing and joining a task.

#include "support/in_loop.hpp"

#include <vector>

namespace {

[[gnu::noinline]] rondo::coro<int> leaf(int x) { co_return x + 1; }

rondo::coro<> yield(benchmark::State& state) {
    for (auto _ : state) co_await rondo::yield();
}

rondo::coro<> spawn_and_join(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(co_await rondo::create_task(leaf(1)));
}

rondo::coro<> spawn_and_join_callable(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(co_await rondo::create_task(leaf, 1));
}

rondo::coro<> group_of_ten(benchmark::State& state) {
    for (auto _ : state) {
        co_await rondo::task_group::run([](rondo::task_group& group) -> rondo::coro<> {
            for (int i = 0; i < 10; ++i) group.create_task(leaf, i);
            co_return;
        });
    }
}

rondo::coro<> sleep_and_cancel(benchmark::State& state) {
    for (auto _ : state) {
        auto t = rondo::create_task(rondo::sleep(std::chrono::hours(1)));
        co_await rondo::yield();
        t.cancel();
        benchmark::DoNotOptimize(co_await rondo::as_result(t));
    }
}

RONDO_BENCHMARK(yield);
RONDO_BENCHMARK(spawn_and_join);
RONDO_BENCHMARK(spawn_and_join_callable);
RONDO_BENCHMARK(group_of_ten);
RONDO_BENCHMARK(sleep_and_cancel);

} // namespace

BENCHMARK_MAIN();
