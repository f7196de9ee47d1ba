// shard: one of the loops of run_sharded(), and the way to it from the others.
#pragma once

#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/shard_call.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {
class shard_group;
}

/// A loop and its thread. Shards share nothing: what belongs to one is used there, and the others ask for it with post() and
/// call(), which any thread may say at any time while run_sharded() has not returned. A shard ends with its main.
///
///     rondo::coro<int> total(rondo::shard& self) {
///         int sum = 0;
///         for (std::size_t i = 0; i < self.count(); ++i) sum += co_await self.peer(i).call([] { return hits; });
///         co_return sum;
///     }
class shard {
public:
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;

    /// 0 to count() - 1; shard 0 runs in the thread that called run_sharded().
    std::size_t index() const noexcept { return index_; }
    std::size_t count() const noexcept;
    /// lookup_error when there is none.
    shard& peer(std::size_t index) const;
    /// For its own thread, as every loop.
    event_loop& loop() const noexcept { return loop_; }

    /// Calls fn() in this shard's thread, in a pass of its loop; a coroutine of it runs as a task there. Those of one thread
    /// begin in the order of the calls. What it throws goes to that loop's exception handler. False: the shard has ended, and
    /// fn is destroyed; so is one that it has not come to when it ends. One block.
    template <class F>
        requires std::invocable<std::decay_t<F>&>
    bool post(F&& fn) {
        using R = std::invoke_result_t<std::decay_t<F>&>;
        if constexpr (awaitable<R>) {
            return door_->post([fn = std::decay_t<F>(std::forward<F>(fn))]() mutable { spawn(std::move(fn)); });
        } else {
            return door_->post(std::forward<F>(fn));
        }
    }

    /// Awaited, it calls fn(args...) in this shard's thread, runs the coroutine that this may return as a task there, and gives the
    /// value, or throws the error, here. Callable and arguments are copied or moved, std::ref opts out; they and the value
    /// must mean something in both threads, which a handle of the library does not. Awaiting suspends, also when it
    /// is this shard that asks.
    ///
    /// Cancelled, the task over there is cancelled, and the await ends when that has ended: with its value where it swallowed the
    /// cancellation, and where it was too late with the value first and the cancellation at the next wait. A shard that ends
    /// ends its tasks: cancelled there without being asked from here, or not begun, it throws runtime_error.
    template <class F, class... Args>
        requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
    [[nodiscard("nothing is called before the await")]] auto call(F&& fn, Args&&... args) {
        using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
        if constexpr (awaitable<R>) {
            using call_type = detail::stored_call_for<F, Args...>;
            using T = await_result_t<R>;
            return detail::shard_call_awaiter<T>(std::make_shared<detail::shard_task_call<T, call_type>>(
                door_, index_, call_type(std::forward<F>(fn), std::forward<Args>(args)...)));
        } else {
            static_assert(!std::is_reference_v<R>,
                          "what crosses threads is a value: return a pointer or std::reference_wrapper");
            auto bound = [fn = std::decay_t<F>(std::forward<F>(fn)),
                          kept = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable -> R {
                return std::apply([&](auto&... a) -> R { return std::invoke(std::move(fn), std::move(a)...); }, kept);
            };
            return detail::shard_call_awaiter<R>(
                std::make_shared<detail::shard_plain_call<R, decltype(bound)>>(door_, index_, std::move(bound)));
        }
    }

private:
    friend class detail::shard_group;
    shard(detail::shard_group& group, std::size_t index, event_loop& loop)
        : group_(group), index_(index), loop_(loop), door_(detail::loop_access::door(loop)) {}

    detail::shard_group& group_;
    std::size_t index_;
    event_loop& loop_;
    std::shared_ptr<detail::loop_door> door_;
};

/// The shard whose loop runs in this thread; runtime_error when none does.
shard& this_shard();

} // namespace rondo
