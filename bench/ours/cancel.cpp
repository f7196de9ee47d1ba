// What it costs to end a task that waits, from cancel() to the end of whoever waits for it: ten frames deep, one frame deep,
// ten frames of which each could catch the cancellation, and through combinators. Starting the tasks is not counted.

#include "support/in_rondo.hpp"

#include <chrono>
#include <vector>

namespace {

using bench::in_rondo;
using bench::meter;

[[gnu::noinline]] rondo::coro<int> waits_at_depth(int depth) {
    if (depth == 1) {
        co_await rondo::sleep_forever();
        co_return 0;
    }
    co_return 1 + co_await waits_at_depth(depth - 1);
}

[[gnu::noinline]] rondo::coro<int> catches_at_depth(int depth) {
    if (depth == 1) {
        co_await rondo::sleep_forever();
        co_return 0;
    }
    try {
        co_return 1 + co_await catches_at_depth(depth - 1);
    } catch (const rondo::cancelled_error&) {
        throw;
    }
}

[[gnu::noinline]] rondo::coro<int> combined_at_depth(int depth) {
    if (depth == 1) {
        co_await rondo::sleep_forever();
        co_return 0;
    }
    co_return 1 + co_await rondo::timeout(std::chrono::hours(1), combined_at_depth(depth - 1));
}

template <class Start> rondo::coro<> cancel_each(meter& m, Start start) {
    std::vector<rondo::task<int>> tasks;
    m.n += 100 - m.n % 100;
    for (std::uint64_t i = 0; i < m.n; i += 100) {
        tasks.clear();
        for (int k = 0; k < 100; ++k) tasks.push_back(start());
        co_await rondo::yield();
        m.start();
        for (auto& t : tasks) t.cancel();
        for (auto& t : tasks) bench::keep(co_await rondo::as_result(t));
        m.stop();
    }
}

rondo::coro<> ten_frames(meter& m) {
    return cancel_each(m, [] { return rondo::create_task(waits_at_depth, 10); });
}
rondo::coro<> one_frame(meter& m) {
    return cancel_each(m, [] { return rondo::create_task(waits_at_depth, 1); });
}
rondo::coro<> ten_that_catch(meter& m) {
    return cancel_each(m, [] { return rondo::create_task(catches_at_depth, 10); });
}
rondo::coro<> ten_timeouts(meter& m) {
    return cancel_each(m, [] { return rondo::create_task(combined_at_depth, 11); });
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"cancel", in_rondo(ten_frames)},
                           {"cancel/one-frame", in_rondo(one_frame)},
                           {"cancel/ten-that-catch", in_rondo(ten_that_catch)},
                           {"cancel/ten-timeouts", in_rondo(ten_timeouts)}});
}
