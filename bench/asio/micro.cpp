// The cases of bench/ours in Boost.Asio: C++20 awaitables on one io_context without locks.

#include "measure.hpp"

#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using bench::meter;
using namespace std::chrono_literals;

/// Runs body(m) as a coroutine until the context has nothing left to do.
std::function<void(meter&)> in_asio(awaitable<void> (*body)(meter&)) {
    return [body](meter& m) {
        asio::io_context context(1);
        asio::co_spawn(context, body(m), asio::detached);
        context.run();
    };
}

[[gnu::noinline]] awaitable<int> leaf(int x) { co_return x + 1; }
[[gnu::noinline]] awaitable<int> nested(int depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

awaitable<void> child(meter& m) {
    int x = 0;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(x = co_await leaf(x));
    m.stop();
}

awaitable<void> ten_levels(meter& m) {
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 10) bench::keep(co_await nested(9));
    m.stop();
}

awaitable<void> yield_often(std::uint64_t times) {
    auto executor = co_await asio::this_coro::executor;
    for (std::uint64_t i = 0; i < times; ++i) co_await asio::post(executor, use_awaitable);
}

void yield_tasks(meter& m, std::uint64_t tasks) {
    asio::io_context context(1);
    m.n += tasks - m.n % tasks;
    for (std::uint64_t i = 0; i < tasks; ++i) asio::co_spawn(context, yield_often(m.n / tasks), asio::detached);
    m.start();
    context.run();
    m.stop();
}
void yield_alone(meter& m) { yield_tasks(m, 1); }
void yield_thousand(meter& m) { yield_tasks(m, 1000); }

awaitable<void> count_one(std::uint64_t& count) {
    ++count;
    co_return;
}

void spawn_batches(meter& m) {
    asio::io_context context(1);
    std::uint64_t count = 0;
    m.n += 1000 - m.n % 1000;
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 1000) {
        for (int k = 0; k < 1000; ++k) asio::co_spawn(context, count_one(count), asio::detached);
        context.restart();
        context.run();
    }
    m.stop();
    bench::keep(count);
}

awaitable<void> spawn_one_by_one(meter& m) {
    auto executor = co_await asio::this_coro::executor;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(co_await asio::co_spawn(executor, leaf(1), use_awaitable));
    m.stop();
}

using channel = asio::experimental::channel<void(boost::system::error_code, int)>;

awaitable<void> send_and_receive(std::shared_ptr<channel> to, std::shared_ptr<channel> from, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
        co_await to->async_send(boost::system::error_code{}, 1, use_awaitable);
        bench::keep(co_await from->async_receive(use_awaitable));
    }
}
awaitable<void> receive_and_send(std::shared_ptr<channel> from, std::shared_ptr<channel> to, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
        const int item = co_await from->async_receive(use_awaitable);
        co_await to->async_send(boost::system::error_code{}, item, use_awaitable);
    }
}

void queue_round_trip(meter& m) {
    asio::io_context context(1);
    auto there = std::make_shared<channel>(context, 1);
    auto back = std::make_shared<channel>(context, 1);
    asio::co_spawn(context, send_and_receive(there, back, m.n), asio::detached);
    asio::co_spawn(context, receive_and_send(there, back, m.n), asio::detached);
    m.start();
    context.run();
    m.stop();
}

/// One posted handler posts the next.
struct again {
    asio::io_context& context;
    std::uint64_t& left;
    void operator()() const {
        if (--left) asio::post(context, *this);
    }
};

void pass(meter& m) {
    asio::io_context context(1);
    std::uint64_t left = m.n;
    asio::post(context, again{context, left});
    m.start();
    context.run();
    m.stop();
}

[[gnu::noinline]] awaitable<int> waits_at_depth(int depth) {
    if (depth == 1) {
        asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await never.async_wait(use_awaitable);
        co_return 0;
    }
    co_return 1 + co_await waits_at_depth(depth - 1);
}

std::function<void(meter&)> cancel_at_depth(int depth) {
    return [depth](meter& m) {
        constexpr std::size_t batch = 100;
        m.n += batch - m.n % batch;
        asio::io_context context(1);
        for (std::uint64_t i = 0; i < m.n; i += batch) {
            std::vector<asio::cancellation_signal> signals(batch);
            for (auto& signal : signals)
                asio::co_spawn(context, waits_at_depth(depth),
                               asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr, int) {}));
            context.restart();
            context.poll();
            m.start();
            for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
            context.restart();
            context.run();
            m.stop();
        }
    };
}

