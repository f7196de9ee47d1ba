// How many simulated schedules a core runs in a second (the yardstick: 8 tasks, about 250 steps), and how many steps of a
// thousand tasks.

#include "support/in_loop.hpp"

#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>

#include <vector>

namespace {

constexpr std::size_t batch = 1000;

rondo::coro<> eight_tasks() {
    rondo::lock lock;
    rondo::queue<int> queue(2);
    std::vector<rondo::task<>> tasks;
    for (int i = 0; i < 4; ++i) {
        tasks.push_back(rondo::create_task([&]() -> rondo::coro<> {
            for (int item = 0; item < 16; ++item) {
                co_await rondo::sim::hesitate("before the put");
                co_await queue.put(item);
            }
        }));
        tasks.push_back(rondo::create_task([&]() -> rondo::coro<> {
            for (int item = 0; item < 16; ++item) {
                auto held = co_await lock.scoped_lock();
                benchmark::DoNotOptimize(co_await queue.get());
                if (item % 4 == 0) co_await rondo::sleep(std::chrono::milliseconds(1));
            }
        }));
    }
    for (auto& t : tasks) co_await t;
}

rondo::coro<> line_there_and_back() {
    auto server = co_await rondo::start_server(
        [](rondo::stream_reader r, rondo::stream_writer w) -> rondo::coro<> {
            while (auto line = co_await r.read_line()) co_await w.write(*line);
        },
        "127.0.0.1", 0);
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    co_await writer.write("hello\n");
    static_cast<void>(co_await reader.read_line());
    co_await writer.aclose();
}

constexpr int many_tasks = 1000;
constexpr int steps_of_each = 100;

rondo::coro<> a_thousand_tasks() {
    std::vector<rondo::task<>> tasks;
    tasks.reserve(many_tasks);
    for (int i = 0; i < many_tasks; ++i) {
        tasks.push_back(rondo::create_task([]() -> rondo::coro<> {
            for (int step = 1; step < steps_of_each; ++step) co_await rondo::yield();
        }));
    }
    for (auto& t : tasks) co_await t;
}

void steps(benchmark::State& state) {
    std::uint64_t seed = 1;
    for (auto _ : state) {
        const auto outcome = rondo::sim::run(
            {.seed = seed++, .strategy = rondo::sim::strategy::random(), .replayed = 0}, a_thousand_tasks);
        if (outcome.failure) state.SkipWithError(outcome.failure->str().c_str());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * many_tasks * steps_of_each);
}

void schedules(benchmark::State& state, rondo::coro<> (*body)()) {
    std::uint64_t seed = 1;
    std::size_t choices = 0;
    const std::uint64_t before = allocations;
    for (auto _ : state) {
        const auto result = rondo::sim::explore(
            {.seed = seed, .schedules = batch, .strategy = rondo::sim::strategy::random(), .replayed = 0}, body);
        if (result.counter_example) state.SkipWithError(result.counter_example->str().c_str());
        choices += result.choices;
        seed += batch;
    }
    const auto runs = static_cast<double>(state.iterations()) * static_cast<double>(batch);
    state.SetItemsProcessed(static_cast<std::int64_t>(runs));
    state.counters["choices"] = static_cast<double>(choices) / runs;
    state.counters["allocations"] = static_cast<double>(allocations - before) / runs;
}

// items_per_second is the figure.
BENCHMARK_CAPTURE(schedules, eight_tasks, eight_tasks)->Name("schedules_per_second")->Unit(benchmark::kMillisecond);
BENCHMARK(steps)->Name("steps_per_second")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(schedules, line_there_and_back, line_there_and_back)
    ->Name("connections_per_second")
    ->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
