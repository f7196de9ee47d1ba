// A countdown as a loop, as an iterator and as a generator.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

// A loop is the easiest way to say it, and of no use to anybody who wants the numbers one at a time: it runs to its end.

// region loop
void countdown_loop(int n) {
    for (; n > 0; --n) std::printf(" %d", n);
}
// endregion

// An iterator gives one number for each call. Between two calls the loop's variable is a member, and the loop is gone.
// After the last number it gives nothing, however often it is asked.

// region iterator
class countdown_iterator {
public:
    explicit countdown_iterator(int n) : n_(n) {}
    std::optional<int> next() {
        if (n_ == 0) return std::nullopt;
        return n_--;
    }

private:
    int n_;
};

class fib_iterator {
public:
    explicit fib_iterator(int count) : left_(count) {}
    std::optional<std::uint64_t> next() {
        if (left_ == 0) return std::nullopt;
        --left_;
        return std::exchange(a_, std::exchange(b_, a_ + b_));
    }

private:
    int left_;
    std::uint64_t a_ = 1, b_ = 1;
};
// endregion

// A generator is a coroutine: its variables are in a frame of its own, so they may stay variables, and the loop may stay a loop.
// At each co_yield the value is put where the caller finds it, and the coroutine is suspended. next() resumes it.

// region generator
template <class T> class generator {
public:
    struct promise_type {
        generator get_return_object() { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; } // nothing runs before the first next()
        std::suspend_always final_suspend() noexcept { return {}; }   // the frame stays: next() sees that it is done
        std::suspend_always yield_value(T v) {
            value = std::move(v);
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() { throw; } // out of next(), to whoever asked

        std::optional<T> value;
    };

    generator(generator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    generator& operator=(generator&&) = delete;
    ~generator() {
        if (frame_) frame_.destroy();
    }

    std::optional<T> next() {
        if (frame_.done()) return std::nullopt;
        frame_.promise().value.reset();
        frame_.resume();
        return std::move(frame_.promise().value);
    }

    // What a range-for wants: begin(), end(), and between them ++ and *.
    class iterator {
    public:
        explicit iterator(generator& g) : generator_(g), value_(g.next()) {}
        const T& operator*() const { return *value_; }
        iterator& operator++() {
            value_ = generator_.next();
            return *this;
        }
        bool operator==(std::default_sentinel_t) const { return !value_; }

    private:
        generator& generator_;
        std::optional<T> value_;
    };
    iterator begin() { return iterator(*this); }
    std::default_sentinel_t end() const { return {}; }

private:
    explicit generator(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};
// endregion

// region generators
generator<int> countdown(int n) {
    for (; n > 0; --n) co_yield n;
}

generator<std::uint64_t> fib(int count) {
    std::uint64_t a = 1, b = 1;
    for (; count > 0; --count) {
        co_yield a;
        a = std::exchange(b, a + b);
    }
}
// endregion

namespace {

template <class Iterator> void print_all(const char* what, Iterator numbers) {
    std::printf("%s", what);
    while (auto number = numbers.next()) std::printf(" %llu", static_cast<unsigned long long>(*number));
    std::printf("\n");
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A countdown as a loop, as an iterator and as a generator.");
    const int from = static_cast<int>(options.number("--from", 5, 0, 1000, "where the countdown begins"));
    const int count = static_cast<int>(options.number("--fib", 5, 0, 93, "how many Fibonacci numbers"));
    options.done();

    std::printf("countdown(%d)\n  a loop:     ", from);
    countdown_loop(from);
    print_all("\n  an iterator:", countdown_iterator(from));
    print_all("  a generator:", countdown(from));
    std::printf("  range-for:  ");
    for (const int number : countdown(from)) std::printf(" %d", number);

    std::printf("\n\nfib(%d)\n", count);
    print_all("  an iterator:", fib_iterator(count));
    print_all("  a generator:", fib(count));

    std::printf("\nThe end of a sequence\n  countdown(2), asked four times:");
    generator<int> two = countdown(2);
    for (int i = 0; i < 4; ++i) {
        const std::optional<int> number = two.next();
        std::printf(" %s%s", number ? std::to_string(*number).c_str() : "nothing", i < 3 ? "," : "\n");
    }
}
