// The cases of bench/ours that libuv has: its loop and its timers.

#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include <uv.h>

namespace {

using bench::meter;

void pass(meter& m) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_idle_t idle;
    uv_idle_init(&loop, &idle);
    std::uint64_t left = m.n;
    idle.data = &left;
    uv_idle_start(&idle, [](uv_idle_t* handle) {
        if (--*static_cast<std::uint64_t*>(handle->data) == 0) uv_idle_stop(handle);
    });
    m.start();
    uv_run(&loop, UV_RUN_DEFAULT);
    m.stop();
}

/// Deadlines spread over a second, the same as everybody's, in the milliseconds that libuv knows.
struct timers {
    explicit timers(std::uint64_t n) : when(n), all(n) {
        uv_loop_init(&loop);
        std::mt19937_64 random(1);
        for (auto& w : when) w = random() % 1'000'000'000u / 1'000'000u;
        for (auto& timer : all) uv_timer_init(&loop, &timer);
    }
    void arm(std::uint64_t milliseconds_behind) {
        uv_update_time(&loop);
        for (std::size_t i = 0; i < all.size(); ++i)
            uv_timer_start(&all[i], [](uv_timer_t*) {}, milliseconds_behind + when[i], 0);
    }
    uv_loop_t loop;
    std::vector<std::uint64_t> when;
    std::vector<uv_timer_t> all;
};

void timers_arm(meter& m) {
    timers t(m.n);
    m.start();
    t.arm(600'000);
    m.stop();
}
void timers_fire(meter& m) {
    timers t(m.n);
    t.arm(1000);
    m.start();
    uv_run(&t.loop, UV_RUN_DEFAULT);
    m.stop();
}
void timers_cancel(meter& m) {
    timers t(m.n);
    t.arm(600'000);
    std::vector<std::size_t> order(m.n);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937_64(2));
    m.start();
    for (const auto i : order) uv_timer_stop(&t.all[i]);
    m.stop();
}
void timers_rearm(meter& m) {
    constexpr std::size_t connections = 10'000;
    timers t(connections);
    t.arm(30'000);
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i)
        uv_timer_start(&t.all[(i * 7919) % connections], [](uv_timer_t*) {}, 30'000 + i / 1000, 0);
    m.stop();
}

/// Two loops in two threads, each woken by the other's uv_async_send().
struct ping_pong {
    uv_loop_t here;
    uv_loop_t there;
    uv_async_t to_here;
    uv_async_t to_there;
    std::uint64_t left;
};

void threadsafe_asleep(meter& m) {
    ping_pong game{};
    game.left = m.n;
    uv_loop_init(&game.here);
    uv_loop_init(&game.there);
    uv_async_init(&game.here, &game.to_here, [](uv_async_t* handle) {
        auto* g = static_cast<ping_pong*>(handle->data);
        if (--g->left == 0) uv_stop(&g->here);
        uv_async_send(&g->to_there);
    });
    uv_async_init(&game.there, &game.to_there, [](uv_async_t* handle) {
        auto* g = static_cast<ping_pong*>(handle->data);
        if (g->left == 0) uv_stop(&g->there);
        else uv_async_send(&g->to_here);
    });
    game.to_here.data = game.to_there.data = &game;
    std::thread other([&] {
        bench::pin_to_last_core();
        uv_run(&game.there, UV_RUN_DEFAULT);
    });
    bench::pin_to_first_core();
    const auto before = bench::wall_nanoseconds();
    uv_async_send(&game.to_there);
    uv_run(&game.here, UV_RUN_DEFAULT);
    m.value(static_cast<double>(bench::wall_nanoseconds() - before) / 1000.0 / static_cast<double>(m.n));
    other.join();
}

constexpr std::uint64_t million = 1'000'000;

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"pass", pass},
                           {"threadsafe/asleep", threadsafe_asleep, 5000},
                           {"timers/arm", timers_arm, million},
                           {"timers/fire", timers_fire, million},
                           {"timers/cancel", timers_cancel, million},
                           {"timers/rearm", timers_rearm, 3 * million}});
}
