// Sleeping in a loop and sleeping with a timer: what it costs.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <chrono>
#include <coroutine>
#include <cstdio>
#include <ctime>
#include <deque>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using std::chrono::steady_clock;
using duration = steady_clock::duration;
using namespace std::chrono_literals;

// region machinery
// Those who want to go on, and, new here, those who want to be left alone until some time, in the order of these times.

std::deque<std::coroutine_handle<>> ready;
std::multimap<steady_clock::time_point, std::coroutine_handle<>> sleeping;

struct yield {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const { ready.push_back(caller); }
    void await_resume() const noexcept {}
};

struct sleeper {
    duration how_long;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const {
        sleeping.emplace(steady_clock::now() + how_long, caller);
    }
    void await_resume() const noexcept {}
};

sleeper sleep(duration how_long) { return {how_long}; }

// A coroutine that can be awaited by another one, as in starvation.cpp, but for one that has no result.

class coro {
public:
    struct promise_type {
        struct end : std::suspend_always {
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                const std::coroutine_handle<> next = ended.promise().continuation;
                return next ? next : std::noop_coroutine();
            }
        };
        coro get_return_object() { return coro(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        end final_suspend() noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() { error = std::current_exception(); }

        std::coroutine_handle<> continuation;
        std::exception_ptr error;
    };

    coro(coro&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coro& operator=(coro&&) = delete;
    ~coro() {
        if (frame_) frame_.destroy();
    }
    std::coroutine_handle<> handle() const { return frame_; }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        frame_.promise().continuation = caller;
        return frame_;
    }
    void await_resume() const {
        if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
    }

private:
    explicit coro(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

// Runs all of them to their ends. When nobody wants to go on, nothing can happen before the first sleeper's time: so the whole
// program sleeps until then, and needs no processor.

void run(std::vector<coro> tasks) {
    for (const coro& task : tasks) ready.push_back(task.handle());
    while (!ready.empty() || !sleeping.empty()) {
        if (ready.empty()) std::this_thread::sleep_until(sleeping.begin()->first);
        while (!sleeping.empty() && sleeping.begin()->first <= steady_clock::now())
            ready.push_back(sleeping.extract(sleeping.begin()).mapped());
        if (ready.empty()) continue;
        const std::coroutine_handle<> next = ready.front();
        ready.pop_front();
        next.resume();
    }
    for (const coro& task : tasks) task.await_resume();
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

int main(int argc, char** argv) {
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
}
// endregion
