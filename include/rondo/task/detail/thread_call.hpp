// A call in a thread of an executor, and the way of its outcome back into the loop.
#pragma once

#include <rondo/coro/result.hpp>
#include <rondo/loop/context.hpp>
#include <rondo/loop/detail/message.hpp>
#include <rondo/loop/executor.hpp>
#include <rondo/task/detail/future_state.hpp>
#include <rondo/task/detail/loop_guest.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rondo::detail {

class loop_door;

/// Who wants the outcome of a call. Belongs to the loop's thread.
class outcome_owner {
public:
    /// The outcome is there.
    virtual void call_ended() noexcept = 0;
    /// The loop is closing: it will not come.
    virtual void call_abandoned() noexcept = 0;

protected:
    ~outcome_owner() = default;
};

/// Made and started in the loop's thread, runs in another one, ends in the loop's thread again: or, when the loop is closed
/// by then, where it ran. Shared by the one who waits, the executor, the loop's list and the message that it has ended.
class thread_call : public loop_guest {
public:
    /// How the one who asked for it is named.
    struct origin {
        const char* function;
        std::source_location where{};
    };

    /// Hands it to the executor; null: the default one. Throws what that throws, and is as if it had not been called then.
    /// `context`: what it runs in; not set: the thread's own.
    void start(event_loop& loop, executor* where, outcome_owner& owner, origin from,
               std::optional<context_ref> context);
    /// Nobody wants the outcome any more. Runs on when it has begun, never runs when it has not.
    void cancel() noexcept;
    /// As cancel(), when it has not begun. False: it has, and its owner will be told of its end.
    bool skip() noexcept;
    bool is_queued() const noexcept { return step_.load(std::memory_order_relaxed) == step::queued; }
    bool has_begun() const noexcept { return step_.load(std::memory_order_relaxed) == step::begun; }
    bool uses_default_executor() const noexcept { return in_default_executor_; }
    /// Nobody waits any more until it has ended. One that has not begun never will.
    void give_up() noexcept;
    /// "to_thread() at file:line by task 'x'"
    std::string description() const;

    // In the thread that it runs in.
    static thread_call* current() noexcept;
    bool cancel_requested() const noexcept { return cancel_requested_.load(std::memory_order_acquire); }
    const std::shared_ptr<loop_door>& door() const noexcept { return door_; }

protected:
    thread_call() = default;
    ~thread_call() override = default;

private:
    enum class step : std::uint8_t { queued, begun, skipped };

    /// Calls, keeps the outcome, destroys the callable and its arguments.
    virtual void invoke() noexcept = 0;
    virtual void drop_outcome() noexcept = 0;
    /// In the loop's thread, once or more: it has ended, or will never run, whoever waits for it.
    virtual void over() noexcept {}

    static void run(std::shared_ptr<thread_call> self) noexcept;
    void returned() noexcept;
    void abandon() noexcept override;

    std::atomic<step> step_{step::queued};
    std::atomic<bool> cancel_requested_{false};
    bool in_default_executor_ = false;
    std::shared_ptr<loop_door> door_;
    message_of<thread_call> end_{&thread_call::returned};
    std::optional<context_ref> context_;
    outcome_owner* owner_ = nullptr; // from here on for the loop's thread alone
    counted_ptr<future_state> started_by_;
    origin from_{};
};

/// With room for the outcome.
template <class R> class thread_call_for : public thread_call {
    static_assert(!std::is_reference_v<R>,
                  "what runs in a thread returns a value: use a pointer or std::reference_wrapper");

public:
    result<R> outcome{no_outcome{}};

private:
    void drop_outcome() noexcept override { outcome = result<R>(no_outcome{}); }
};

template <class R, class F, class... A> class thread_call_of : public thread_call_for<R> {
public:
    template <class G, class... B>
    explicit thread_call_of(G&& fn, B&&... args)
        : call_(std::in_place, std::forward<G>(fn), std::tuple<A...>(std::forward<B>(args)...)) {}

private:
    struct stored {
        template <class G> stored(G&& f, std::tuple<A...>&& a) : fn(std::forward<G>(f)), args(std::move(a)) {}
        F fn;
        std::tuple<A...> args;
    };
    void invoke() noexcept override {
        const auto call = [this](A&... args) -> R { return std::invoke(std::move(call_->fn), std::move(args)...); };
        try {
            if constexpr (std::is_void_v<R>) {
                std::apply(call, call_->args);
                this->outcome.emplace();
            } else {
                this->outcome = result<R>(std::apply(call, call_->args));
            }
        } catch (...) {
            this->outcome.set_error(std::current_exception());
        }
        call_.reset();
    }
    std::optional<stored> call_;
};

/// Decays its arguments as std::thread does.
template <class F, class... A> auto make_thread_call(F&& fn, A&&... args) {
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
    return std::make_shared<thread_call_of<R, std::decay_t<F>, std::decay_t<A>...>>(std::forward<F>(fn),
                                                                                    std::forward<A>(args)...);
}

} // namespace rondo::detail
