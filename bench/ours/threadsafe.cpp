// call_soon_threadsafe(): a thread that calls into a loop that is awake, and two loops in two threads that wake each other.

#include "support/in_rondo.hpp"

#include <atomic>
#include <thread>

namespace {

using bench::meter;

/// What the calling thread pays while the loop is awake, which it is because a task of it yields all the time.
rondo::coro<> awake(meter& m) {
    auto& loop = rondo::running_loop();
    std::uint64_t arrived = 0;
    std::atomic<std::uint64_t> nanoseconds = 0;
    m.start();
    std::thread caller([&] {
        const auto before = bench::thread_nanoseconds();
        for (std::uint64_t i = 0; i < m.n; ++i) loop.call_soon_threadsafe([&arrived] { ++arrived; });
        nanoseconds = bench::thread_nanoseconds() - before;
    });
    while (arrived < m.n) co_await rondo::yield();
    m.stop();
    caller.join();
    m.value(static_cast<double>(nanoseconds) / static_cast<double>(m.n));
}

/// Ping-pong between two loops that sleep in between: a round trip is two wake-ups. Wall time.
void asleep(meter& m) {
    rondo::event_loop here;
    rondo::event_loop there;
    std::thread other([&] {
        bench::pin_to_last_core();
        there.run_forever();
    });
    bench::pin_to_first_core();
    std::uint64_t left = m.n;
    struct ball {
        rondo::event_loop& here;
        rondo::event_loop& there;
        std::uint64_t& left;
        void operator()() const {
            if (--left == 0) here.stop();
            else there.call_soon_threadsafe([ball = *this] { ball.here.call_soon_threadsafe(ball); });
        }
    };
    const ball bounce{here, there, left};
    m.start();
    const auto before = bench::wall_nanoseconds();
    here.call_soon(bounce);
    here.run_forever();
    m.value(static_cast<double>(bench::wall_nanoseconds() - before) / 1000.0 / static_cast<double>(m.n));
    m.stop();
    there.call_soon_threadsafe([&] { there.stop(); });
    other.join();
    here.close();
    there.close();
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv, {{"threadsafe", bench::in_rondo(awake)}, {"threadsafe/asleep", asleep, 5000}});
}
