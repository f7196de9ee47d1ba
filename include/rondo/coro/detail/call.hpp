// Calls a callable that may return a coro.
#pragma once

#include <rondo/coro/config.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace rondo::detail {

template <class T> inline constexpr bool is_reference_wrapper = false;
template <class T> inline constexpr bool is_reference_wrapper<std::reference_wrapper<T>> = true;

/// A member function of an object, of what a std::reference_wrapper refers to, or of what a pointer points to.
template <class M, class C, class O, class... A>
RONDO_CORO_WRAPPER decltype(auto) call_member(M C::* member, O&& object, A&&... arguments) {
    if constexpr (std::is_base_of_v<C, std::remove_cvref_t<O>>)
        return (std::forward<O>(object).*member)(std::forward<A>(arguments)...);
    else if constexpr (is_reference_wrapper<std::remove_cvref_t<O>>)
        return (object.get().*member)(std::forward<A>(arguments)...);
    else return ((*std::forward<O>(object)).*member)(std::forward<A>(arguments)...);
}

/// std::invoke, which a lint build (RONDO_LINT_LIFETIMES) refuses to instantiate for what returns a coro.
template <class F, class... A>
    requires std::is_invocable_v<F, A...>
RONDO_CORO_WRAPPER decltype(auto) call(F&& fn, A&&... arguments) {
    if constexpr (std::is_member_function_pointer_v<std::remove_cvref_t<F>>)
        return call_member(fn, std::forward<A>(arguments)...);
    else if constexpr (std::is_member_object_pointer_v<std::remove_cvref_t<F>>)
        return std::invoke(fn, std::forward<A>(arguments)...);
    else if constexpr (is_reference_wrapper<std::remove_cvref_t<F>>)
        return call(fn.get(), std::forward<A>(arguments)...);
    else return std::forward<F>(fn)(std::forward<A>(arguments)...);
}

/// A callable that is called without arguments, whatever else it would accept.
template <class F> struct plain_body {
    F& fn;
    RONDO_CORO_WRAPPER decltype(auto) operator()() const { return call(fn); }
};

} // namespace rondo::detail
