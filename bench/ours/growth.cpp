// The cost of one operation among 10^3 to 10^6: tasks, timers, items of a queue. Constant, but for the caches.

#include "support/in_rondo.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace {

using bench::bench_case;
using bench::meter;

using body = rondo::coro<> (*)(meter&, std::size_t);

rondo::coro<> nothing() { co_return; }

/// Creates `size` tasks, lets them run, awaits each.
rondo::coro<> tasks(meter& m, std::size_t size) {
    std::vector<rondo::task<>> all;
    all.reserve(size);
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += size) {
        for (std::size_t k = 0; k < size; ++k) all.push_back(rondo::create_task(nothing()));
        for (auto& t : all) co_await t;
        all.clear();
    }
    m.stop();
}

/// Arms `size` timers with deadlines at random, cancels them in another order.
rondo::coro<> timers(meter& m, std::size_t size) {
    std::mt19937_64 random(1);
    std::vector<std::chrono::nanoseconds> when(size);
    for (auto& w : when) w = std::chrono::nanoseconds(random() % 1'000'000'000u);
    std::vector<rondo::timer_handle> all;
    all.reserve(size);
    std::vector<std::size_t> order(size);
    for (std::size_t i = 0; i < size; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    auto& loop = rondo::running_loop();
    const auto base = loop.time() + std::chrono::hours(1);
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += size) {
        for (std::size_t k = 0; k < size; ++k) all.push_back(loop.call_at(base + when[k], [] {}));
        for (const std::size_t k : order) all[k].cancel();
        all.clear();
    }
    m.stop();
    co_return;
}

/// Puts `size` items, gets them.
rondo::coro<> items(meter& m, std::size_t size) {
    rondo::queue<int> queue(rondo::unbounded);
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += size) {
        for (std::size_t k = 0; k < size; ++k) co_await queue.put(1);
        for (std::size_t k = 0; k < size; ++k) bench::keep(co_await queue.get());
    }
    m.stop();
}

std::function<void(meter&)> with_size(body run, std::size_t size) {
    return [run, size](meter& m) {
        m.n = (m.n + size - 1) / size * size;
        rondo::run(run, std::ref(m), size);
    };
}

} // namespace

int main(int argc, char** argv) {
    static std::vector<std::string> names; // of which the cases hold views
    names.reserve(12);
    std::vector<bench_case> cases;
    for (const auto& [what, run] :
         {std::pair<const char*, body>{"tasks", tasks}, {"timers", timers}, {"items", items}}) {
        for (std::size_t size = 1000; size <= 1'000'000; size *= 10) {
            names.push_back("growth/" + std::string(what) + "/" + std::to_string(size));
            cases.push_back({names.back(), with_size(run, size)});
        }
    }
    return bench::measure(argc, argv, cases);
}
