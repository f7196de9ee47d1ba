// Searches that take turns: coroutines, tasks and a scheduler.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

// region machinery
// A generator, as in countdown.cpp.

template <class T> class generator {
public:
    struct promise_type {
        generator get_return_object() { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(T v) {
            value = std::move(v);
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() { throw; }
        T value{};
    };
    class iterator {
    public:
        explicit iterator(std::coroutine_handle<promise_type> frame) : frame_(frame) { frame_.resume(); }
        const T& operator*() const { return frame_.promise().value; }
        iterator& operator++() {
            frame_.resume();
            return *this;
        }
        bool operator==(std::default_sentinel_t) const { return frame_.done(); }

    private:
        std::coroutine_handle<promise_type> frame_;
    };

    generator(generator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    generator& operator=(generator&&) = delete;
    ~generator() {
        if (frame_) frame_.destroy();
    }
    iterator begin() { return iterator(frame_); }
    std::default_sentinel_t end() const { return {}; }

private:
    explicit generator(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

// A coroutine that ends with a result or with an error. It is given the processor by step(), and gives it back at yield().

template <class T> class coro {
public:
    struct promise_type {
        coro get_return_object() { return coro(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_value(T value) { result = std::move(value); }
        void unhandled_exception() { error = std::current_exception(); }
        T result{};
        std::exception_ptr error;
    };

    coro(coro&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coro& operator=(coro&&) = delete;
    ~coro() {
        if (frame_) frame_.destroy();
    }
    void step() { frame_.resume(); }
    bool done() const { return frame_.done(); }
    T result() const {
        if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
        return frame_.promise().result;
    }

private:
    explicit coro(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

std::suspend_always yield() { return {}; }

// A task is a coroutine that runs beside others, with a number by which to ask for its result. The scheduler takes the first one
// of the queue, lets it make a step, and puts it at the end. That is all there is to it: nobody is ever interrupted, everybody
// gives way where he says so.

struct task {
    int id;
    coro<std::int64_t> body;
};

class scheduler {
public:
    int add(coro<std::int64_t> body) {
        ready_.push_back({next_id_, std::move(body)});
        return next_id_++;
    }

    void run() {
        while (!ready_.empty()) {
            task running = std::move(ready_.front());
            ready_.pop_front();
            std::printf("  task %d runs: ", running.id);
            running.body.step();
            if (running.body.done()) {
                finish(running);
            } else {
                std::printf("it yields\n");
                ready_.push_back(std::move(running));
            }
        }
    }

    std::map<int, std::int64_t> results;
    std::map<int, std::string> errors;

private:
    void finish(const task& ended) {
        try {
            results[ended.id] = ended.body.result();
            std::printf("it found %lld\n", static_cast<long long>(results[ended.id]));
        } catch (const std::exception& error) {
            errors[ended.id] = error.what();
            std::printf("it failed: %s\n", error.what());
        }
    }

    std::deque<task> ready_;
    int next_id_ = 0;
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
int main(int argc, char** argv) {
    gallery::options options(argc, argv, "Searches that take turns: coroutines, tasks and a scheduler.");
    const std::int64_t digits = options.number("--digits", 9, 1, 18, "how many digits the second search looks for");
    options.done();

    std::printf("Lucas numbers:");
    for (const std::int64_t number : lucas(200)) std::printf(" %lld", static_cast<long long>(number));

    std::printf("\n\nThe first with 6 digits, the first with %lld, and one with 6 among those up to 1000:\n",
                static_cast<long long>(digits));
    scheduler all;
    all.add(search(lucas(), has_digits(6)));
    all.add(search(lucas(), has_digits(digits)));
    all.add(search(lucas(1000), has_digits(6)));
    all.run();

    std::printf("\n");
    for (const auto& [id, result] : all.results) std::printf("task %d: %lld\n", id, static_cast<long long>(result));
    for (const auto& [id, error] : all.errors) std::printf("task %d: failed, %s\n", id, error.c_str());
}
// endregion
