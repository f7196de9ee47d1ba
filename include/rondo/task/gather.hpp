// gather(): running several awaitables beside each other and collecting what they yield.
#pragma once

#include <rondo/coro/result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/gather_core.hpp>
#include <rondo/task/future.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

struct return_exceptions_t {};
inline constexpr return_exceptions_t return_exceptions{};

template <class A>
using gather_vector_t =
    std::conditional_t<std::is_void_v<await_result_t<A>>, void, std::vector<non_void_t<await_result_t<A>>>>;

namespace detail {

template <class A> counted_ptr<future_state> gathered_child(A&& aw) {
    if constexpr (future_like<A>) return counted_ptr<future_state>(aw.state());
    else return counted_ptr<future_state>(ensure_future(std::forward<A>(aw)).state());
}

/// What the children of a tuple yield.
template <bool Exceptions, class... A> struct gather_tuple {
    using type = std::conditional_t<Exceptions, std::tuple<result<await_result_t<A>>...>,
                                    std::tuple<non_void_t<await_result_t<A>>...>>;
    static type collect(std::vector<counted_ptr<future_state>>& children) {
        return collect(children, std::index_sequence_for<A...>());
    }
    template <std::size_t... I> static type collect(std::vector<counted_ptr<future_state>>& children,
                                                    std::index_sequence<I...>) {
        static_cast<void>(children);
        if constexpr (Exceptions) return type{child_result<await_result_t<A>>(*children[I])...};
        else return type{child_value<await_result_t<A>>(*children[I])...};
    }
};
/// What the children of a vector yield.
template <bool Exceptions, class A> struct gather_vector {
    using value = await_result_t<A>;
    using type = std::conditional_t<Exceptions, std::vector<result<value>>, gather_vector_t<A>>;
    static non_void_t<type> collect(std::vector<counted_ptr<future_state>>& children) {
        if constexpr (std::is_void_v<type>) {
            return {};
        } else {
            type all;
            all.reserve(children.size());
            for (auto& child : children) {
                if constexpr (Exceptions) all.push_back(child_result<value>(*child));
                else all.push_back(child_value<value>(*child));
            }
            return all;
        }
    }
};

template <class... A> std::vector<counted_ptr<future_state>> children_of(A&&... aws) {
    std::vector<counted_ptr<future_state>> children;
    children.reserve(sizeof...(A));
    (children.push_back(gathered_child(std::forward<A>(aws))), ...);
    return children;
}
template <class A> std::vector<counted_ptr<future_state>> children_of_vector(std::vector<A>&& aws) {
    std::vector<counted_ptr<future_state>> children;
    children.reserve(aws.size());
    for (A& aw : aws) children.push_back(gathered_child(std::move(aw)));
    return children;
}

template <class Shape>
future<typename Shape::type> gather_states(std::vector<counted_ptr<future_state>> children, bool exceptions) {
    using T = typename Shape::type;
    auto* state = new gathering<T, Shape>(running_loop(), std::move(children), exceptions);
    future<T> handle{counted_ptr<future_state>::adopt(state)};
    state->begin();
    return handle;
}

/// Starts its children when it is awaited.
template <bool Exceptions, class... A> class [[nodiscard]] gather_awaitable {
    using shape = gather_tuple<Exceptions, A...>;

public:
    template <class... B> explicit gather_awaitable(std::in_place_t, B&&... aws) : aws_(std::forward<B>(aws)...) {}
    future_awaiter<typename shape::type> operator co_await() && {
        auto start = [](A&... aws) { return gather_states<shape>(children_of(std::move(aws)...), Exceptions); };
        return std::apply(start, aws_).operator co_await();
    }

private:
    std::tuple<A...> aws_;
};
template <bool Exceptions, class A> class [[nodiscard]] gather_vector_awaitable {
    using shape = gather_vector<Exceptions, A>;

public:
    explicit gather_vector_awaitable(std::vector<A> aws) : aws_(std::move(aws)) {}
    future_awaiter<typename shape::type> operator co_await() && {
        return gather_states<shape>(children_of_vector(std::move(aws_)), Exceptions).operator co_await();
    }

private:
    std::vector<A> aws_;
};

} // namespace detail

/// Runs all of them, each as a task of its own (a handle is waited for as it is), and gives what they yield in the order of
/// the arguments: a tuple, with std::monostate for void. A handle that is given twice runs once and counts twice.
///
/// The first error ends the gather at once and is thrown; the others go on, and what they throw later is dropped. A child that
/// was cancelled counts as failed with cancelled_error. Cancelling the waiting task cancels all children, and the gather ends
/// as cancelled when all have ended. Nothing starts before the await.
template <class... A>
    requires(awaitable<A> && ...)
detail::gather_awaitable<false, std::remove_cvref_t<A>...> gather(A&&... aws) {
    return detail::gather_awaitable<false, std::remove_cvref_t<A>...>(std::in_place, std::forward<A>(aws)...);
}
/// The same for a vector; a vector of void gives void.
template <class A>
    requires awaitable<A>
detail::gather_vector_awaitable<false, A> gather(std::vector<A> aws) {
    return detail::gather_vector_awaitable<false, A>(std::move(aws));
}
/// Waits for all of them, whatever comes of each, and gives results.
template <class... A>
    requires(awaitable<A> && ...)
detail::gather_awaitable<true, std::remove_cvref_t<A>...> gather(return_exceptions_t, A&&... aws) {
    return detail::gather_awaitable<true, std::remove_cvref_t<A>...>(std::in_place, std::forward<A>(aws)...);
}
template <class A>
    requires awaitable<A>
detail::gather_vector_awaitable<true, A> gather(return_exceptions_t, std::vector<A> aws) {
    return detail::gather_vector_awaitable<true, A>(std::move(aws));
}

/// The same, started at once: a handle that can be cancelled, which asks all children to. When every child is done already it
/// is done too.
template <class... A>
    requires(awaitable<A> && ...)
[[nodiscard]] future<std::tuple<non_void_t<await_result_t<A>>...>> gather_future(A&&... aws) {
    return detail::gather_states<detail::gather_tuple<false, std::remove_cvref_t<A>...>>(
        detail::children_of(std::forward<A>(aws)...), false);
}
template <class A>
    requires awaitable<A>
[[nodiscard]] future<gather_vector_t<A>> gather_future(std::vector<A> aws) {
    return detail::gather_states<detail::gather_vector<false, A>>(detail::children_of_vector(std::move(aws)), false);
}
template <class... A>
    requires(awaitable<A> && ...)
[[nodiscard]] future<std::tuple<result<await_result_t<A>>...>> gather_future(return_exceptions_t, A&&... aws) {
    return detail::gather_states<detail::gather_tuple<true, std::remove_cvref_t<A>...>>(
        detail::children_of(std::forward<A>(aws)...), true);
}
template <class A>
    requires awaitable<A>
[[nodiscard]] future<std::vector<result<await_result_t<A>>>> gather_future(return_exceptions_t, std::vector<A> aws) {
    return detail::gather_states<detail::gather_vector<true, A>>(detail::children_of_vector(std::move(aws)), true);
}

} // namespace rondo
