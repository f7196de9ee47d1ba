// A coroutine driven step by step, with you as its event loop.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <coroutine>
#include <cstdio>
#include <exception>
#include <optional>
#include <utility>

#include <unistd.h>

// A coroutine cannot wait by itself: to wait is to be left alone, and somebody else must resume it. So it says what it waits for,
// to whoever resumed it, and stops. Who resumes coroutines and does what they ask for is an event loop.
//
// Here it asks for one thing only, to be left alone for some seconds. The innermost coroutine stops, so that is the one to resume.

// region loop
struct {
    std::optional<int> asked_for;      // the seconds it wants to sleep
    std::coroutine_handle<> innermost; // the coroutine that wants it
} event_loop;

struct sleep_for {
    int seconds;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const noexcept {
        event_loop.asked_for = seconds;
        event_loop.innermost = caller;
    }
    void await_resume() const noexcept {}
};
// endregion

// A coroutine that awaits another one is suspended, too, until that has ended. So the end of a coroutine resumes the one that
// awaits it, its continuation; nobody else has to know how deep they are.

// region coro
class coro {
public:
    struct promise_type {
        struct end : std::suspend_always {
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                const std::coroutine_handle<> next = ended.promise().continuation;
                return next ? next : std::noop_coroutine(); // the outermost one: back to who resumed
            }
        };
        coro get_return_object() { return coro(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        end final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() { std::terminate(); } // there are none here; the next program has them

        std::coroutine_handle<> continuation;
    };

    coro(coro&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    coro& operator=(coro&&) = delete;
    ~coro() {
        if (frame_) frame_.destroy();
    }
    std::coroutine_handle<> handle() const { return frame_; }

    // co_await on a coro: remember who waits, and run it.
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        frame_.promise().continuation = caller;
        return frame_;
    }
    void await_resume() const noexcept {}

private:
    explicit coro(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};
// endregion

void say(const char* what) { std::printf("    the coroutine: %s\n", what); }

// region program
coro nap(int seconds) {
    co_await sleep_for(seconds);
    say("I have slept");
}

coro program() {
    say("I begin");
    co_await nap(0);
    co_await nap(5);
    say("I end");
}
// endregion

// What the compiler makes of them, without the compiler: an object with the frame's contents, the number of the place where it
// stopped first of all, and one function that jumps to that place. (nap() is written into it; by itself it would be a second one.)

// region machine
class machine {
public:
    /// The seconds it asks for; nothing when it has ended.
    std::optional<int> resume() {
        switch (resume_point_) {
        case 0:
            say("I begin");
            seconds_ = 0;
            resume_point_ = 1;
            return seconds_;
        case 1:
            say("I have slept");
            seconds_ = 5;
            resume_point_ = 2;
            return seconds_;
        case 2:
            say("I have slept");
            say("I end");
            resume_point_ = 3;
            [[fallthrough]];
        default: return std::nullopt;
        }
    }

private:
    int resume_point_ = 0;
    int seconds_ = 0;
};
// endregion

namespace {

// The loop's half of the bargain: to leave it alone for as long as it asked. A person may be slower, or impatient.
void leave_alone(int seconds, bool by_hand) {
    if (by_hand) {
        std::printf("You are its event loop: count to %d and press Enter.", seconds);
        std::fflush(stdout);
        for (int c = 0; c != '\n' && c != EOF;) c = std::getchar();
    } else {
        std::printf("(%d s pass)\n", seconds);
    }
}

// region drive
template <class Resume> void drive(const Resume& resume, bool by_hand) {
    for (int step = 1;; ++step) {
        std::printf("  step %d:\n", step);
        const std::optional<int> asked_for = resume();
        if (!asked_for) {
            std::printf("    it ended\n");
            return;
        }
        std::printf("    it yields %d: leave me alone for %d s\n  ", *asked_for, *asked_for);
        leave_alone(*asked_for, by_hand);
    }
}

std::optional<int> resume_innermost() {
    event_loop.asked_for.reset();
    event_loop.innermost.resume();
    return event_loop.asked_for;
}
// endregion

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A coroutine driven step by step, with you as its event loop.");
    const bool alone = options.flag("--alone", "ask nobody, as when this is not a terminal");
    options.done();
    const bool by_hand = !alone && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

    std::printf("The coroutine\n");
    const coro outermost = program();
    event_loop.innermost = outermost.handle();
    drive(resume_innermost, by_hand);

    std::printf("\nThe same, written by hand\n");
    machine written_by_hand;
    drive([&] { return written_by_hand.resume(); }, false);
}
