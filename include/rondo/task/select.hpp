// select(): whoever is first.
#pragma once

#include <rondo/coro/result.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/contest.hpp>
#include <rondo/task/task_group.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

namespace rondo {

namespace detail {

template <class... A> using select_variant_t = std::variant<non_void_t<await_result_t<A>>...>;

template <std::size_t I, class A, class V>
coro<> compete(task_group& group, A& aw, result<V>& first, bool& decided) {
    auto mine = co_await as_result(static_cast<A&&>(aw));
    rethrow_request_to_end(mine.error());
    if (std::exchange(decided, true)) {
        report_loser(mine.error());
        co_return;
    }
    if (!mine) first.set_error(mine.error());
    else if constexpr (std::is_void_v<await_result_t<A>>) first.emplace(std::in_place_index<I>);
    else first.emplace(std::in_place_index<I>, *std::move(mine));
    group.cancel("another one was first");
}

template <std::size_t... I, class... A> coro<select_variant_t<A...>> select(std::index_sequence<I...>, A... aws) {
    result<select_variant_t<A...>> first{no_outcome()};
    bool decided = false;
    co_await task_group::run([&](task_group& group) -> coro<> {
        const auto enter = [&]<std::size_t At>(std::integral_constant<std::size_t, At>, auto& aw) {
            if (!decided)
                group.create_task(compete<At>(group, aw, first, decided)); // an eager one may have won already
        };
        (enter(std::integral_constant<std::size_t, I>(), aws), ...);
        co_return;
    });
    if (!decided) throw cancelled_error("everything that was selected from was cancelled");
    co_return std::move(first).value();
}

} // namespace detail

/// Runs all of them beside each other, each in a task of its own, until the first has finished: its value is given, its error
/// thrown. The others are cancelled at that moment and awaited before this returns, so nothing of them goes on. index() of the
/// variant says who it was; void gives std::monostate.
///
/// Handles are competitors like the rest: those that lose are cancelled. shield() is for the ones that must go on. A loser that
/// fails while it ends is reported to the exception handler. Cancelled, it cancels all and waits for them. The tasks are children
/// in the sense of task_group: scopes around this reach them.
///
///     auto first = co_await rondo::select(queue.get(), rondo::sleep(1s));
///     if (first.index() == 0) use(std::get<0>(first));
template <class... A>
    requires(sizeof...(A) > 0 && (awaitable<A> && ...))
RONDO_CORO_WRAPPER coro<detail::select_variant_t<std::remove_cvref_t<A>...>> select(A&&... aws) {
    return detail::select(std::index_sequence_for<A...>(), std::remove_cvref_t<A>(std::forward<A>(aws))...);
}

} // namespace rondo
