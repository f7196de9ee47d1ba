// as_result(aw): awaits without throwing.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/result.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

/// Wraps the awaiter of an A, which it makes in place. What making it throws is an outcome too.
template <class A> class as_result_awaiter {
    using value_type = std::decay_t<await_result_t<A>>;

public:
    explicit as_result_awaiter(A&& aw) noexcept {
        try {
            made_.emplace(static_cast<A&&>(aw));
        } catch (...) {
            refused_ = std::current_exception();
        }
    }

    void attach(frame_header& frame) noexcept {
        if constexpr (attachable<std::remove_reference_t<made_awaiter_t<A>>>) {
            if (made_) made_->inner.attach(frame);
        }
    }
    bool await_ready() noexcept {
        if (!made_) [[unlikely]]
            return true;
        try {
            return made_->inner.await_ready();
        } catch (...) {
            refused_ = std::current_exception();
            return true;
        }
    }
    template <class P> decltype(auto) await_suspend(std::coroutine_handle<P> frame) {
        return made_->inner.await_suspend(frame);
    }
    result<value_type> await_resume() {
        if (refused_) [[unlikely]]
            return result<value_type>(std::move(refused_));
        auto& inner = made_->inner;
        if constexpr (requires { inner.await_result(); }) {
            return inner.await_result();
        } else {
            try {
                if constexpr (std::is_void_v<value_type>) {
                    inner.await_resume();
                    return result<void>();
                } else {
                    return result<value_type>(inner.await_resume());
                }
            } catch (...) {
                return result<value_type>(std::current_exception());
            }
        }
    }

private:
    struct made {
        explicit made(A&& aw) : inner(make_awaiter(static_cast<A&&>(aw))) {}
        made_awaiter_t<A> inner;
    };
    std::optional<made> made_;
    std::exception_ptr refused_; // what making the awaiter, or asking it whether it is ready, threw
};

template <class A> class [[nodiscard]] as_result_awaitable {
public:
    explicit as_result_awaitable(A&& aw) : aw_(static_cast<A&&>(aw)) {}
    as_result_awaiter<A> operator co_await() && { return as_result_awaiter<A>(static_cast<A&&>(aw_)); }

private:
    A aw_;
};

} // namespace detail

/// Awaits `aw` and gives what came of it as a result<T>: the value, the error, or the cancellation, without a throw.
///
/// It also holds the cancellation of the awaiting task itself: whoever asks in this way has to pass it on, with value(), or
/// the cancellation is lost. Suspends, and is cancelled, as `aw` is. An lvalue handle is awaited where it is.
///
///     auto r = co_await rondo::as_result(fetch(url));
///     if (!r && !r.cancelled()) { log(r.error()); co_return; }
///     use(r.value());
template <class A>
    requires awaitable<A>
detail::as_result_awaitable<A> as_result(A&& aw) {
    return detail::as_result_awaitable<A>(std::forward<A>(aw));
}

} // namespace rondo
