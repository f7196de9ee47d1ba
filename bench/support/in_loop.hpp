// Benchmarks whose body is a coroutine: `for (auto _ : state)` inside it, one operation for each turn.
// Include in one source file of the program: it replaces operator new, to count.
#pragma once

#include <rondo/rondo.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <new>

inline std::uint64_t allocations = 0;

void* operator new(std::size_t size) {
    ++allocations;
    if (void* block = std::malloc(size)) return block;
    throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

/// Runs body(state) in a loop; what it allocates is a counter of the report.
template <class Body> void run_in_loop(benchmark::State& state, Body body) {
    rondo::run([&]() -> rondo::coro<> {
        const std::uint64_t before = allocations;
        co_await body(state);
        state.counters["allocations"] =
            benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
    });
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

#define RONDO_BENCHMARK(body)                                                                                          \
    static void body##_benchmark(benchmark::State& state) { run_in_loop(state, body); }                                \
    BENCHMARK(body##_benchmark)->Name(#body)
