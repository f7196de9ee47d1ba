// Blocking work in threads, the way back, and how it ends promptly.

#include "support/options.hpp"
#include "support/run.hpp"

#include <rondo/rondo.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

double ms(rondo::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

/// Stands for a read(), a database driver, a library that knows nothing of loops.
void block(std::chrono::milliseconds how_long) { std::this_thread::sleep_for(how_long); }

// region ticker
/// The longest time between two ticks of a task that would like to tick each 10 ms, while the work is done.
rondo::coro<rondo::duration> longest_silence_during(std::function<rondo::coro<>()> work) {
    rondo::duration longest{};
    const auto tick = [&]() -> rondo::coro<> {
        for (auto last = rondo::clock::now();;) {
            co_await rondo::sleep(10ms);
            longest = std::max(longest, rondo::clock::now() - std::exchange(last, rondo::clock::now()));
        }
    };
    co_await rondo::select(work(), tick());
    co_return longest;
}

rondo::coro<> blocking_work() {
    const auto silence = co_await longest_silence_during([]() -> rondo::coro<> {
        co_await rondo::sleep(20ms);
        block(200ms);
        co_await rondo::sleep(20ms);
    });
    std::printf("200 ms of blocking work in the loop: the ticker was silent for %.1f ms\n", ms(silence));

    const auto began = rondo::clock::now();
    const auto less_silence = co_await longest_silence_during([]() -> rondo::coro<> {
        co_await rondo::gather(rondo::to_thread(block, 200ms), rondo::to_thread(block, 200ms),
                               rondo::to_thread(block, 200ms));
    });
    std::printf("three times that in threads: silent for %.1f ms; all done in %.1f ms\n", ms(less_silence),
                ms(rondo::clock::now() - began));
}
// endregion

// region watcher
/// What the system knows of our threads: the loop's is named after the program.
std::vector<std::string> threads() {
    std::vector<std::string> names;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(thread.path() / "comm");
        if (std::string name; std::getline(file, name)) names.push_back(std::move(name));
    }
    return names;
}

rondo::coro<> watch_threads() {
    std::vector<std::string> known;
    while (true) {
        std::vector<std::string> now = threads();
        std::sort(now.begin(), now.end());
        if (now != known) {
            std::printf("threads:");
            for (const std::string& name : now) std::printf(" %s", name.c_str());
            std::puts("");
            known = std::move(now);
        }
        co_await rondo::sleep(5ms);
    }
}
// endregion

// region submitting
rondo::coro<> wrong_way() {
    rondo::event_loop& loop = rondo::running_loop();
    loop.set_debug(true);
    co_await rondo::to_thread([&loop] {
        try {
            loop.call_soon([] {}); // changes the loop's list while the loop may be using it
        } catch (const rondo::runtime_error& refused) {
            std::printf("call_soon() from a thread: %s\n", refused.what());
        }
    });
    loop.set_debug(false);
}

/// How long it takes from a thread's submitting something to the loop's running it, in a loop that has nothing to do meanwhile.
rondo::coro<rondo::duration> delay_of(std::function<void(std::function<void()>)> submit) {
    auto arrived = rondo::create_future<>();
    rondo::time_point left, came;
    std::thread other([&] {
        block(20ms); // until the loop is asleep
        left = rondo::clock::now();
        submit([&] {
            came = rondo::clock::now();
            arrived.set_result();
        });
    });
    co_await arrived;
    other.join();
    co_return came - left;
}

rondo::coro<> right_way() {
    rondo::event_loop& loop = rondo::running_loop();
    const auto woken = co_await delay_of([&](auto work) { loop.call_soon_threadsafe(std::move(work)); });
    std::printf("call_soon_threadsafe() wakes the loop: %.3f ms\n", ms(woken));

    // The same without waking: a list, with a lock, that the loop looks at when it comes round.
    std::mutex mutex;
    std::function<void()> left_there;
    auto looking = rondo::create_task([&]() -> rondo::coro<> {
        while (true) {
            co_await rondo::sleep(900ms);
            const std::lock_guard<std::mutex> hold(mutex);
            if (left_there) left_there();
        }
    });
    const auto found = co_await delay_of([&](auto work) {
        const std::lock_guard<std::mutex> hold(mutex);
        left_there = std::move(work);
    });
    looking.cancel();
    std::printf("leaving it where the loop will find it: %.0f ms\n", ms(found));
}
// endregion

rondo::coro<> program() {
    co_await rondo::select(blocking_work(), watch_threads());
    co_await wrong_way();
    co_await right_way();
}

// region interrupted
/// A minute of work that asks now and then whether anybody still wants it.
void work_for_a_minute() {
    for (int i = 0; i < 12'000; ++i) {
        block(5ms);
        rondo::from_thread::check_cancelled();
    }
}

rondo::coro<> interrupted(rondo::time_point& when) {
    rondo::signal_receiver stop({SIGINT, SIGTERM});
    rondo::running_loop().call_later(200ms, [] { ::raise(SIGINT); });
    std::puts("a thread works for a minute; Ctrl-C, or 200 ms");
    co_await rondo::select(rondo::to_thread(work_for_a_minute), stop.next()); // the loser is cancelled
    when = rondo::clock::now();
}
// endregion

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "Blocking work in threads, the way back, and how it ends promptly.");
    options.done();
    if (const int failed = gallery::run(false, program)) return failed;
    rondo::time_point when;
    rondo::run({.handle_sigint = false}, interrupted, std::ref(when)); // a loop that closes waits for its threads
    std::printf("interrupted, and ended after %.1f ms\n", ms(std::chrono::steady_clock::now() - when));
}
