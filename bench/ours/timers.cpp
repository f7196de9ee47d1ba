// A million timers: arming them with random deadlines, firing them, cancelling them in random order, and moving an idle
// timeout that belongs to one of ten thousand connections.

#include "support/in_rondo.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using bench::in_rondo;
using bench::meter;

constexpr std::uint64_t million = 1'000'000;

/// The same deadlines for every subject: spread over a second.
std::vector<std::chrono::nanoseconds> spread(std::size_t n) {
    std::mt19937_64 random(1);
    std::vector<std::chrono::nanoseconds> when(n);
    for (auto& w : when) w = std::chrono::nanoseconds(random() % 1'000'000'000u);
    return when;
}

std::vector<rondo::timer_handle> arm_all(const std::vector<std::chrono::nanoseconds>& when, std::chrono::seconds behind,
                                         std::uint64_t& left, rondo::future<> done) {
    std::vector<rondo::timer_handle> handles;
    handles.reserve(when.size());
    auto& loop = rondo::running_loop();
    const auto base = loop.time() + behind;
    for (const auto w : when) {
        handles.push_back(loop.call_at(base + w, [&left, done]() mutable {
            if (--left == 0) done.set_result();
        }));
    }
    return handles;
}

rondo::coro<> arm(meter& m) {
    const auto when = spread(m.n);
    std::uint64_t left = m.n;
    auto never = rondo::create_future<>();
    for (auto& h : arm_all(when, 600s, left, never)) h.cancel(); // fills the free lists
    m.start();
    auto handles = arm_all(when, 600s, left, never);
    m.stop();
    for (auto& h : handles) h.cancel();
    co_return;
}

rondo::coro<> fire(meter& m) {
    const auto when = spread(m.n);
    std::uint64_t left = m.n;
    auto fired = rondo::create_future<>();
    auto handles = arm_all(when, 1s, left, fired);
    handles.clear();
    m.start();
    co_await fired;
    m.stop();
}

rondo::coro<> cancel(meter& m) {
    const auto when = spread(m.n);
    std::uint64_t left = m.n;
    auto handles = arm_all(when, 600s, left, rondo::create_future<>());
    std::shuffle(handles.begin(), handles.end(), std::mt19937_64(2));
    m.start();
    for (auto& h : handles) h.cancel();
    m.stop();
    co_return;
}

/// Ten thousand tasks sit in a timeout of 30 s each; each operation gives one of them another 30 s.
rondo::coro<> rearm(meter& m) {
    constexpr std::size_t connections = 10'000;
    std::vector<std::unique_ptr<rondo::timeout_scope>> idle;
    std::vector<rondo::task<>> tasks;
    for (std::size_t i = 0; i < connections; ++i) {
        idle.push_back(std::make_unique<rondo::timeout_scope>(30s));
        tasks.push_back(rondo::create_task(
            [&scope = *idle.back()]() -> rondo::coro<> { co_await scope.run([] { return rondo::sleep_forever(); }); }));
    }
    co_await rondo::yield();
    const auto base = rondo::clock::now() + 30s;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i)
        idle[(i * 7919) % connections]->reschedule(base + std::chrono::microseconds(i));
    m.stop();
    for (auto& t : tasks) t.cancel();
    for (auto& t : tasks) bench::keep(co_await rondo::as_result(t));
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"timers/arm", in_rondo(arm), million},
                           {"timers/fire", in_rondo(fire), million},
                           {"timers/cancel", in_rondo(cancel), million},
                           {"timers/rearm", in_rondo(rearm), 3 * million}});
}
