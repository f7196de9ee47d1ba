// Arguments of a callable that is started: create_task(fn, a, b).
//
// One signature with defaulted arguments instead of a pack, because only so can a defaulted source_location come last and
// name the caller's line. At most six; std::bind_front or a lambda beyond.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/coro/detail/call.hpp>

#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

struct unset {};
template <class... A> struct list {};
template <class L, class... A> struct strip;
template <class... K> struct strip<list<K...>> {
    using type = list<K...>;
};
template <class... K, class H, class... T>
struct strip<list<K...>, H, T...> : std::conditional_t<std::same_as<std::remove_cvref_t<H>, unset>,
                                                       std::type_identity<list<K...>>, strip<list<K..., H>, T...>> {};

template <class F, class L> struct started {};
template <class F, class... A>
    requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
struct started<F, list<A...>> : await_result<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>> {};

template <class F, class L> struct called {};
template <class F, class... A>
    requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
struct called<F, list<A...>> {
    using type = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
};

/// The arguments that were given, as a tuple of references, the unset ones cut off.
template <class... K> auto given(std::tuple<K...> kept) { return kept; }
template <class... K, class H, class... T> auto given(std::tuple<K...> kept, H&& head, T&&... tail) {
    if constexpr (std::same_as<std::remove_cvref_t<H>, unset>) return kept;
    else
        return given(std::tuple_cat(std::move(kept), std::forward_as_tuple(std::forward<H>(head))),
                     std::forward<T>(tail)...);
}

template <class F, class S> struct body {};
template <class F, class S>
    requires std::invocable<F&, S&>
struct body<F, S> : await_result<std::invoke_result_t<F&, S&>> {};
template <class F, class S>
    requires(!std::invocable<F&, S&> && std::invocable<F&>)
struct body<F, S> : await_result<std::invoke_result_t<F&>> {};

/// Calls a body with its scope, or without.
template <class F, class S> RONDO_CORO_WRAPPER decltype(auto) call_body(F& fn, S& scope) {
    if constexpr (std::invocable<F&, S&>) return call(fn, scope);
    else return call(fn);
}

} // namespace detail

/// What the awaitable that a callable returns yields: started_t<F, Args...> for create_task(fn, args...) and its kin.
template <class F, class... A>
using started_t = typename detail::started<F, typename detail::strip<detail::list<>, A...>::type>::type;
template <class F, class... A>
using called_t = typename detail::called<F, typename detail::strip<detail::list<>, A...>::type>::type;
/// A body of a body form: F(Scope&) or F(), returning an awaitable.
template <class F, class S> using body_t = typename detail::body<std::remove_reference_t<F>, S>::type;

} // namespace rondo

#define RONDO_SPAWN_TYPES                                                                                              \
    class A1 = ::rondo::detail::unset, class A2 = ::rondo::detail::unset, class A3 = ::rondo::detail::unset,           \
          class A4 = ::rondo::detail::unset, class A5 = ::rondo::detail::unset, class A6 = ::rondo::detail::unset
#define RONDO_SPAWN_ARGS                                                                                               \
    A1 &&a1 = {}, A2 &&a2 = {}, A3 &&a3 = {}, A4 &&a4 = {}, A5 &&a5 = {}, A6 &&a6 = {},                                \
       std::source_location where = std::source_location::current()
#define RONDO_SPAWNED A1, A2, A3, A4, A5, A6
// For the definition of a member that was declared with the two macros above: default arguments stand in one place only.
#define RONDO_SPAWN_TYPES_AGAIN class A1, class A2, class A3, class A4, class A5, class A6
#define RONDO_SPAWN_ARGS_AGAIN A1 &&a1, A2 &&a2, A3 &&a3, A4 &&a4, A5 &&a5, A6 &&a6, std::source_location where
#define RONDO_SPAWN_FORWARD                                                                                            \
    std::forward<A1>(a1), std::forward<A2>(a2), std::forward<A3>(a3), std::forward<A4>(a4), std::forward<A5>(a5),      \
        std::forward<A6>(a6)
