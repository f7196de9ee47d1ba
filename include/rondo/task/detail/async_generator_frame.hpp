// The frame of an async generator, a coroutine that runs in the task of whoever asks it for the next item, and one step of it.
#pragma once

#include <rondo/coro/detail/promise.hpp>
#include <rondo/coro/frame.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <source_location>

namespace rondo::detail {

class async_generator_owner;
class async_generator_registry;
class async_generator_step;

class async_generator_frame : public awaiting_frame {
public:
    async_generator_frame(const async_generator_frame&) = delete;
    async_generator_frame& operator=(const async_generator_frame&) = delete;

    void destroy() noexcept { handle_.destroy(); }

    // For the coroutine.
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    void return_void() const noexcept {}
    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        template <class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) const noexcept {
            return frame.promise().ended();
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

protected:
    async_generator_frame() noexcept = default;
    ~async_generator_frame();
    void start_header(std::coroutine_handle<> frame, std::source_location where) noexcept;
    /// At a co_yield: back to whoever asked.
    std::coroutine_handle<> yield(void* value) noexcept;
    /// After it: throws what was thrown in. What was sent, or null.
    void* take_sent();

private:
    friend class async_generator_owner;
    friend class async_generator_registry;
    friend class async_generator_step;
    std::coroutine_handle<> ended() noexcept;
    void link(async_generator_registry& into) noexcept;
    void unlink() noexcept;

    std::coroutine_handle<> handle_;
    async_generator_owner* owner_ = nullptr;
    void* yielded_ = nullptr;
    void* sent_ = nullptr;
    std::exception_ptr thrown_;
    std::exception_ptr error_;
    bool started_ = false;
    bool finished_ = false;
    // A started one is known to its loop, which closes what is left at its end.
    async_generator_frame* next_ = nullptr;
    async_generator_frame** previous_ = nullptr;
};

/// The object that owns the frame: movable, also while a step goes on.
class async_generator_owner {
public:
    async_generator_owner(const async_generator_owner&) = delete;
    async_generator_owner& operator=(const async_generator_owner&) = delete;

protected:
    explicit async_generator_owner(async_generator_frame& frame) noexcept : frame_(&frame) { frame.owner_ = this; }
    async_generator_owner(async_generator_owner&& other) noexcept { swap(other); }
    ~async_generator_owner();
    void swap(async_generator_owner& other) noexcept;

private:
    friend class async_generator_registry;
    friend class async_generator_step;
    async_generator_frame* frame_ = nullptr;
    async_generator_step* step_ = nullptr; // that goes on
};

/// next, asend, athrow, aclose: awaited once.
class async_generator_step {
public:
    async_generator_step(const async_generator_step&) = delete;
    async_generator_step& operator=(const async_generator_step&) = delete;

    void attach(frame_header& frame) noexcept { task_ = frame.task; }
    /// runtime_error: used before, or another step goes on. True: nothing to run.
    bool await_ready();
    template <class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> asking) noexcept {
        static_assert(rondo_promise<P>, "an async generator can only be awaited inside a rondo coroutine");
        return enter(asking);
    }

protected:
    enum class kind : std::uint8_t { next, send, throw_in, close };
    async_generator_step(async_generator_owner& of, kind k) noexcept : owner_(&of), kind_(k) {}
    async_generator_step(async_generator_step&& other) noexcept; // not yet awaited
    /// Not resumed: the frame died with the task that is being torn down.
    ~async_generator_step();
    void set_thrown(std::exception_ptr error) noexcept { thrown_ = std::move(error); }

    /// What was yielded, or null at the end; throws what the body threw. For a close: throws runtime_error when it yielded.
    void* finish();
    virtual void* sent() noexcept { return nullptr; }

private:
    friend class async_generator_owner;
    std::coroutine_handle<> enter(std::coroutine_handle<> asking) noexcept;

    async_generator_owner* owner_;
    task_head* task_ = nullptr;
    std::exception_ptr thrown_;
    kind kind_;
    bool used_ = false;
    bool running_ = false;
};

} // namespace rondo::detail
