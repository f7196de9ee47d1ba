// Handles of scheduled callbacks, and the callback itself.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/coro/frame.hpp>
#include <rondo/loop/context.hpp>
#include <rondo/loop/detail/ready_queue.hpp>
#include <rondo/loop/detail/timer.hpp>

#include <atomic>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo {

class event_loop;
class handle;

namespace detail {

/// A callable with the context it will run in. Runs at most once; the callable is destroyed as soon as it has run or was
/// cancelled. Counted: by its handles, and by the loop while it is scheduled.
class callback : public ready_node {
public:
    callback(event_loop& loop, call_options&& options, bool threadsafe);
    callback(const callback&) = delete;
    callback& operator=(const callback&) = delete;

    void retain() noexcept {
        if (threadsafe_) references_.fetch_add(1, std::memory_order_relaxed);
        else references_.store(references_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void release() noexcept {
        std::uint32_t left = 0;
        if (threadsafe_) {
            left = references_.fetch_sub(1, std::memory_order_acq_rel) - 1;
        } else {
            left = references_.load(std::memory_order_relaxed) - 1;
            references_.store(left, std::memory_order_relaxed);
        }
        if (left == 0) destroy();
    }
    void cancel() noexcept;
    bool cancelled() const noexcept { return state_.load(std::memory_order_acquire) == state::cancelled; }
    const context_ref& context() const noexcept { return context_; }
    std::source_location where() const noexcept { return where_; }
    event_loop& loop() const noexcept { return loop_; }

    /// "<Handle scheduled created at main.cpp:12>", for people.
    std::string text() const;
    /// Null: something else that is ready.
    static callback* of_node(ready_node& node) noexcept {
        return node.run == &run_scheduled ? static_cast<callback*>(&node) : nullptr;
    }

    /// Runs it unless it was cancelled, gives its exception to the loop, and lets go of the loop's count.
    static void run_scheduled(ready_node& node, event_loop& loop);
    /// The end of the loop: lets go of a callback that will not run. Nodes of other kinds are left alone.
    static void discard(ready_node& node) noexcept;

protected:
    ~callback() = default;
    virtual void invoke() = 0;
    virtual void drop_callable() noexcept = 0;
    virtual void destroy() noexcept = 0;
    virtual void unschedule() noexcept {} // a timer that is armed
    virtual std::string kind() const { return "Handle"; }

private:
    enum class state : std::uint8_t { scheduled, running, ran, cancelled };

    /// False: it is not scheduled any more, but `was`.
    bool claim(state to, state& was) noexcept {
        was = state::scheduled;
        if (threadsafe_) return state_.compare_exchange_strong(was, to, std::memory_order_acq_rel);
        was = state_.load(std::memory_order_relaxed);
        if (was == state::scheduled) state_.store(to, std::memory_order_relaxed);
        return was == state::scheduled;
    }

    event_loop& loop_;
    std::atomic<std::uint32_t> references_{1}; // this and state_ are updated atomically only when threadsafe_
    std::atomic<state> state_{state::scheduled};
    const bool threadsafe_;
    context_ref context_;
    std::source_location where_;
};

class timer_callback : public callback {
public:
    timer_callback(event_loop& loop, call_options&& options, bool threadsafe);
    void arm(time_point when);
    time_point when() const noexcept { return timer_.due; }
    /// Null: another timer.
    static timer_callback* of_timer(timer_node& timer) noexcept {
        return timer.fire == &owned_timer::fire_owner ? &static_cast<owned_timer&>(timer).owner : nullptr;
    }

protected:
    ~timer_callback() = default;

private:
    void unschedule() noexcept override;
    std::string kind() const override;
    struct owned_timer : timer_node {
        explicit owned_timer(timer_callback& o) noexcept : timer_node(&fire_owner), owner(o) {}
        static void fire_owner(timer_node& node, event_loop& loop) noexcept;
        timer_callback& owner;
        time_point due{};
    } timer_{*this};
};

/// False for a coroutine function: as a callback it would make a coroutine that nobody runs.
template <class F> inline constexpr bool is_callback = !is_coro_v<std::invoke_result_t<std::decay_t<F>&>>;

template <class F, class Base> class callback_of final : public Base {
    static_assert(is_callback<F>, "a coroutine function is no callback, its coroutine would never run: say spawn(fn)");

public:
    template <class G>
    callback_of(event_loop& loop, G&& fn, call_options&& options, bool threadsafe)
        : Base(loop, std::move(options), threadsafe), fn_(std::forward<G>(fn)) {}
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

private:
    ~callback_of() {}
    void invoke() override { fn_(); }
    void drop_callable() noexcept override { std::destroy_at(std::addressof(fn_)); }
    void destroy() noexcept override { delete this; }
    union { // destroyed by drop_callable()
        F fn_;
    };
};

} // namespace detail

/// A scheduled callback: a shared handle. cancel() after it ran does nothing. Belongs to the loop's thread, but for one
/// from call_soon_threadsafe(): then cancel() and cancelled() may be called anywhere, and cancel() waits while the callback
/// is running in the loop's thread.
class handle {
public:
    handle() noexcept = default;
    /// Takes over a count.
    explicit handle(detail::callback* adopted) noexcept : callback_(adopted) {}
    handle(const handle& other) noexcept : callback_(other.callback_) {
        if (callback_) callback_->retain();
    }
    handle(handle&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}
    handle& operator=(handle other) noexcept {
        std::swap(callback_, other.callback_);
        return *this;
    }
    ~handle() {
        if (callback_) callback_->release();
    }

    void cancel() noexcept {
        if (callback_) callback_->cancel();
    }
    bool cancelled() const noexcept { return callback_ && callback_->cancelled(); }
    rondo::context context() const;
    explicit operator bool() const noexcept { return callback_ != nullptr; }
    friend bool operator==(const handle& a, const handle& b) noexcept { return a.callback_ == b.callback_; }
    friend std::string to_string(const handle& h);

protected:
    detail::callback* callback_ = nullptr;
};

/// One line for people, as Python's repr(): "<Handle scheduled created at main.cpp:12>"; of a timer "<TimerHandle when=1.500 ...>",
/// in seconds of the loop's clock; or cancelled, running, finished. Null: "<Handle null>".
std::string to_string(const handle& h);
std::ostream& operator<<(std::ostream& to, const handle& h);

/// A callback with a deadline.
class timer_handle : public handle {
public:
    timer_handle() noexcept = default;
    explicit timer_handle(detail::timer_callback* adopted) noexcept : handle(adopted) {}
    time_point when() const noexcept {
        return callback_ ? static_cast<detail::timer_callback*>(callback_)->when() : time_point::max();
    }
};

} // namespace rondo
