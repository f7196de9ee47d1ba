// The promise of coro<T>, and the awaiter that runs a child in its parent's task.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/coro/config.hpp>
#include <rondo/coro/detail/foreign_wait.hpp>
#include <rondo/coro/frame.hpp>
#include <rondo/coro/invariant.hpp>
#include <rondo/coro/result.hpp>

#include <coroutine>
#include <source_location>
#include <type_traits>
#include <utility>

namespace rondo::detail {

template <class P> concept rondo_promise = std::derived_from<P, frame_header>;

/// An awaiter that wants to know the frame it is awaited in before await_ready() is asked.
template <class W> concept attachable = requires(W& w, frame_header& frame) { w.attach(frame); };

template <member_await A> decltype(auto) get_awaiter(A&& a) { return static_cast<A&&>(a).operator co_await(); }
template <class A>
    requires(!member_await<A> && free_await<A>)
decltype(auto) get_awaiter(A&& a) {
    return operator co_await(static_cast<A&&>(a));
}
template <class A> concept has_co_await = member_await<A> || free_await<A>;

/// An awaiter that makes its task ready when the wait is over: all those of the library.
template <class W> concept own_awaiter = attachable<W> || requires { typename W::is_own_awaiter; };

/// What co_await on an A waits with, attached to nothing yet: the A itself, the awaiter that it makes, or, when that knows
/// nothing of tasks, one around it.
template <class A> decltype(auto) make_awaiter(A&& aw) {
    if constexpr (has_co_await<A>) {
        using W = decltype(get_awaiter(static_cast<A&&>(aw)));
        if constexpr (own_awaiter<std::remove_reference_t<W>>) {
            return get_awaiter(static_cast<A&&>(aw));
        } else {
            return foreign_awaiter<W>([&]() -> W { return get_awaiter(static_cast<A&&>(aw)); });
        }
    } else if constexpr (own_awaiter<std::remove_reference_t<A>>) {
        return static_cast<A&&>(aw);
    } else {
        return foreign_awaiter<A&&>([&]() -> A&& { return static_cast<A&&>(aw); });
    }
}
template <class A> using made_awaiter_t = decltype(make_awaiter(std::declval<A>()));

/// An awaiter that was made for a frame. In place: W need not be movable.
template <class W> struct attached_awaiter {
    W inner;
    template <class A>
    attached_awaiter(A&& aw, frame_header& frame) : inner(make_awaiter(static_cast<A&&>(aw))) {
        inner.attach(frame);
    }
    bool await_ready() noexcept(noexcept(inner.await_ready())) { return inner.await_ready(); }
    template <class P> decltype(auto) await_suspend(std::coroutine_handle<P> frame) {
        return inner.await_suspend(frame);
    }
    decltype(auto) await_resume() { return inner.await_resume(); }
};

/// What co_await on an A really waits with, inside the frame.
template <class A> decltype(auto) transform_await(A&& aw, frame_header& frame) {
    using W = made_awaiter_t<A>;
    if constexpr (!attachable<std::remove_reference_t<W>>) {
        return make_awaiter(static_cast<A&&>(aw));
    } else if constexpr (has_co_await<A>) {
        return attached_awaiter<W>(static_cast<A&&>(aw), frame);
    } else {
        aw.attach(frame);
        return static_cast<A&&>(aw);
    }
}

/// Every switch from one frame of a task to another goes through here. On clang it is a tail call in every mode. Null: frames
/// that are run by hand have no task.
inline std::coroutine_handle<> transfer_to(std::coroutine_handle<> frame, task_head* of) noexcept {
    __atomic_signal_fence(__ATOMIC_RELEASE); // who looks from a signal handler finds a whole chain
    if (of) of->innermost = frame;
    return frame;
}

struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <rondo_promise P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) const noexcept {
        return transfer_to(frame.promise().continuation, frame.promise().task);
    }
    void await_resume() const noexcept {}
};

/// The frame of a coroutine that awaits, and does not begin by itself.
class awaiting_frame : public frame_header, public pooled_frame {
public:
    std::suspend_always initial_suspend() const noexcept { return {}; }
    template <class A>
        requires awaitable<A>
    decltype(auto) await_transform(A&& aw, std::source_location where = std::source_location::current()) {
        await_at = where;
        return transform_await(static_cast<A&&>(aw), *this);
    }
};

class coro_promise_base : public awaiting_frame {
public:
    final_awaiter final_suspend() const noexcept { return {}; }

protected:
    void start_header(std::coroutine_handle<> frame, std::source_location where) noexcept {
        require_invariant(&header_of(frame) == static_cast<frame_header*>(this), "a frame's header lies at frame + 16");
        await_at = where;
        function = where;
    }
};

template <class T> class coro_promise : public coro_promise_base {
public:
    RONDO_CORO_OWNER coro<T> get_return_object(std::source_location where = std::source_location::current()) noexcept;
    void unhandled_exception() noexcept { outcome_.set_error(std::current_exception()); }
    template <class U = T>
        requires std::convertible_to<U, T>
    void return_value(U&& value) {
        outcome_.emplace_first(std::forward<U>(value));
    }
    result<T>& outcome() noexcept { return outcome_; }

private:
    result<T> outcome_{no_outcome{}};
};

template <> class coro_promise<void> : public coro_promise_base {
public:
    RONDO_CORO_OWNER coro<void>
    get_return_object(std::source_location where = std::source_location::current()) noexcept;
    void unhandled_exception() noexcept { outcome_.set_error(std::current_exception()); }
    void return_void() const noexcept {}
    result<void>& outcome() noexcept { return outcome_; }

private:
    result<void> outcome_;
};

/// Runs a child coroutine as part of the awaiting one.
///
/// From the start of the child until its end the chain of frames owns it, not this object: an awaiter that is destroyed in
/// between belongs to a task that is being torn down, innermost frame first, so its child is gone already.
template <class T> class coro_awaiter {
public:
    using is_own_awaiter = void;

    explicit coro_awaiter(std::coroutine_handle<coro_promise<T>> child) noexcept : child_(child) {}

    bool await_ready() const noexcept { return false; }
    template <class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
        static_assert(rondo_promise<P>,
                      "a rondo coroutine can only be awaited inside a rondo coroutine: use create_task()");
        auto& header = child_.promise();
        header.continuation = parent;
        header.task = parent.promise().task;
        return transfer_to(child_, header.task);
    }
    T await_resume() {
        destroy_guard end{child_};
        return static_cast<T>(std::move(child_.promise().outcome()).value());
    }
    /// The outcome without throwing.
    result<T> await_result() noexcept(std::is_void_v<T> || std::is_nothrow_move_constructible_v<non_void_t<T>>) {
        destroy_guard end{child_};
        return std::move(child_.promise().outcome());
    }

private:
    struct destroy_guard {
        std::coroutine_handle<> frame;
        ~destroy_guard() { frame.destroy(); }
    };
    std::coroutine_handle<coro_promise<T>> child_;
};

/// Frees a frame that never ran; debug mode says where it was made.
void destroy_unstarted(std::coroutine_handle<> frame) noexcept;
[[noreturn]] void throw_empty_coro();

} // namespace rondo::detail
