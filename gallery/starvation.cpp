// Who never gives way keeps everybody waiting; and the cure.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <utility>

using std::chrono::steady_clock;
using duration = steady_clock::duration;
using namespace std::chrono_literals;

// region machinery
// The queue of the scheduler: those who want to go on, in the order in which they gave way. It holds innermost coroutines, for
// it is these that gave way and have to be resumed.

std::deque<std::coroutine_handle<>> ready;

struct yield {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const { ready.push_back(caller); }
    void await_resume() const noexcept {}
};

// A coroutine that can be awaited by another one: when it ends it resumes that one, its continuation, and hands over its result
// or its error.

template <class T> struct outcome {
    void return_value(T v) { value = std::move(v); }
    T get() { return std::move(*value); }
    std::optional<T> value;
};
template <> struct outcome<void> {
    void return_void() const noexcept {}
    void get() const noexcept {}
};

template <class T = void> class coro {
public:
    struct promise_type : outcome<T> {
        struct end : std::suspend_always {
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                const std::coroutine_handle<> next = ended.promise().continuation;
                return next ? next : std::noop_coroutine();
            }
        };
        coro get_return_object() { return coro(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        end final_suspend() noexcept { return {}; }
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
    T await_resume() {
        if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
        return frame_.promise().get();
    }

private:
    explicit coro(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

// To sleep is to give way until the time has come.

coro<> sleep(duration how_long) {
    const auto until = steady_clock::now() + how_long;
    while (steady_clock::now() < until) co_await yield();
}

// Runs until `program` has ended. What runs beside it is dropped then, wherever it is.

void run(coro<> beside, coro<> program) {
    ready = {beside.handle(), program.handle()};
    while (!program.handle().done()) {
        const std::coroutine_handle<> next = ready.front();
        ready.pop_front();
        next.resume();
    }
    program.await_resume();
}
// endregion

// What the two print, with the time, and the longest that nobody heard the announcement.

// region program
class board {
public:
    void print(const std::string& text) const {
        const std::chrono::duration<double> passed = steady_clock::now() - begin_;
        std::printf("  [%5.1f s] %s\n", passed.count(), text.c_str());
    }
    void announce(const std::string& message) {
        note_silence();
        print(message);
    }
    /// Ends a silence: at an announcement, and at the end, for one that was due and never came is late, too.
    void note_silence() {
        const auto now = steady_clock::now();
        if (announced_) longest_silence = std::max(longest_silence, now - *announced_);
        announced_ = now;
    }
    duration longest_silence{};

private:
    steady_clock::time_point begin_ = steady_clock::now();
    std::optional<steady_clock::time_point> announced_;
};

coro<> announcements(duration interval, board& out) {
    while (true) {
        out.announce("Unattended baggage will be destroyed");
        co_await sleep(interval);
    }
}

// Divides by everything up to the square root. With 19 digits that is a thousand million divisions: seconds.
coro<bool> is_prime(std::uint64_t number, std::uint64_t divisions_between_yields) {
    std::uint64_t left = divisions_between_yields;
    for (std::uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
        if (number % divisor == 0) co_return false;
        if (divisions_between_yields == 0 || --left > 0) continue;
        left = divisions_between_yields;
        co_await yield(); // the cure
    }
    co_return true;
}

coro<> growing_primes(int digits, std::uint64_t divisions_between_yields, board& out) {
    std::uint64_t number = 1;
    for (int length = 2; length <= digits; ++length) {
        number *= 10;
        std::uint64_t candidate = number;
        while (!co_await is_prime(candidate, divisions_between_yields)) {
            ++candidate;
            co_await yield();
        }
        out.print(std::to_string(candidate) + " is prime");
    }
}
// endregion

// region main
double longest_silence(int digits, duration interval, std::uint64_t divisions_between_yields) {
    board out;
    run(announcements(interval, out), growing_primes(digits, divisions_between_yields, out));
    out.note_silence();
    const std::chrono::duration<double> longest = out.longest_silence;
    std::printf("  longest silence: %.3f s\n", longest.count());
    return longest.count();
}

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "Who never gives way keeps everybody waiting; and the cure.");
    const int digits = static_cast<int>(options.number("--digits", 19, 2, 19, "how long the primes grow"));
    const duration interval = options.seconds("--interval", 2500ms, "seconds between two announcements");
    const auto divisions = static_cast<std::uint64_t>(
        options.number("--divisions", 10'000, 1, 1'000'000'000, "the cure: how many divisions before it gives way"));
    options.done();

    std::printf("An announcement every %g s, and a search that gives way only between two numbers:\n",
                std::chrono::duration<double>(interval).count());
    const double before = longest_silence(digits, interval, 0);
    std::printf("\nThe same, but it also gives way after every %llu divisions:\n",
                static_cast<unsigned long long>(divisions));
    const double after = longest_silence(digits, interval, divisions);
    std::printf("\nlargest gap: %.3f s before, %.3f s after\n", before, after);
}
// endregion
