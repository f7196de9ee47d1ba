// The cases of bench/ours on the least that runs them: what a library's price is compared with.

#include "measure.hpp"
#include "runtime.hpp"
#include "timer_wheel.hpp"

#include <cstring>
#include <numeric>
#include <random>
#include <stdexcept>

namespace {

using bench::meter;

/// A case whose body is one detached coroutine.
std::function<void(meter&)> alone(raw::detached (*body)(meter&)) {
    return [body](meter& m) {
        raw::spawn(body(m));
        raw::ready.run();
    };
}

[[gnu::noinline]] raw::coro leaf(int x) { co_return x + 1; }
[[gnu::noinline]] raw::coro nested(int depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

raw::detached child(meter& m) {
    int x = 0;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(x = co_await leaf(x));
    m.stop();
}

raw::detached ten_levels(meter& m) {
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 10) bench::keep(co_await nested(9));
    m.stop();
}

raw::detached yield_often(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) co_await raw::yield();
}

void yield_alone(meter& m) {
    raw::spawn(yield_often(m.n));
    m.start();
    raw::ready.run();
    m.stop();
}

void yield_thousand(meter& m) {
    for (int i = 0; i < 1000; ++i) raw::spawn(yield_often(m.n / 1000 + 1));
    m.start();
    raw::ready.run();
    m.stop();
}

raw::detached count_one(std::uint64_t& count) { count += static_cast<std::uint64_t>(co_await leaf(0)); }

void spawn_batches(meter& m) {
    std::uint64_t count = 0;
    m.n += 1000 - m.n % 1000;
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 1000) {
        for (int k = 0; k < 1000; ++k) raw::spawn(count_one(count));
        raw::ready.run();
    }
    m.stop();
    bench::keep(count);
}

void spawn_one_by_one(meter& m) {
    std::uint64_t count = 0;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) {
        raw::spawn(count_one(count));
        raw::ready.run();
    }
    m.stop();
    bench::keep(count);
}

raw::detached ping(raw::queue& there, raw::queue& back, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
        there.put(1);
        bench::keep(co_await back.get());
    }
}
raw::detached pong(raw::queue& there, raw::queue& back, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) back.put(co_await there.get());
}

void queue_round_trip(meter& m) {
    raw::queue there;
    raw::queue back;
    raw::spawn(ping(there, back, m.n));
    raw::spawn(pong(there, back, m.n));
    m.start();
    raw::ready.run();
    m.stop();
}

class numbers {
public:
    struct promise_type : raw::pooled {
        std::uint64_t value = 0;
        numbers get_return_object() { return numbers(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        std::suspend_always yield_value(std::uint64_t v) noexcept {
            value = v;
            return {};
        }
        void return_void() const noexcept {}
        void unhandled_exception() const { throw; }
    };
    explicit numbers(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    numbers(const numbers&) = delete;
    ~numbers() { frame_.destroy(); }
    bool next() {
        frame_.resume();
        return !frame_.done();
    }
    std::uint64_t value() const { return frame_.promise().value; }

private:
    std::coroutine_handle<promise_type> frame_;
};

[[gnu::noinline]] numbers count_to(std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) co_yield i;
}

void generator(meter& m) {
    auto counted = count_to(m.n);
    bench::keep(counted);
    std::uint64_t sum = 0;
    m.start();
    while (counted.next()) sum += counted.value();
    m.stop();
    bench::keep(sum);
}

/// A frame that waits for ever, and can be resumed by throwing into it.
struct parked {
    static inline std::vector<std::coroutine_handle<>> innermost;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) const { innermost.push_back(frame); }
    int await_resume() const { throw std::runtime_error("cancelled"); }
};

[[gnu::noinline]] raw::coro waits_at_depth(int depth) {
    if (depth == 1) co_return co_await parked();
    co_return 1 + co_await waits_at_depth(depth - 1);
}

/// The exception travels through every frame: what an edge-triggered cancellation cannot avoid.
std::function<void(meter&)> cancel_by_throwing(int depth) {
    return [depth](meter& m) {
        m.n += 100 - m.n % 100;
        for (std::uint64_t i = 0; i < m.n; i += 100) {
            std::vector<raw::coro> waiting;
            parked::innermost.clear();
            for (int k = 0; k < 100; ++k) {
                waiting.push_back(waits_at_depth(depth));
                waiting.back().start();
            }
            m.start();
            for (const auto frame : parked::innermost) frame.resume();
            m.stop();
        }
    };
}

std::vector<std::uint64_t> spread(std::size_t n) {
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> when(n);
    for (auto& w : when) w = random() % 1'000'000'000u;
    return when;
}

struct wheel_of_timers {
    explicit wheel_of_timers(std::size_t n) : when(spread(n)), nodes(n) {}
    void arm() {
        for (std::size_t i = 0; i < nodes.size(); ++i) wheel.arm(nodes[i], when[i]);
    }
    std::vector<std::uint64_t> when;
    std::vector<raw::timer_wheel::node> nodes;
    raw::timer_wheel wheel;
};

void timers_arm(meter& m) {
    wheel_of_timers timers(m.n);
    m.start();
    timers.arm();
    m.stop();
}

void timers_fire(meter& m) {
    wheel_of_timers timers(m.n);
    timers.arm();
    std::uint64_t fired = 0;
    m.start();
    for (std::uint64_t ms = 1; ms <= 1001; ++ms)
        timers.wheel.advance(ms * 1'000'000, [&](raw::timer_wheel::node&) { ++fired; });
    m.stop();
    if (fired != m.n) throw std::logic_error("timers were lost");
}

void timers_cancel(meter& m) {
    wheel_of_timers timers(m.n);
    timers.arm();
    std::vector<std::uint32_t> order(m.n);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(2));
    m.start();
    for (const auto i : order) timers.wheel.cancel(timers.nodes[i]);
    m.stop();
}

void timers_rearm(meter& m) {
    constexpr std::size_t connections = 10'000;
    constexpr std::uint64_t idle = 30'000'000'000u;
    std::vector<raw::timer_wheel::node> nodes(connections);
    raw::timer_wheel wheel;
    for (auto& n : nodes) wheel.arm(n, idle);
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) {
        auto& n = nodes[(i * 7919) % connections];
        wheel.cancel(n);
        wheel.arm(n, idle + i * 1000);
    }
    m.stop();
}

constexpr std::uint64_t million = 1'000'000;

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"await", alone(child)},
                           {"await/ten-levels", alone(ten_levels)},
                           {"yield", yield_thousand},
                           {"yield/alone", yield_alone},
                           {"spawn", spawn_batches},
                           {"spawn/one-by-one", spawn_one_by_one},
                           {"queue", queue_round_trip},
                           {"generator", generator},
                           {"cancel", cancel_by_throwing(10)},
                           {"cancel/one-frame", cancel_by_throwing(1)},
                           {"timers/arm", timers_arm, million},
                           {"timers/fire", timers_fire, million},
                           {"timers/cancel", timers_cancel, million},
                           {"timers/rearm", timers_rearm, 3 * million}});
}
