// A generator that hands over to another one.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <coroutine>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>

// A long function is cut into several by calls. A long generator should be, too. But what an inner generator yields must come out
// of the outer one, what is sent to the outer one must reach the inner one, and what the inner one returns must come back, as
// from a call. So whoever drives has to reach the innermost generator, whatever the depth:
//
//     next(), send()  --->  outermost          knows which one is innermost, and resumes that one
//                             | co_yield elements_of(...)
//                           innermost          yields into the outermost's hands; at its end, the one that called it goes on

// region generator
template <class G> struct elements_of {
    G inner;
};
template <class G> elements_of(G) -> elements_of<G>;

template <class Y, class S, class R> class generator {
public:
    struct promise_type {
        struct received : std::suspend_always { // what a co_yield is worth: what was sent, if anything
            explicit received(promise_type& p) noexcept : outermost(p) {}
            std::optional<S> await_resume() noexcept { return std::exchange(outermost.sent, std::nullopt); }
            promise_type& outermost;
        };
        struct delegation { // what a co_yield elements_of(...) does, and is worth
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> outer) noexcept {
                promise_type& inner_promise = inner.frame_.promise();
                inner_promise.caller = outer;
                inner_promise.outermost = outer.promise().outermost;
                inner_promise.outermost->innermost = inner.frame_;
                return inner.frame_; // it runs now
            }
            R await_resume() { return inner.result(); }
            generator inner;
        };
        struct end : std::suspend_always {
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                promise_type& promise = ended.promise();
                if (!promise.caller) return std::noop_coroutine(); // back to next() or send()
                promise.outermost->innermost = promise.caller;
                return promise.caller; // goes on, as after a call
            }
        };

        generator get_return_object() { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        end final_suspend() noexcept { return {}; }
        received yield_value(Y value) {
            outermost->yielded = std::move(value);
            return received(*outermost);
        }
        delegation yield_value(elements_of<generator> elements) { return {std::move(elements.inner)}; }
        void return_value(R value) { returned = std::move(value); }
        void unhandled_exception() { error = std::current_exception(); }

        promise_type* outermost = this;
        std::coroutine_handle<> caller;    // that delegates to this one
        std::coroutine_handle<> innermost; // this and what follows: of the outermost one only
        std::optional<Y> yielded;
        std::optional<S> sent;
        std::optional<R> returned;
        std::exception_ptr error;
    };

    generator(generator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    generator& operator=(generator&&) = delete;
    ~generator() {
        if (frame_) frame_.destroy();
    }

    std::optional<Y> next() {
        if (frame_.done()) return std::nullopt;
        frame_.promise().yielded.reset();
        frame_.promise().innermost.resume();
        if (frame_.done()) result(); // throws what the body did not catch
        return std::move(frame_.promise().yielded);
    }
    std::optional<Y> send(S value) {
        frame_.promise().sent = std::move(value);
        return next();
    }
    R result() const {
        if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
        return *frame_.promise().returned;
    }

private:
    explicit generator(std::coroutine_handle<promise_type> frame) : frame_(frame) { frame.promise().innermost = frame; }
    std::coroutine_handle<promise_type> frame_;
};
// endregion

// Starts a race, as often as there are faults, and returns how many there were.

// region footrace
using words = std::string;
using race = generator<words, words, int>;

race footrace() {
    for (int faults = 0;; ++faults) {
        if ((co_yield "On your marks.") == "fault") continue;
        if ((co_yield "Set.") == "fault") continue;
        co_yield "Go!";
        co_return faults;
    }
}
// endregion

// The wrong way. Every word comes out. But what is sent is what *this* co_yield is worth, and the loop drops it: the footrace
// never hears of the fault, and starts.

// region wrong
race day_at_the_races_wrong() {
    co_yield "Welcome!";
    race inner = footrace();
    while (auto said = inner.next()) co_yield *said;
    co_return 0;
}
// endregion

// The right way, with what the footrace returns.

// region right
race day_at_the_races() {
    co_yield "Welcome!";
    const int faults = co_yield elements_of(footrace());
    co_yield "Race started after " + std::to_string(faults) + " faults.";
    co_return faults;
}
// endregion

// And it may go deeper: this one delegates to one that delegates.

// region deeper
race weekend() {
    const int saturday = co_yield elements_of(day_at_the_races());
    const int sunday = co_yield elements_of(day_at_the_races());
    co_return saturday + sunday;
}
// endregion

namespace {

// Runs it to its end, and sends a fault after each "Set." as long as there are faults left.
int drive(const char* title, race program, int faults) {
    std::printf("%s\n", title);
    for (auto said = program.next(); said;) {
        std::printf("  %s\n", said->c_str());
        const bool fault = *said == "Set." && faults-- > 0;
        if (fault) std::printf("  (fault)\n");
        said = fault ? program.send("fault") : program.next();
    }
    return program.result();
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A generator that hands over to another one.");
    const int faults = static_cast<int>(options.number("--faults", 2, 0, 1000, "how often somebody starts too early"));
    options.done();

    drive("Yielding again: the faults are lost", day_at_the_races_wrong(), faults);
    drive("\nDelegating: they arrive", day_at_the_races(), faults);
    const int all = drive("\nDelegating to who delegates", weekend(), faults);
    std::printf("%d faults in all\n", all);
}
