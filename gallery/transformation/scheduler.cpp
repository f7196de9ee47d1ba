// Searches that take turns: coroutines, tasks and a scheduler. As gallery/scheduler.cpp, on the library.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// region machinery
using rondo::coro;
using rondo::generator;
using rondo::yield;

// The scheduler is the library's event loop. It does not print what it does, but tells whoever asks.

class trace : public rondo::instrument {
    void before_task_step(const rondo::any_task& running) override {
        if (is_search(running)) std::printf("  %s runs: ", running.name().c_str());
    }
    void after_task_step(const rondo::any_task& running) override {
        if (!is_search(running)) return;
        if (!running.done()) std::printf("it yields\n");
        else if (running.exception()) std::printf("it failed: %s\n", reason(running).c_str());
        else std::printf("it found %lld\n", static_cast<long long>(running.as_task<std::int64_t>().result()));
    }
    static bool is_search(const rondo::any_task& task) { return task.name().starts_with("task "); }

public:
    static std::string reason(const rondo::any_task& failed) {
        try {
            std::rethrow_exception(failed.exception());
        } catch (const std::exception& error) {
            return error.what();
        }
    }
};
// endregion

// Lucas numbers: like Fibonacci's, but they begin with 2 and 1.

// region program
generator<std::int64_t> lucas(std::int64_t limit = 1'000'000'000'000'000'000) {
    for (std::int64_t a = 2, b = 1; a <= limit; a = std::exchange(b, a + b)) co_yield a;
}

// The first of the numbers that is what is looked for. Without the line with yield() it is a plain search that keeps everybody
// waiting until it has ended; with it, others run between two numbers.
coro<std::int64_t> search(generator<std::int64_t> numbers, std::function<bool(std::int64_t)> matches) {
    for (const std::int64_t number : numbers) {
        if (matches(number)) co_return number;
        co_await yield();
    }
    throw std::runtime_error("nothing found");
}

std::function<bool(std::int64_t)> has_digits(std::int64_t digits) {
    return [digits](std::int64_t number) { return std::to_string(number).size() >= static_cast<std::size_t>(digits); };
}
// endregion

// region main
int scheduler_main(int argc, char** argv) {
    gallery::options options(argc, argv, "Searches that take turns: coroutines, tasks and a scheduler.");
    const std::int64_t digits = options.number("--digits", 9, 1, 18, "how many digits the second search looks for");
    options.done();

    std::printf("Lucas numbers:");
    for (const std::int64_t number : lucas(200)) std::printf(" %lld", static_cast<long long>(number));

    std::printf("\n\nThe first with 6 digits, the first with %lld, and one with 6 among those up to 1000:\n",
                static_cast<long long>(digits));
    std::vector<rondo::task<std::int64_t>> tasks;
    rondo::run({.instruments = {std::make_shared<trace>()}}, [&]() -> coro<> {
        tasks.push_back(rondo::create_task(search(lucas(), has_digits(6)), {.name = "task 0"}));
        tasks.push_back(rondo::create_task(search(lucas(), has_digits(digits)), {.name = "task 1"}));
        tasks.push_back(rondo::create_task(search(lucas(1000), has_digits(6)), {.name = "task 2"}));
        co_await rondo::wait(tasks);
    });

    std::printf("\n");
    for (const auto& task : tasks)
        if (!task.exception()) std::printf("%s: %lld\n", task.name().c_str(), static_cast<long long>(task.result()));
    for (const auto& task : tasks)
        if (task.exception()) std::printf("%s: failed, %s\n", task.name().c_str(), trace::reason(task).c_str());
    return 0;
}
// endregion
