// Futures: a value that will be there, and handles to it.
#pragma once

#include <rondo/task/detail/done_callback.hpp>
#include <rondo/task/detail/future_awaiter.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <compare>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <source_location>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace rondo {

using callback_id = std::uint64_t;

/// A handle to a future or a task of any type: shared, counted (not atomically), null when default-constructed, compared by
/// identity. Belongs to its loop's thread; debug mode throws runtime_error on a violation. When the last handle of a failed one
/// that nobody looked at dies, its exception goes to the loop's exception handler.
class future_base {
public:
    future_base() noexcept = default;
    explicit future_base(detail::counted_ptr<detail::future_state> state) noexcept : state_(std::move(state)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }
    bool done() const noexcept { return state_->done(); }
    bool cancelled() const noexcept { return state_->state() == detail::future_state::status::cancelled; }
    /// A future is cancelled at once, a task is asked to. False: it is done already; a failure is still to be looked at.
    bool cancel(const std::string& message = {}) {
        state_->check_thread();
        return state_->cancel(message);
    }
    /// Null: no error. Cancelled: throws cancelled_error. Pending: invalid_state_error. Looking counts as observing.
    std::exception_ptr exception() const;
    event_loop& loop() const noexcept { return state_->loop(); }
    std::uint64_t id() const noexcept { return state_->id(); }

    /// Calls fn(handle) or fn() in the pass after the one in which this is done, in the order of the calls.
    template <std::invocable F> callback_id add_done_callback(F&& fn, call_options options = {}) const {
        return detail::add_done_callback<future_base>(
            *state_, [f = std::forward<F>(fn)](const future_base&) mutable { f(); }, std::move(options));
    }
    template <std::invocable<const future_base&> F>
    callback_id add_done_callback(F&& fn, call_options options = {}) const {
        return detail::add_done_callback<future_base>(*state_, std::forward<F>(fn), std::move(options));
    }
    /// False: no such callback, or it is scheduled already.
    bool remove_done_callback(callback_id id) const {
        state_->check_thread();
        return detail::remove_done_callback(*state_, id);
    }

    /// std::bad_cast when it is something else.
    template <class T> future<T> as_future() const;
    template <class T> task<T> as_task() const;

    /// Waits, throws the error, drops the value.
    detail::future_awaiter<void> operator co_await() const { return detail::future_awaiter<void>(state_); }

    friend bool operator==(const future_base& a, const future_base& b) noexcept {
        return a.state_.get() == b.state_.get();
    }
    friend std::strong_ordering operator<=>(const future_base& a, const future_base& b) noexcept {
        return std::compare_three_way()(a.state_.get(), b.state_.get());
    }

    detail::future_state* state() const noexcept { return state_.get(); }

protected:
    detail::counted_ptr<detail::future_state> state_;
};

using any_future = future_base;

/// One line for people, as Python's repr(): "<Task pending name='writer' coro=<store() at store.cpp:31> wait_for=<lock 'db'>
/// created at main.cpp:12>", "<Future finished error=<...> id=17 created at main.cpp:12>". A task is pending, cancelling (asked
/// to, and not done), cancelled or finished. Null: "<Future null>". Belongs to the loop's thread. O(length).
std::string to_string(const future_base& f);
std::ostream& operator<<(std::ostream& to, const future_base& f);

/// A value that somebody will set, once. Awaiting it when it is done costs no pass; otherwise the awaiting task resumes in
/// the pass after the one that set it. Many tasks may await; a task::cancel() of a waiting task cancels the future too, as
/// in asyncio: await shield(f) where that is not meant. Awaiting gives a copy of the value, or moves it out of the last
/// rvalue handle or of a type that cannot be copied.
///
///     auto f = rondo::create_future<int>();
///     loop.call_later(1s, [f]() mutable { f.set_result(42); });
///     int x = co_await f;
template <class T> class future : public future_base {
    static constexpr bool is_void = std::is_void_v<T>;

public:
    using value_type = T;

    /// Null: make one with create_future<T>().
    future() noexcept = default;
    explicit future(detail::counted_ptr<detail::future_state> state) noexcept : future_base(std::move(state)) {}

    /// The value stays in the future. Throws the error; invalid_state_error when pending or taken.
    std::add_lvalue_reference_t<const T> result() const {
        state_->require_value();
        if constexpr (!is_void) return of().value();
    }
    /// Moves the value out; later reads throw invalid_state_error.
    T take() {
        state_->require_value();
        state_->value_taken = true;
        if constexpr (!is_void) return std::move(of().value());
    }
    /// invalid_state_error when it is done.
    template <class U = T>
        requires(!is_void && std::convertible_to<U, T>)
    void set_result(U&& value) {
        require_pending();
        of().set_value(std::forward<U>(value));
    }
    void set_result()
        requires is_void
    {
        require_pending();
        of().set_value();
    }
    void set_exception(std::exception_ptr error) {
        require_pending();
        state_->settle_error(std::move(error));
    }
    template <class E>
        requires(!std::same_as<std::remove_cvref_t<E>, std::exception_ptr>)
    void set_exception(E&& error) {
        set_exception(std::make_exception_ptr(std::forward<E>(error)));
    }
    /// False when it is done.
    template <class U = T>
        requires(!is_void && std::convertible_to<U, T>)
    bool try_set_result(U&& value) {
        if (!may_be_set()) return false;
        of().set_value(std::forward<U>(value));
        return true;
    }
    bool try_set_result()
        requires is_void
    {
        if (!may_be_set()) return false;
        of().set_value();
        return true;
    }
    bool try_set_exception(std::exception_ptr error) {
        if (!may_be_set()) return false;
        state_->settle_error(std::move(error));
        return true;
    }

    using future_base::add_done_callback;
    template <class F>
        requires(std::invocable<F, const future&> && !std::invocable<F, const future_base&>)
    callback_id add_done_callback(F&& fn, call_options options = {}) const {
        return detail::add_done_callback<future>(*state_, std::forward<F>(fn), std::move(options));
    }

    detail::future_awaiter<T> operator co_await() const& { return detail::future_awaiter<T>(state_); }
    detail::future_awaiter<T> operator co_await() && { return detail::future_awaiter<T>(std::move(state_), true); }

private:
    detail::future_of<T>& of() const noexcept { return static_cast<detail::future_of<T>&>(*state_); }
    void require_pending() const {
        if (!may_be_set()) throw invalid_state_error(state_->label() + " is done already");
    }
    bool may_be_set() const {
        state_->check_thread();
        return !done();
    }
};

template <class T> future<T> event_loop::create_future(std::source_location where) {
    check_usable();
    return future<T>(detail::counted_ptr<detail::future_state>::adopt(new detail::plain_future<T>(*this, where)));
}

/// A pending future of the running loop.
template <class T = void>
[[nodiscard]] future<T> create_future(std::source_location where = std::source_location::current()) {
    return running_loop().create_future<T>(where);
}

template <class T> future<T> future_base::as_future() const {
    if (!state_ || state_->is_task() || state_->value_type() != typeid(T)) throw std::bad_cast();
    return future<T>(state_);
}

} // namespace rondo

template <> struct std::hash<rondo::future_base> {
    std::size_t operator()(const rondo::future_base& f) const noexcept { return std::hash<const void*>()(f.state()); }
};
template <class T> struct std::hash<rondo::future<T>> : std::hash<rondo::future_base> {};
