// async_generator<Y, S>: a coroutine that awaits and yields (PEP 525).
#pragma once

#include <rondo/coro/detail/or_end.hpp>
#include <rondo/coro/generator.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/async_generator_frame.hpp>
#include <rondo/task/detail/replaced_by.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/detail/uninterrupted.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace rondo {

template <class Y, class S = void> class async_generator;

namespace detail {

template <class Y, class S> class async_generator_promise final : public async_generator_frame {
public:
    async_generator<Y, S> get_return_object(std::source_location where = std::source_location::current()) noexcept;
    yield_awaiter_of<Y, S, async_generator_promise>
    yield_value(Y value, std::source_location where = std::source_location::current()) {
        await_at = where;
        return {*this, std::forward<Y>(value)};
    }

private:
    template <class, class, class> friend class yield_awaiter_of;
};

/// next, asend, athrow: gives the next item, or nullopt at the end.
template <class Y, class S> class [[nodiscard]] async_generator_item final : public async_generator_step {
public:
    explicit async_generator_item(async_generator_owner& of) noexcept : async_generator_step(of, kind::next) {}
    template <class U>
    async_generator_item(async_generator_owner& of, std::in_place_t, U&& value)
        : async_generator_step(of, kind::send), value_(std::forward<U>(value)) {}
    async_generator_item(async_generator_owner& of, std::exception_ptr error) noexcept
        : async_generator_step(of, kind::throw_in) {
        set_thrown(std::move(error));
    }
    async_generator_item(async_generator_item&& other) noexcept = default;
    ~async_generator_item() = default;

    std::optional<Y> await_resume() {
        void* yielded = this->finish();
        if (!yielded) return std::nullopt;
        return std::move(*static_cast<Y*>(yielded));
    }

private:
    void* sent() noexcept override { return value_ ? std::addressof(*value_) : nullptr; }
    std::optional<non_void_t<S>> value_;
};

class [[nodiscard]] async_generator_closing final : public async_generator_step {
public:
    explicit async_generator_closing(async_generator_owner& of) noexcept : async_generator_step(of, kind::close) {}
    async_generator_closing(async_generator_closing&& other) noexcept = default;
    ~async_generator_closing() = default;
    void await_resume() { static_cast<void>(this->finish()); }
};

} // namespace detail

/// Lazy: nothing runs until the first item is asked for. Its body runs in the task that asks, without a pass of the loop of its
/// own; a cancellation of that task is thrown where the body waits. The awaitables of next(), asend(), athrow() and aclose() are
/// used once (runtime_error), and only one goes on at a time (runtime_error). What is exhausted gives nullopt for ever. What the
/// body throws comes out of the await, and ends the generator.
///
/// Destroying a suspended one destroys its frame at once: destructors run, but cleanup that awaits cannot. aclosing() runs it on
/// every path. Those that were started and are left when the loop closes are closed by it.
///
///     rondo::async_generator<int> ticks(int n) { for (int i = 0; i < n; ++i) { co_await rondo::sleep(1s); co_yield i; } }
///     RONDO_FOR_AWAIT(i, ticks(3)) { std::printf("%d\n", i); }
template <class Y, class S> class [[nodiscard]] async_generator : private detail::async_generator_owner {
public:
    using promise_type = detail::async_generator_promise<Y, S>;
    using value_type = Y;

    async_generator(async_generator&& other) noexcept = default;
    async_generator& operator=(async_generator&& other) noexcept {
        this->swap(other);
        return *this;
    }
    ~async_generator() = default;

    /// Runs to the next yield.
    detail::async_generator_item<Y, S> next() noexcept { return detail::async_generator_item<Y, S>(*this); }
    /// The yield it waits at gives `value`. Not started: type_error.
    template <class U = S>
        requires(!std::is_void_v<S> && std::convertible_to<U, S>)
    detail::async_generator_item<Y, S> asend(U value) {
        return detail::async_generator_item<Y, S>(*this, std::in_place, std::move(value));
    }
    /// Throws `error` at the yield it waits at, and runs to the next one. Not started or exhausted: throws it in the await.
    detail::async_generator_item<Y, S> athrow(std::exception_ptr error) {
        return detail::async_generator_item<Y, S>(*this, std::move(error));
    }
    template <class E>
        requires(!std::same_as<E, std::exception_ptr>)
    detail::async_generator_item<Y, S> athrow(E error) {
        return athrow(std::make_exception_ptr(std::move(error)));
    }
    /// Throws generator_exit at the yield it waits at; runtime_error when it yields again. Not started, exhausted or closed:
    /// nothing happens, and it will not run any more.
    detail::async_generator_closing aclose() noexcept { return detail::async_generator_closing(*this); }

private:
    friend promise_type;
    explicit async_generator(promise_type& frame) noexcept : async_generator_owner(frame) {}
};

namespace detail {
template <class Y, class S>
async_generator<Y, S> async_generator_promise<Y, S>::get_return_object(std::source_location where) noexcept {
    this->start_header(std::coroutine_handle<async_generator_promise>::from_promise(*this), where);
    return async_generator<Y, S>(*this);
}
} // namespace detail

/// body(generator&) -> awaitable. The generator is closed on every path, and its cleanup is not interrupted, as that of
/// finally(); what closing throws replaces what the body threw, and
/// cause_of() it is that.
template <class Y, class S, class F>
coro<body_t<F, async_generator<Y, S>>> aclosing(async_generator<Y, S> generator, F body) {
    auto outcome = co_await as_result(detail::start_body(body, generator));
    result<void> closed;
    {
        detail::uninterrupted stretch;
        closed = co_await as_result(generator.aclose());
    }
    if (!closed) outcome.set_error(detail::replaced_by(closed.error(), outcome.error()));
    co_await detail::or_end(outcome);
    co_return std::move(outcome).value();
}

} // namespace rondo

// RONDO_FOR_AWAIT(v, gen) { use(v); }   v is a name, bound as auto& to each item; break and continue work.
#define RONDO_CAT_(a, b) a##b
#define RONDO_CAT(a, b) RONDO_CAT_(a, b)
#define RONDO_FOR_AWAIT(v, ...)                                                                                        \
    RONDO_FOR_AWAIT_(v, RONDO_CAT(rondo_range_, __LINE__), RONDO_CAT(rondo_item_, __LINE__), __VA_ARGS__)
#define RONDO_FOR_AWAIT_(v, range, item, ...)                                                                          \
    if (auto&& range = __VA_ARGS__; false) {                                                                           \
    } else                                                                                                             \
        for (auto item = co_await range.next(); item; item = co_await range.next())                                    \
            if (auto& v = *item; false) {                                                                              \
            } else