/// Deadlines spread over a second, the same as everybody's.
struct timers {
    explicit timers(std::uint64_t n) : when(n) {
        std::mt19937_64 random(1);
        for (auto& w : when) w = std::chrono::nanoseconds(random() % 1'000'000'000u);
        all.reserve(n);
        for (std::uint64_t i = 0; i < n; ++i) all.emplace_back(context);
    }
    void arm(std::chrono::seconds behind) {
        const auto base = std::chrono::steady_clock::now() + behind;
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].expires_at(base + when[i]);
            all[i].async_wait([](boost::system::error_code) {});
        }
    }
    asio::io_context context{1};
    std::vector<std::chrono::nanoseconds> when;
    std::vector<asio::steady_timer> all;
};

void timers_arm(meter& m) {
    timers t(m.n);
    m.start();
    t.arm(600s);
    m.stop();
}
void timers_fire(meter& m) {
    timers t(m.n);
    t.arm(1s);
    m.start();
    t.context.run();
    m.stop();
}
void timers_cancel(meter& m) {
    timers t(m.n);
    t.arm(600s);
    std::vector<std::size_t> order(m.n);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937_64(2));
    m.start();
    for (const auto i : order) t.all[i].cancel();
    t.context.run();
    m.stop();
}
void timers_rearm(meter& m) {
    constexpr std::size_t connections = 10'000;
    timers t(connections);
    t.arm(600s);
    t.context.poll();
    const auto base = std::chrono::steady_clock::now() + 600s;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) {
        auto& timer = t.all[(i * 7919) % connections];
        timer.expires_at(base + std::chrono::microseconds(i));
        timer.async_wait([](boost::system::error_code) {});
        if (i % 64 == 0) t.context.poll(); // the cancelled waits are handlers to be run
    }
    m.stop();
}

awaitable<void> sleep_long() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 600s);
    co_await timer.async_wait(use_awaitable);
}

void sleepers(meter& m) {
    asio::io_context context(1);
    const auto before = bench::resident_bytes();
    for (std::uint64_t i = 0; i < m.n; ++i) asio::co_spawn(context, sleep_long(), asio::detached);
    context.poll();
    m.value(static_cast<double>(bench::resident_bytes() - before) / static_cast<double>(m.n));
}

/// What a thread pays that posts into a context that never sleeps.
void threadsafe(meter& m) {
    asio::io_context context;
    std::uint64_t arrived = 0;
    std::atomic<std::uint64_t> nanoseconds = 0;
    const auto work = asio::make_work_guard(context);
    m.start();
    std::thread caller([&] {
        const auto before = bench::thread_nanoseconds();
        for (std::uint64_t i = 0; i < m.n; ++i) asio::post(context, [&] { ++arrived; });
        nanoseconds = bench::thread_nanoseconds() - before;
    });
    while (arrived < m.n) context.poll();
    m.stop();
    caller.join();
    m.value(static_cast<double>(nanoseconds) / static_cast<double>(m.n));
}

void threadsafe_asleep(meter& m) {
    asio::io_context here;
    asio::io_context there;
    const auto work_here = asio::make_work_guard(here);
    const auto work_there = asio::make_work_guard(there);
    std::thread other([&] {
        bench::pin_to_last_core();
        there.run();
    });
    bench::pin_to_first_core();
    std::uint64_t left = m.n;
    std::function<void()> bounce = [&] {
        if (--left == 0) return here.stop();
        asio::post(there, [&] { asio::post(here, [&] { bounce(); }); });
    };
    const auto before = bench::wall_nanoseconds();
    asio::post(here, [&] { bounce(); });
    here.run();
    m.value(static_cast<double>(bench::wall_nanoseconds() - before) / 1000.0 / static_cast<double>(m.n));
    there.stop();
    other.join();
}

constexpr std::uint64_t million = 1'000'000;

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"await", in_asio(child)},
                           {"await/ten-levels", in_asio(ten_levels)},
                           {"yield", yield_thousand},
                           {"yield/alone", yield_alone},
                           {"spawn", spawn_batches},
                           {"spawn/one-by-one", in_asio(spawn_one_by_one)},
                           {"queue", queue_round_trip},
                           {"pass", pass},
                           {"cancel", cancel_at_depth(10)},
                           {"cancel/one-frame", cancel_at_depth(1)},
                           {"timers/arm", timers_arm, million},
                           {"timers/fire", timers_fire, million},
                           {"timers/cancel", timers_cancel, million},
                           {"timers/rearm", timers_rearm, million},
                           {"threadsafe", threadsafe},
                           {"threadsafe/asleep", threadsafe_asleep, 5000},
                           {"sleepers", sleepers, million}});
}
