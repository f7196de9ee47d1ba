// Concepts for what can stand behind co_await, and what comes out of it.
#pragma once

#include <concepts>
#include <coroutine>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

namespace rondo {

template <class T> class coro;

namespace detail {

template <class W>
concept awaiter_shape = requires(W& w) {
    { w.await_ready() } -> std::convertible_to<bool>;
    w.await_resume();
};
template <class A> concept member_await = requires(A&& a) { static_cast<A&&>(a).operator co_await(); };
template <class A> concept free_await = requires(A&& a) { operator co_await(static_cast<A&&>(a)); };

template <class A> struct await_result {};
template <class A>
    requires member_await<A>
struct await_result<A> {
    using type = decltype(std::declval<A>().operator co_await().await_resume());
};
template <class A>
    requires(!member_await<A> && free_await<A>)
struct await_result<A> {
    using type = decltype(operator co_await(std::declval<A>()).await_resume());
};
template <class A>
    requires(!member_await<A> && !free_await<A> && awaiter_shape<std::remove_reference_t<A>>)
struct await_result<A> {
    using type = decltype(std::declval<std::remove_reference_t<A>&>().await_resume());
};

template <class T> struct is_coro : std::false_type {};
template <class T> struct is_coro<coro<T>> : std::true_type {};

} // namespace detail

/// co_await on an A is well formed. A says with which value category: coro<T> an rvalue, task<T>& an lvalue.
template <class A> concept awaitable = requires { typename detail::await_result<A>::type; };

/// The type of co_await on an A.
template <class A> using await_result_t = typename detail::await_result<A>::type;

template <class A, class T> concept awaitable_of = awaitable<A> && std::convertible_to<await_result_t<A>, T>;

template <class A> inline constexpr bool is_coro_v = detail::is_coro<std::remove_cvref_t<A>>::value;

/// void where a value must be stored.
template <class T> using non_void_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

} // namespace rondo
