// A thousand sleepers at once, in a loop that asks each whether it is done.
//
// From scratch: nothing here but the language.

#include "support/grouped.hpp"
#include "support/options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

// To do two things at once, neither may keep the processor until it has finished. So each is cut into small steps, and
// between two steps it must remember where it was. A function cannot: its frame is gone when it returns. An object can. A task
// is an object with a step, and with what has to be known from one step to the next as its members.

// region task
class task {
public:
    virtual ~task() = default;
    /// Makes one small step, and says whether that was the last one.
    virtual bool poll(double now) = 0;
    virtual std::string result() const = 0;
};
// endregion

// region sleep
class sleep_task : public task {
public:
    explicit sleep_task(double seconds) : seconds_(seconds) {}
    bool poll(double now) override {
        if (!until_) until_ = now + seconds_; // asked for the first time: it begins
        return now >= *until_;
    }
    std::string result() const override {
        char text[32];
        std::snprintf(text, sizeof text, "slept %.1f s", seconds_);
        return text;
    }

private:
    double seconds_;
    std::optional<double> until_;
};
// endregion

// As a function this would be a loop with three variables. Cut into steps the loop is gone: its variables have become members,
// and its body is what one step does. (What it costs to read, the next programs give back.)

// region fib
class fib_task : public task {
public:
    explicit fib_task(int n) : n_(n) {}
    bool poll(double) override {
        if (i_ == n_) return true;
        b_ = std::exchange(a_, b_) + b_;
        return ++i_ == n_;
    }
    std::string result() const override { return "fib(" + std::to_string(n_) + ") = " + std::to_string(a_); }

private:
    int n_;
    int i_ = 0;
    std::uint64_t a_ = 0, b_ = 1;
};
// endregion

// The time that the loop goes by. A test lets it run by itself: a millisecond passes whenever somebody looks.

class watch {
public:
    explicit watch(bool is_virtual) : virtual_(is_virtual) {}
    double now() {
        if (virtual_) return virtual_now_ += 0.001;
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    bool virtual_;
    double virtual_now_ = 0;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// An event loop, the simplest there is: it asks every task in turn, until none is left. Results come in the order of the
// tasks, whichever was done first.

// region wait
struct outcome {
    double seconds = 0;
    std::uint64_t questions = 0;
    std::vector<std::string> results;
};

outcome wait(std::vector<std::unique_ptr<task>> tasks, watch& time) {
    const double start = time.now();
    outcome all;
    std::vector<bool> done(tasks.size());
    for (std::size_t left = tasks.size(); left > 0;) {
        const double now = time.now();
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            if (done[i]) continue;
            ++all.questions;
            done[i] = tasks[i]->poll(now);
            if (done[i]) --left;
        }
    }
    for (const auto& task : tasks) all.results.push_back(task->result());
    all.seconds = time.now() - start;
    return all;
}
// endregion

void a_few(watch& time) {
    std::vector<std::unique_ptr<task>> tasks;
    tasks.push_back(std::make_unique<sleep_task>(1.0));
    tasks.push_back(std::make_unique<fib_task>(90));
    tasks.push_back(std::make_unique<sleep_task>(0.5));
    tasks.push_back(std::make_unique<fib_task>(5));
    std::printf("Four tasks, results in their order:\n");
    const outcome all = wait(std::move(tasks), time);
    for (const std::string& result : all.results) std::printf("  %s\n", result.c_str());
    std::printf("  together: %.1f s\n", all.seconds);
}

// region sleepers
void sleepers(std::int64_t count, watch& time) {
    std::mt19937 chance(1);
    std::vector<std::unique_ptr<task>> tasks;
    double longest = 0, sum = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const double seconds = std::uniform_real_distribution(1.0, 3.0)(chance);
        longest = std::max(longest, seconds);
        sum += seconds;
        tasks.push_back(std::make_unique<sleep_task>(seconds));
    }
    std::printf(
        "\n%lld sleepers of 1 to 3 s:\n  one after the other they would take %.1f s, the longest takes %.1f s\n",
        static_cast<long long>(count), sum, longest);
    const outcome all = wait(std::move(tasks), time);
    std::printf("  together: %.1f s, and they were asked %s times\n", all.seconds,
                gallery::grouped(all.questions).c_str());
}
// endregion

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A thousand sleepers at once, in a loop that asks each whether it is done.");
    const std::int64_t count =
        options.number("--sleepers", 1000, 1, 1'000'000, "how many sleep at once in the last part");
    const bool virtual_time =
        options.flag("--virtual-time", "a millisecond passes whenever somebody looks at the clock");
    options.done();

    watch time(virtual_time);
    a_few(time);
    sleepers(10, time);
    sleepers(count, time);
}
