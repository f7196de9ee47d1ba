// A callable with its arguments, kept until the coroutine that it gives has ended.
//
// std::thread keeps decayed copies, and what they are converted to for a parameter like `const std::string&` lives until the
// function returns. A coroutine function returns at its first suspension, and would be left with a dangling reference. So an
// argument that has to be converted for a reference parameter is converted at once, and what it was converted to is kept.
// Where the parameters cannot be seen, in templates and overloads, the call is made inside a coroutine of its own, whose
// frame keeps what the arguments are converted to.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/detail/call.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// The parameters of a callable: list<P...>, or unseen. A pointer to member has its object first.
struct unseen {};
template <class F> struct parameters {
    using type = unseen;
};
template <class R, class... P> struct parameters<R (*)(P...)> {
    using type = list<P...>;
};
template <class R, class... P> struct parameters<R (*)(P...) noexcept> {
    using type = list<P...>;
};
template <class M> struct member_parameters;
#define RONDO_MEMBER_PARAMETERS(qualifiers)                                                                            \
    template <class R, class C, class... P> struct member_parameters<R (C::*)(P...) qualifiers> {                      \
        using type = list<P...>;                                                                                       \
        using with_object = list<unset, P...>;                                                                         \
    };                                                                                                                 \
    template <class R, class C, class... P> struct member_parameters<R (C::*)(P...) qualifiers noexcept> {             \
        using type = list<P...>;                                                                                       \
        using with_object = list<unset, P...>;                                                                         \
    };
RONDO_MEMBER_PARAMETERS()
RONDO_MEMBER_PARAMETERS(const)
RONDO_MEMBER_PARAMETERS(&)
RONDO_MEMBER_PARAMETERS(const&)
RONDO_MEMBER_PARAMETERS(&&)
RONDO_MEMBER_PARAMETERS(const&&)
#undef RONDO_MEMBER_PARAMETERS
template <class F>
    requires std::is_member_function_pointer_v<F>
struct parameters<F> {
    using type = typename member_parameters<F>::with_object;
};
template <class F>
    requires std::is_member_object_pointer_v<F>
struct parameters<F> {
    using type = list<unset>;
};
template <class F>
    requires std::is_class_v<F> && requires { &F::operator(); }
struct parameters<F>
    : std::conditional_t<std::is_member_function_pointer_v<decltype(&F::operator())>,
                         member_parameters<decltype(&F::operator())>, parameters<decltype(&F::operator())>> {};

#if __has_builtin(__reference_constructs_from_temporary)
template <class P, class A> inline constexpr bool binds_temporary = __reference_constructs_from_temporary(P, A);
#else
template <class P, class A> inline constexpr bool binds_temporary = __reference_binds_to_temporary(P, A);
#endif

/// What is kept of an argument that decays to A, for a parameter P.
template <class P, class A>
using kept_t = typename std::conditional_t<binds_temporary<P, A&&>, std::remove_cvref<P>, std::type_identity<A>>::type;

/// F: the callable. Seen: its parameters could be seen. K: what is kept of the arguments.
template <bool Seen, class F, class... K> class stored_call {
public:
    template <class G, class... B>
    explicit stored_call(G&& fn, B&&... args) : fn_(std::forward<G>(fn)), args_(std::forward<B>(args)...) {}

    /// Once.
    RONDO_CORO_OWNER auto operator()() {
        if constexpr (Seen) {
            return call_with(std::index_sequence_for<K...>());
        } else {
            using T = await_result_t<std::invoke_result_t<F, K...>>;
            return call_in_frame<T>(fn_, args_, std::index_sequence_for<K...>());
        }
    }

private:
    template <std::size_t... I> RONDO_CORO_OWNER auto call_with(std::index_sequence<I...>) {
        return as_coro(call(std::move(fn_), std::get<I>(std::move(args_))...));
    }
    template <class T, std::size_t... I>
    static coro<T> call_in_frame(F& fn, std::tuple<K...>& args, std::index_sequence<I...>) {
        // One full expression: its temporaries live until the coroutine has ended.
        co_return co_await std::move(fn)(std::get<I>(std::move(args))...);
    }

    F fn_;
    std::tuple<K...> args_;
};

template <class F, class P, class... A> struct store_call {
    using type = stored_call<false, F, A...>;
};
template <class F> struct store_call<F, unseen> {
    using type = stored_call<true, F>; // nothing to convert
};
template <class F, class... P, class... A>
    requires(sizeof...(P) == sizeof...(A))
struct store_call<F, list<P...>, A...> {
    using type = stored_call<true, F, kept_t<P, A>...>;
};

/// For a callable and arguments as they were given.
template <class F, class... A> using stored_call_for =
    typename store_call<std::decay_t<F>, typename parameters<std::decay_t<F>>::type, std::decay_t<A>...>::type;

} // namespace rondo::detail
