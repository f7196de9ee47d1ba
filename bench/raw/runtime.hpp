// The least that runs coroutines: frames from free lists, a ring of ready handles, symmetric transfer. No tasks that can be
// cancelled, no handles, no names, no loop that waits for anything. It is the floor that the compiler and the memory set.
#pragma once

#include <bit>
#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <utility>
#include <vector>

namespace raw {

/// Size classes of 16 bytes up to 2 KiB, filled from slabs of 64 KiB that are never given back.
class frame_pool {
public:
    void* take(std::size_t size) {
        const std::size_t size_class = (size + 15) / 16;
        if (size_class >= classes) return std::malloc(size);
        if (free_block* block = lists_[size_class]) {
            lists_[size_class] = block->next;
            return block;
        }
        return refill(size_class * 16);
    }
    void give_back(void* memory, std::size_t size) {
        const std::size_t size_class = (size + 15) / 16;
        if (size_class >= classes) return std::free(memory);
        auto* block = static_cast<free_block*>(memory);
        block->next = lists_[size_class];
        lists_[size_class] = block;
    }

private:
    struct free_block {
        free_block* next;
    };
    static constexpr std::size_t classes = 129;
    static constexpr std::size_t slab = 65536;

    [[gnu::noinline]] void* refill(std::size_t size) {
        if (static_cast<std::size_t>(end_ - next_) < size) {
            next_ = static_cast<char*>(std::malloc(slab));
            end_ = next_ + slab;
        }
        return std::exchange(next_, next_ + size);
    }

    free_block* lists_[classes] = {};
    char* next_ = nullptr;
    char* end_ = nullptr;
};

inline frame_pool frames;

struct pooled {
    static void* operator new(std::size_t size) { return frames.take(size); }
    static void* operator new(std::size_t size, std::align_val_t) { return frames.take(size); }
    static void operator delete(void* frame, std::size_t size) { frames.give_back(frame, size); }
    static void operator delete(void* frame, std::size_t size, std::align_val_t) { frames.give_back(frame, size); }
};

/// A ring of handles, a power of two long.
class ready_queue {
public:
    void push(std::coroutine_handle<> frame) {
        if (tail_ - head_ == ring_.size()) grow();
        ring_[tail_++ & (ring_.size() - 1)] = frame;
    }
    void run() {
        while (head_ != tail_) ring_[head_++ & (ring_.size() - 1)].resume();
    }

private:
    [[gnu::noinline]] void grow() {
        std::vector<std::coroutine_handle<>> larger(ring_.size() * 2);
        for (std::size_t i = head_; i != tail_; ++i) larger[i - head_] = ring_[i & (ring_.size() - 1)];
        tail_ -= head_;
        head_ = 0;
        ring_.swap(larger);
    }
    std::vector<std::coroutine_handle<>> ring_{1 << 12};
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

inline ready_queue ready;

struct yield {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) const { ready.push(frame); }
    void await_resume() const noexcept {}
};

/// Lazy; runs in whoever awaits it.
class coro {
public:
    struct promise_type : pooled {
        std::coroutine_handle<> continuation = std::noop_coroutine();
        std::exception_ptr error;
        int value = 0;

        struct finish {
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> frame) const noexcept {
                return frame.promise().continuation;
            }
            void await_resume() const noexcept {}
        };
        coro get_return_object() { return coro(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        finish final_suspend() const noexcept { return {}; }
        void return_value(int v) { value = v; }
        void unhandled_exception() { error = std::current_exception(); }
    };

    explicit coro(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    coro(coro&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    ~coro() {
        if (frame_) frame_.destroy();
    }
    void start() { frame_.resume(); }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        frame_.promise().continuation = awaiting;
        return frame_;
    }
    int await_resume() const {
        if (frame_.promise().error) std::rethrow_exception(std::move(frame_.promise().error));
        return frame_.promise().value;
    }

private:
    std::coroutine_handle<promise_type> frame_;
};

/// A coroutine that nobody awaits; its frame ends with it.
struct detached {
    struct promise_type : pooled {
        detached get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    std::coroutine_handle<> frame;
};

inline void spawn(detached task) { ready.push(task.frame); }

/// One who waits, a ring of 1024 items, no bound.
class queue {
public:
    void put(int item) {
        items_[tail_++ % capacity] = item;
        if (waiter_) ready.push(std::exchange(waiter_, nullptr));
    }
    auto get() {
        struct getter {
            queue& q;
            bool await_ready() const noexcept { return q.head_ != q.tail_; }
            void await_suspend(std::coroutine_handle<> frame) const noexcept { q.waiter_ = frame; }
            int await_resume() const noexcept { return q.items_[q.head_++ % capacity]; }
        };
        return getter{*this};
    }

private:
    static constexpr std::size_t capacity = 1024;
    std::vector<int> items_ = std::vector<int>(capacity);
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
    std::coroutine_handle<> waiter_;
};

} // namespace raw
