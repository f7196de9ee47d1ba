// Sleeping in a loop and sleeping with a timer: what it costs. As gallery/busy-sleep.cpp, on the library.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

using std::chrono::steady_clock;
using duration = steady_clock::duration;
using namespace std::chrono_literals;

// region machinery
using coro = rondo::coro<>;
using rondo::sleep;
using rondo::yield;

void run(std::vector<coro> tasks) {
    rondo::run([&]() -> coro { co_await rondo::gather(std::move(tasks)); });
}
// endregion

// region program
using way_to_sleep = coro (*)(duration);

coro busy_sleep(duration how_long) {
    const auto until = steady_clock::now() + how_long;
    while (steady_clock::now() < until) co_await yield();
}

coro timer_sleep(duration how_long) { co_await sleep(how_long); }

coro metronome(const char* sound, int times, duration first, duration then, way_to_sleep sleep_for) {
    co_await sleep_for(first);
    for (int beat = 1; beat <= times; ++beat) {
        std::printf("  %s %d\n", sound, beat);
        if (beat < times) co_await sleep_for(then);
    }
}
// endregion

// region main
struct cost {
    double seconds;
    double cpu_seconds;
};

cost measure(duration unit, way_to_sleep sleep_for) {
    const auto start = steady_clock::now();
    const std::clock_t cpu = std::clock();
    std::vector<coro> tasks;
    tasks.push_back(metronome("tick", 3, unit, 2 * unit, sleep_for));
    tasks.push_back(metronome("    tock", 3, 2 * unit, 2 * unit, sleep_for));
    run(std::move(tasks));
    return {std::chrono::duration<double>(steady_clock::now() - start).count(),
            static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC};
}

int busy_sleep_main(int argc, char** argv) {
    gallery::options options(argc, argv, "Sleeping in a loop and sleeping with a timer: what it costs.");
    const duration unit = options.seconds("--unit", 500ms, "seconds between tick and tock");
    options.done();

    std::printf("Asking for the time:\n");
    const cost busy = measure(unit, busy_sleep);
    std::printf("\nWith a timer:\n");
    const cost timer = measure(unit, timer_sleep);
    std::printf("\n                      time        CPU\n");
    std::printf("asking for the time  %5.2f s  %7.4f s\n", busy.seconds, busy.cpu_seconds);
    std::printf("with a timer         %5.2f s  %7.4f s\n", timer.seconds, timer.cpu_seconds);
    return 0;
}
// endregion
