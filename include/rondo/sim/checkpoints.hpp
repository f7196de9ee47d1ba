// assert_checkpoints(): an await that must let others run.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/coro/coro.hpp>

#include <cstdint>
#include <source_location>
#include <type_traits>

namespace rondo::sim {

namespace detail {
/// Of the running loop.
std::uint64_t passes_now();
/// std::logic_error when there were passes and should have been none, or the other way round.
void require_passes(std::uint64_t before, bool some, const std::source_location& where);
} // namespace detail

/// Awaits `aw`, and throws std::logic_error when that let nobody else run: a loop around it would starve its event loop. What
/// `aw` throws goes on. In any loop. (trio.testing.assert_checkpoints)
///
///     co_await rondo::sim::assert_checkpoints(cache.get("key"));
template <awaitable A>
coro<await_result_t<A>> assert_checkpoints(A aw, std::source_location where = std::source_location::current()) {
    const std::uint64_t before = detail::passes_now();
    if constexpr (std::is_void_v<await_result_t<A>>) {
        co_await static_cast<A&&>(aw);
        detail::require_passes(before, true, where);
    } else {
        auto value = co_await static_cast<A&&>(aw);
        detail::require_passes(before, true, where);
        co_return value;
    }
}

/// The other way round: it must not suspend.
///
///     co_await rondo::sim::assert_no_checkpoints(lock.acquire());   // nobody holds it
template <awaitable A>
coro<await_result_t<A>> assert_no_checkpoints(A aw, std::source_location where = std::source_location::current()) {
    const std::uint64_t before = detail::passes_now();
    if constexpr (std::is_void_v<await_result_t<A>>) {
        co_await static_cast<A&&>(aw);
        detail::require_passes(before, false, where);
    } else {
        auto value = co_await static_cast<A&&>(aw);
        detail::require_passes(before, false, where);
        co_return value;
    }
}

} // namespace rondo::sim
