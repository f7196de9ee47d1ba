// staggered_race(): attempts that start one after the other, until one succeeds (asyncio.staggered; RFC 8305's connection
// attempts).
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/contest.hpp>
#include <rondo/task/detail/start_body.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/task_group.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

template <class T> struct race_result {
    std::optional<non_void_t<T>> value = std::nullopt; // not set: nobody won
    std::optional<std::size_t> winner = std::nullopt;  // its place among the attempts
    std::vector<std::exception_ptr> errors = {};       // one for each attempt that was started; null for the winner
};

namespace detail {

template <class T> coro<> attempt(task_group& group, const std::function<coro<T>()>& fn, std::size_t place,
                                  race_result<T>& race, future<> over) {
    struct nothing {
    } no_scope;
    auto mine = co_await as_result(start_body(fn, no_scope));
    race.errors[place] = mine.error();
    if (!mine) over.try_set_result();
    rethrow_request_to_end(mine.error());
    if (!mine) co_return;
    if (race.winner) {
        race.errors[place] = std::make_exception_ptr(cancelled_error("another attempt was first"));
        co_return;
    }
    race.winner = place;
    if constexpr (std::is_void_v<T>) race.value.emplace();
    else race.value.emplace(*std::move(mine));
    group.cancel("another attempt was first");
}

} // namespace detail

/// Starts the next attempt when the last one started has failed, or when `stagger` has passed since its start (no_timeout: only
/// when it failed). The first success ends the race: the other attempts are cancelled and awaited before this returns. When all
/// fail, nobody wins, and the errors say why. Throws nothing of the attempts but an exit request. Cancelled, it cancels those that
/// run and waits for them.
///
///     auto race = co_await rondo::staggered_race<connection>({connect_to(a), connect_to(b)}, 250ms);
///     if (!race.value) std::rethrow_exception(race.errors.front());
template <class T> coro<race_result<T>> staggered_race(std::vector<std::function<coro<T>()>> attempts, delay stagger) {
    race_result<T> race;
    co_await task_group::run([&](task_group& group) -> coro<> {
        for (std::size_t place = 0; place < attempts.size() && !race.winner; ++place) {
            race.errors.emplace_back();
            auto over = create_future<>();
            group.create_task(detail::attempt<T>(group, attempts[place], place, race, over));
            if (place + 1 < attempts.size()) static_cast<void>(co_await move_on_after(stagger, over));
        }
    });
    co_return race;
}

} // namespace rondo
