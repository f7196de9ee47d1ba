// generator<Y, S, R>: a synchronous coroutine that yields Ys, may be sent Ss, and returns an R (PEP 255, 342, 380).
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/coro/detail/generator_frame.hpp>
#include <rondo/coro/exceptions.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

namespace rondo {

template <class Y, class S = void, class R = void> class generator;

/// What a generator delegates to: see elements_of().
template <class G> struct elements_of_t {
    G source; // a reference for an lvalue
};
/// `co_yield elements_of(inner)`: everything that inner yields, as if it stood here; what is sent or thrown in goes to inner;
/// gives what inner returns. inner is a generator with the same Y and S (or no S), or a range. An rvalue is kept as long as
/// it is delegated to; an lvalue can be used afterwards.
template <class G> elements_of_t<G> elements_of(G&& source) { return {std::forward<G>(source)}; }

namespace detail {

template <class S> using sent_t = std::conditional_t<std::is_void_v<S>, void, std::optional<non_void_t<S>>>;

/// Waits at a co_yield, keeping the value.
template <class Y, class S, class Promise> class yield_awaiter_of {
public:
    yield_awaiter_of(Promise& frame, Y&& value) : frame_(frame), value_(std::forward<Y>(value)) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept {
        return frame_.yield(std::addressof(value_));
    }
    sent_t<S> await_resume() {
        void* sent = frame_.take_sent();
        if constexpr (!std::is_void_v<S>) {
            auto* value = static_cast<non_void_t<S>*>(sent);
            return value ? sent_t<S>(std::move(*value)) : std::nullopt;
        }
    }

private:
    Promise& frame_;
    Y value_;
};

template <class Outer, class Inner> class delegation_awaiter;

template <class Y, class S> class generator_promise_base : public generator_frame {
public:
    yield_awaiter_of<Y, S, generator_promise_base>
    yield_value(Y value, std::source_location where = std::source_location::current()) {
        await_at = where;
        return {*this, std::forward<Y>(value)};
    }
    template <class Y2, class S2, class R2>
        requires std::same_as<Y2, Y> && (std::is_void_v<S2> || std::same_as<S2, S>)
    auto yield_value(elements_of_t<generator<Y2, S2, R2>> inner,
                     std::source_location where = std::source_location::current()) {
        await_at = where;
        return delegation_awaiter<generator_promise_base, generator<Y2, S2, R2>>(*this, std::move(inner.source));
    }
    template <class Y2, class S2, class R2>
        requires std::same_as<Y2, Y> && (std::is_void_v<S2> || std::same_as<S2, S>)
    auto yield_value(elements_of_t<generator<Y2, S2, R2>&> inner,
                     std::source_location where = std::source_location::current()) {
        await_at = where;
        return delegation_awaiter<generator_promise_base, generator<Y2, S2, R2>&>(*this, inner.source);
    }
    template <std::ranges::input_range G>
        requires std::convertible_to<std::ranges::range_reference_t<G>, Y>
    auto yield_value(elements_of_t<G> range, std::source_location where = std::source_location::current()) {
        await_at = where;
        return delegation_awaiter<generator_promise_base, generator<Y, void, void>>(
            *this, each_of<G>(std::forward<G>(range.source)));
    }
    void await_transform() = delete; // a synchronous generator does not await

private:
    template <class, class, class> friend class yield_awaiter_of;
    template <class G> static generator<Y, void, void> each_of(G range);
};

template <class Y, class S, class R> class generator_promise final : public generator_promise_base<Y, S> {
public:
    generator<Y, S, R> get_return_object(std::source_location where = std::source_location::current()) noexcept;
    template <class U = R>
        requires std::convertible_to<U, R>
    void return_value(U&& value) {
        returned.emplace(std::forward<U>(value));
    }
    std::optional<R> returned;
};
template <class Y, class S> class generator_promise<Y, S, void> final : public generator_promise_base<Y, S> {
public:
    generator<Y, S, void> get_return_object(std::source_location where = std::source_location::current()) noexcept;
    void return_void() const noexcept {}
};

/// Waits at a delegation. Inner: a generator that is kept here, or a reference to one.
template <class Outer, class Inner> class delegation_awaiter final : private delegation {
    using inner_type = std::remove_reference_t<Inner>;
    using value_type = typename inner_type::return_type;

public:
    delegation_awaiter(Outer& outer, Inner&& inner) : outer_(outer), inner_(static_cast<Inner&&>(inner)) {}
    bool await_ready() const { return already_ended(inner_.frame()); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept {
        waited_ = true;
        return this->begin(outer_, inner_.frame());
    }
    value_type await_resume() {
        if (waited_) this->end();
        if constexpr (!std::is_void_v<value_type>) return inner_.take_result();
    }

private:
    void forget_inner() noexcept override {
        if constexpr (!std::is_reference_v<Inner>) inner_.forget_frame();
    }
    bool owns_inner() const noexcept override { return !std::is_reference_v<Inner>; }
    Outer& outer_;
    Inner inner_;
    bool waited_ = false;
};

[[noreturn]] void throw_not_started();
[[noreturn]] void throw_no_result();

} // namespace detail

/// Lazy: nothing runs until the first next(). Move-only. Each step resumes the innermost generator that is delegated to, so it
/// costs the same at any depth of recursion; chains of any depth are destroyed without recursion. What is exhausted gives
/// nullopt for ever. What the body throws comes out of the call that resumed it, and ends the generator. Driving a generator
/// from inside itself, or one that another delegates to, throws value_error.
///
/// In the body `co_yield v` gives an optional<S>: nullopt when the generator was resumed by next() (a bare `yield` gives None in
/// Python). Nothing is awaited in a generator; see async_generator.
///
///     rondo::generator<int> countdown(int n) { for (; n > 0; --n) co_yield n; }
///     for (int i : countdown(3)) ...
template <class Y, class S, class R> class [[nodiscard]] generator {
public:
    using promise_type = detail::generator_promise<Y, S, R>;
    using value_type = Y;
    using return_type = R;

    generator(generator&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
    generator& operator=(generator&& other) noexcept {
        std::swap(promise_, other.promise_);
        return *this;
    }
    /// A suspended frame is destroyed: destructors run, generator_exit is not thrown.
    ~generator() {
        if (promise_) promise_->destroy();
    }

    /// Runs to the next yield.
    std::optional<Y> next() { return item(promise_->resume(nullptr)); }
    /// Runs to the next yield, the one it waits at giving `value`. Not started: type_error, say next() first.
    template <class U = S>
        requires(!std::is_void_v<S> && std::convertible_to<U, S>)
    std::optional<Y> send(U&& value) {
        if (!promise_->started() && !promise_->finished()) detail::throw_not_started();
        non_void_t<S> sent(std::forward<U>(value));
        return item(promise_->resume(&sent));
    }
    /// Throws `error` at the yield it waits at, and runs to the next one. Not started or exhausted: throws it here.
    std::optional<Y> throw_(std::exception_ptr error) { return item(promise_->throw_in(std::move(error))); }
    template <class E>
        requires(!std::same_as<std::remove_cvref_t<E>, std::exception_ptr>)
    std::optional<Y> throw_(E&& error) {
        return throw_(std::make_exception_ptr(std::forward<E>(error)));
    }
    /// Throws generator_exit at the yield it waits at. What it returned then, if it did; runtime_error when it yields again.
    /// Nothing happens to one that has not started (its body will not run) or is exhausted.
    std::conditional_t<std::is_void_v<R>, void, std::optional<non_void_t<R>>> close() {
        const bool ended_before = promise_->finished();
        promise_->close();
        if constexpr (!std::is_void_v<R>) return ended_before ? std::nullopt : promise_->returned;
    }

    bool done() const noexcept { return !promise_ || promise_->finished(); }
    /// What it returned; invalid_state_error when it has not, or when a delegation took it.
    std::add_lvalue_reference_t<const R> result() const {
        if constexpr (std::is_void_v<R>) {
            if (!done()) detail::throw_no_result();
        } else {
            if (!promise_ || !promise_->returned) detail::throw_no_result();
            return *promise_->returned;
        }
    }

    class iterator {
    public:
        using value_type = Y;
        using difference_type = std::ptrdiff_t;
        explicit iterator(generator& g) noexcept : generator_(&g) {}
        std::remove_reference_t<Y>& operator*() const noexcept {
            return *static_cast<std::remove_reference_t<Y>*>(generator_->promise_->yielded());
        }
        iterator& operator++() {
            generator_->promise_->resume(nullptr);
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return i.generator_->done(); }

    private:
        generator* generator_;
    };
    /// Runs to the first yield.
    iterator begin() {
        promise_->resume(nullptr);
        return iterator(*this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend promise_type;
    template <class, class> friend class detail::delegation_awaiter;
    explicit generator(promise_type& promise) noexcept : promise_(&promise) {}
    std::optional<Y> item(bool yielded) const {
        if (!yielded) return std::nullopt;
        return std::move(*static_cast<Y*>(promise_->yielded()));
    }
    detail::generator_frame& frame() const noexcept { return *promise_; }
    void forget_frame() noexcept { promise_ = nullptr; }
    R take_result() {
        if (!promise_->returned) detail::throw_no_result();
        R value = *std::move(promise_->returned);
        promise_->returned.reset();
        return value;
    }

    promise_type* promise_;
};

namespace detail {

template <class Y, class S, class R>
generator<Y, S, R> generator_promise<Y, S, R>::get_return_object(std::source_location where) noexcept {
    this->start_header(std::coroutine_handle<generator_promise>::from_promise(*this), where);
    return generator<Y, S, R>(*this);
}
template <class Y, class S>
generator<Y, S, void> generator_promise<Y, S, void>::get_return_object(std::source_location where) noexcept {
    this->start_header(std::coroutine_handle<generator_promise>::from_promise(*this), where);
    return generator<Y, S, void>(*this);
}
template <class Y, class S>
template <class G>
generator<Y, void, void> generator_promise_base<Y, S>::each_of(G range) {
    for (auto&& element : range) co_yield static_cast<Y>(std::forward<decltype(element)>(element));
}

} // namespace detail
} // namespace rondo
