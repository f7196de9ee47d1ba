// Values and errors that go into a generator.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <coroutine>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

// A generator stops in the middle of an expression: `co_yield total`. What that expression is worth can be decided by whoever
// resumes it. next() makes it worth nothing, send(value) makes it worth the value, throw_(error) makes it throw.
//
// co_yield calls yield_value(), which gives an awaiter. await_suspend would be told that the coroutine stops here;
// await_resume is called when it goes on, and what it returns is what the expression is worth.

struct nothing {}; // what is sent to a generator that wants nothing

// region generator
template <class Y, class S = nothing> class generator {
public:
    struct promise_type {
        struct received : std::suspend_always { // what a co_yield is worth
            explicit received(promise_type& p) noexcept : promise(p) {}
            std::optional<S> await_resume() {
                if (promise.thrown) std::rethrow_exception(std::exchange(promise.thrown, nullptr));
                return std::exchange(promise.sent, std::nullopt);
            }
            promise_type& promise;
        };

        generator get_return_object() { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        received yield_value(Y value) {
            yielded = std::move(value);
            return received(*this);
        }
        void return_void() noexcept {}
        void unhandled_exception() { throw; } // what the body does not catch comes out of send() or throw_()

        std::optional<Y> yielded;
        std::optional<S> sent;
        std::exception_ptr thrown;
        bool started = false;
    };

    generator(generator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    generator& operator=(generator&&) = delete;
    ~generator() {
        if (frame_) frame_.destroy();
    }

    std::optional<Y> next() { return resume(); }
    std::optional<Y> send(S value) {
        require_started();
        frame_.promise().sent = std::move(value);
        return resume();
    }
    template <class E> std::optional<Y> throw_(E error) {
        require_started();
        frame_.promise().thrown = std::make_exception_ptr(std::move(error));
        return resume();
    }

private:
    explicit generator(std::coroutine_handle<promise_type> frame) : frame_(frame) {}

    // Before the first next() the generator stands before its first statement. There is no co_yield yet that could take
    // anything, so it has to be primed: run up to the first one.
    void require_started() const {
        if (!frame_.promise().started)
            throw std::logic_error("there is no co_yield yet that could take it: next() first");
    }
    std::optional<Y> resume() {
        if (frame_.done()) return std::nullopt;
        frame_.promise().started = true;
        frame_.promise().yielded.reset();
        frame_.resume();
        return std::move(frame_.promise().yielded);
    }

    std::coroutine_handle<promise_type> frame_;
};
// endregion

// region running_total
generator<int, int> running_total(int limit) {
    int total = 0;
    while (total <= limit) {
        const std::optional<int> more = co_yield total;
        total += more.value_or(0);
    }
}
// endregion

// region countdown
generator<int, int> countdown(int n) {
    while (n > 0) {
        const std::optional<int> anew = co_yield n;
        n = anew ? *anew : n - 1;
    }
}
// endregion

// region footrace
using words = std::string;

generator<words, words> footrace() {
    while (true) {
        if ((co_yield "On your marks.") == "fault") continue;
        if ((co_yield "Set.") == "fault") continue;
        co_yield "Go!";
        co_return;
    }
}
// endregion

// The same with an error instead of a word: nobody has to ask after each step, and there is one place for all faults.

// region throw
struct false_start {};

generator<words> strict_footrace() {
    for (bool gone = false; !gone;) {
        try {
            co_yield "On your marks.";
            co_yield "Set.";
            co_yield "Go!";
            gone = true;
        } catch (const false_start&) {}
    }
}
// endregion

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "Values and errors that go into a generator.");
    const int limit = static_cast<int>(options.number("--limit", 10, 0, 1'000'000, "where the running total ends"));
    options.done();

    std::printf("A generator must be primed\n");
    auto total = running_total(limit);
    try {
        total.send(3);
    } catch (const std::logic_error& error) {
        std::printf("  sent 3 before the first next(): %s\n", error.what());
    }
    total.next();

    std::printf("\nA running total up to %d\n", limit);
    constexpr int numbers_to_send[] = {3, 1, 4, 2};
    for (int i = 0;; ++i) {
        const int number = numbers_to_send[i % 4];
        const std::optional<int> got = total.send(number);
        if (!got) {
            std::printf("  sent %d, and it ended\n", number);
            break;
        }
        std::printf("  sent %d, got %d\n", number, *got);
    }

    std::printf("\nA countdown from 3 that is sent 5 when it says 2\n ");
    auto numbers = countdown(3);
    bool sent = false;
    for (auto number = numbers.next(); number;) {
        std::printf(" %d", *number);
        number = *number == 2 && !std::exchange(sent, true) ? numbers.send(5) : numbers.next();
    }

    std::printf("\n\nA footrace that is sent a fault after \"Set.\"\n");
    auto race = footrace();
    std::printf("  %s\n", race.next()->c_str());
    std::printf("  %s\n", race.next()->c_str());
    std::printf("  (fault)\n  %s\n", race.send("fault")->c_str());
    while (auto said = race.next()) std::printf("  %s\n", said->c_str());

    std::printf("\nA footrace into which a fault is thrown\n");
    auto strict = strict_footrace();
    std::printf("  %s\n", strict.next()->c_str());
    std::printf("  (fault)\n  %s\n", strict.throw_(false_start())->c_str());
    while (auto said = strict.next()) std::printf("  %s\n", said->c_str());
}
