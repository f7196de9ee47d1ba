// Who never gives way keeps everybody waiting; and the cure. As gallery/starvation.cpp, on the library.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

using std::chrono::steady_clock;
using duration = steady_clock::duration;
using namespace std::chrono_literals;

// region machinery
using rondo::coro;
using rondo::sleep;
using rondo::yield;

// What still runs beside `program` when that has ended is cancelled, and awaited.

void run(coro<> beside, coro<> program) {
    rondo::run([&]() -> coro<> {
        rondo::spawn(std::move(beside));
        co_await std::move(program);
    });
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

int starvation_main(int argc, char** argv) {
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
    return 0;
}
// endregion
