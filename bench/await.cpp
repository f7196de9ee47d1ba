// What co_await costs: a child that completes, at depth 1 and 10, and a future that is done.

#include "support/in_loop.hpp"

namespace {

[[gnu::noinline]] rondo::coro<int> leaf(int x) { co_return x + 1; }

[[gnu::noinline]] rondo::coro<int> nested(int depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

rondo::coro<> await_child(benchmark::State& state) {
    int x = 0;
    for (auto _ : state) benchmark::DoNotOptimize(x = co_await leaf(x));
}

rondo::coro<> await_ten_levels(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(co_await nested(10));
}

rondo::coro<> await_done_future(benchmark::State& state) {
    auto done = rondo::create_future<int>();
    done.set_result(1);
    for (auto _ : state) benchmark::DoNotOptimize(co_await done);
}

RONDO_BENCHMARK(await_child);
RONDO_BENCHMARK(await_ten_levels);
RONDO_BENCHMARK(await_done_future);

} // namespace

BENCHMARK_MAIN();
