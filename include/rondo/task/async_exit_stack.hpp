// async_exit_stack: cleanup that is found out step by step (contextlib.AsyncExitStack).
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/detail/or_end.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/finally.hpp>
#include <rondo/task/with.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

namespace detail {

/// One thing to do at the end.
class exit_step {
public:
    exit_step() = default;
    exit_step(const exit_step&) = delete;
    exit_step& operator=(const exit_step&) = delete;
    virtual ~exit_step() = default;
    /// True: the error is swallowed.
    virtual coro<bool> leave(std::exception_ptr error) = 0;
};

template <class R> class resource_step final : public exit_step {
public:
    explicit resource_step(R& resource) noexcept : resource_(resource) {}
    RONDO_CORO_WRAPPER coro<bool> leave(std::exception_ptr error) override {
        return leave_resource(resource_, std::move(error));
    }

private:
    R& resource_;
};

/// A function of the user's: plain or async, giving something that says whether to swallow, or nothing.
template <class F, class... A> coro<bool> call_exit(F& fn, A... args) {
    using given = std::invoke_result_t<F&, A...>;
    if constexpr (awaitable<given>) {
        if constexpr (std::is_void_v<await_result_t<given>>) co_await fn(std::move(args)...);
        else if constexpr (std::same_as<await_result_t<given>, bool>) co_return co_await fn(std::move(args)...);
        else static_cast<void>(co_await fn(std::move(args)...));
    } else if constexpr (std::same_as<given, bool>) {
        co_return fn(std::move(args)...);
    } else {
        static_cast<void>(fn(std::move(args)...));
    }
    co_return false;
}
template <class F> class function_step final : public exit_step {
public:
    explicit function_step(F&& fn) : fn_(std::move(fn)) {}
    RONDO_CORO_WRAPPER coro<bool> leave(std::exception_ptr error) override { return call_exit(fn_, std::move(error)); }

private:
    F fn_;
};
template <class F> class callback_step final : public exit_step {
public:
    explicit callback_step(F&& fn) : fn_(std::move(fn)) {}
    coro<bool> leave(std::exception_ptr) override {
        static_cast<void>(co_await call_exit(fn_));
        co_return false;
    }

private:
    F fn_;
};

} // namespace detail

/// What is entered or pushed is left in reverse order when the body of run() has ended, whatever came of it, or at aclose().
/// Leaving is not interrupted; `cleanup_timeout` bounds it as a whole: the exit that runs when time is up is cancelled and gives
/// timeout_error, those below it are still called, and cancelled where they first wait. Each exit is told the error that is on
/// its way, or null; one that gives true swallows it, for those below and for the caller; what one throws replaces it, with the
/// old one as its cause_of(). A callback is told nothing and swallows nothing.
///
/// Movable, but not while it is entering or closing. pop_all() hands the whole cleanup on, as a function does that has opened
/// everything without an error. Destroyed with steps left it runs none of them, and debug mode says so. Belongs to its loop's
/// thread. One allocation for each step.
///
///     co_await rondo::async_exit_stack::run([&](rondo::async_exit_stack& stack) -> rondo::coro<> {
///         for (auto& database : databases) co_await stack.enter(database);
///         stack.push_callback([&] { return log.flush(); });
///         co_await work();
///     });
class async_exit_stack {
public:
    /// The value of the body. An error that was swallowed leaves none: a void body returns, any other throws invalid_state_error.
    template <class F> static coro<body_t<F, async_exit_stack>> run(F body, finally_options options = {}) {
        using T = body_t<F, async_exit_stack>;
        async_exit_stack stack;
        auto outcome = co_await as_result(detail::start_body(body, stack));
        std::exception_ptr error = co_await stack.leave_all(outcome.error(), options);
        co_await detail::end_with(std::move(error));
        if constexpr (!std::is_void_v<T>) {
            if (!outcome) throw invalid_state_error("an exit swallowed the error of the body: there is no value");
            co_return *std::move(outcome);
        }
    }

    async_exit_stack();
    async_exit_stack(async_exit_stack&& other) noexcept;
    async_exit_stack& operator=(async_exit_stack&& other) noexcept;
    ~async_exit_stack();

    /// Enters the resource, which must outlive the stack's closing, and gives what entering gives.
    template <async_resource R> coro<await_result_t<decltype(std::declval<R&>().aenter())>> enter(R& resource) {
        auto step = std::make_unique<detail::resource_step<R>>(resource);
        steps_.reserve(steps_.size() + 1); // nothing must fail between entering and knowing how to leave
        if constexpr (std::is_void_v<await_result_t<decltype(resource.aenter())>>) {
            co_await resource.aenter();
            steps_.push_back(std::move(step));
        } else {
            auto entered = co_await resource.aenter();
            steps_.push_back(std::move(step));
            co_return entered;
        }
    }
    /// fn(exception_ptr), plain or async, giving bool or nothing; true swallows the error.
    template <class F>
        requires std::invocable<F&, std::exception_ptr>
    void push_exit(F fn) {
        steps_.push_back(std::make_unique<detail::function_step<F>>(std::move(fn)));
    }
    /// fn(), plain or async.
    template <class F>
        requires std::invocable<F&>
    void push_callback(F fn) {
        steps_.push_back(std::make_unique<detail::callback_step<F>>(std::move(fn)));
    }
    /// Everything, in a stack that somebody else closes; nothing is left here.
    async_exit_stack pop_all() noexcept;
    /// Leaves everything now. Throws what the exits throw.
    coro<void> aclose(finally_options options = {});

private:
    /// What is left of the error, or null.
    coro<std::exception_ptr> leave_all(std::exception_ptr error, finally_options options);
    std::vector<std::unique_ptr<detail::exit_step>> steps_;
};

} // namespace rondo
