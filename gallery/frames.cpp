// A function's frame is on the stack, a coroutine's is on the heap.
//
// From scratch: nothing here but the language.

#include "support/options.hpp"

#include <coroutine>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <utility>

// A call needs a place for its arguments, its local variables and the address to return to: its frame. A function's frame
// is the next free piece of the stack. It is given back on return, and the next call writes over it. So whatever a
// function calls must end before it can go on, and once it has returned nobody can go back into it.
// ("noinline", here and below, because the optimiser would do without a call, and so without a frame.)

// region function
[[gnu::noinline]] int square(int x) {
    std::printf("  square(%d) runs in its frame at %p\n", x, __builtin_frame_address(0));
    return x * x;
}
// endregion

// A coroutine is a function that can stop half-way and be resumed. Others run while it is stopped, and they use the stack:
// so its frame must be somewhere else. The compiler asks `operator new` for it.
//
// Here it is told to ask us, so that we see how much it wants. (Some compilers ask for aligned memory, some do not.)

struct frame_on_the_heap {
    static inline std::size_t bytes_of_last = 0;

    static void* operator new(std::size_t size) { return ::operator new(bytes_of_last = size); }
    static void* operator new(std::size_t size, std::align_val_t alignment) {
        return ::operator new(bytes_of_last = size, alignment);
    }
    static void operator delete(void* frame) { ::operator delete(frame); }
    static void operator delete(void* frame, std::align_val_t alignment) { ::operator delete(frame, alignment); }
};

// What else it asks is in the promise_type of the coroutine's return type: what to give the caller, whether to stop before
// the first statement and after the last, what to do with the result. The handle, one pointer to the frame, can resume and
// destroy.

// region paused
class paused {
public:
    struct promise_type : frame_on_the_heap {
        paused get_return_object() { return paused(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; } // stop before the first statement: nothing runs
        std::suspend_always final_suspend() noexcept { return {}; }   // stop after the last: the result can be read
        void return_value(int value) noexcept { result = value; }
        void unhandled_exception() { throw; }

        int result = 0;
    };

    paused(paused&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)), bytes_(other.bytes_) {}
    paused& operator=(paused&&) = delete;
    ~paused() {
        if (frame_) frame_.destroy(); // with all that is alive in it
    }

    void resume() { frame_.resume(); }
    bool done() const { return frame_.done(); }
    int result() const { return frame_.promise().result; }
    const std::byte* frame() const { return static_cast<const std::byte*>(frame_.address()); }
    std::size_t bytes() const { return bytes_; }

private:
    explicit paused(std::coroutine_handle<promise_type> frame)
        : frame_(frame), bytes_(frame_on_the_heap::bytes_of_last) {}
    std::coroutine_handle<promise_type> frame_;
    std::size_t bytes_;
};
// endregion

// region coroutine
[[gnu::noinline]] paused square_in_two_steps(int x) {
    int result = x * x;
    std::printf("  the body runs on the stack at %p, with x at %p and result at %p\n", __builtin_frame_address(0),
                static_cast<void*>(&x), static_cast<void*>(&result));
    co_await std::suspend_always(); // here it stops: resume() returns to whoever called it ...
    co_await std::suspend_always(); // ... and here again, with nothing done in between
    std::printf("  the body goes on: result is still %d\n", result);
    co_return result;
}
// endregion

// Only what is needed after a suspension has to be kept. A buffer that is used before it and never again stays on the stack
// (with optimisation), one that is used on both sides is in the frame, all of it.

// region kept
[[gnu::noinline]] int fill(char* buffer, std::size_t size) {
    std::memset(buffer, 1, size);
    return buffer[0];
}
[[gnu::noinline]] paused uses_a_buffer_before(int x) {
    {
        char buffer[1000];
        x += fill(buffer, sizeof buffer);
    }
    co_await std::suspend_always();
    co_return x;
}
[[gnu::noinline]] paused keeps_a_buffer(int x) {
    char buffer[1000];
    x += fill(buffer, sizeof buffer);
    co_await std::suspend_always();
    co_return x + buffer[999];
}
// endregion

namespace {

// Where in the program it stopped is kept in the frame, too. Nothing else changes between two suspensions that have nothing
// between them: so the bytes that differ are the resume point.
void show_resume_point(const paused& coroutine, const std::string& before) {
    for (std::size_t at = 0; at < coroutine.bytes(); ++at) {
        const int was = before[at], is = std::to_integer<char>(coroutine.frame()[at]);
        if (was != is) std::printf("  byte %zu of the frame: %d became %d: the resume point\n", at, was, is);
    }
}

std::string copy_of(const paused& coroutine) {
    return std::string(reinterpret_cast<const char*>(coroutine.frame()), coroutine.bytes());
}

const void* resume_function(const paused& coroutine) {
    const void* first_word;
    std::memcpy(&first_word, coroutine.frame(), sizeof first_word);
    return first_word;
}

} // namespace

// region main
int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A function's frame is on the stack, a coroutine's is on the heap.");
    options.done();

    std::printf("A function\n  main runs in its frame at %p\n", __builtin_frame_address(0));
    std::printf("  square(4) = %d\n", square(4));
    std::printf("  square(5) = %d: in the same place, for the first frame was given back\n", square(5));

    std::printf("\nA coroutine\n  it is called ...\n");
    paused coroutine = square_in_two_steps(4);
    std::printf("  ... and nothing of its body ran. There is a frame of %zu bytes at %p\n", coroutine.bytes(),
                static_cast<const void*>(coroutine.frame()));
    std::printf("  its first word is the function that resumes it: %p\n", resume_function(coroutine));
    coroutine.resume();
    const std::string before = copy_of(coroutine);
    coroutine.resume();
    show_resume_point(coroutine, before);
    coroutine.resume();
    std::printf("  square(4) = %d, and it is %s: its first word is %p\n", coroutine.result(),
                coroutine.done() ? "done" : "not done", resume_function(coroutine));

    std::printf("\nWhat is kept across a suspension\n");
    std::printf("  a buffer of 1000 bytes that is used before it:     a frame of %zu bytes\n",
                uses_a_buffer_before(1).bytes());
    std::printf("  a buffer of 1000 bytes that is used on both sides: a frame of %zu bytes\n",
                keeps_a_buffer(1).bytes());
}
// endregion
