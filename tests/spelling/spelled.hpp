// How the public API is spelled: each file of this folder uses every declaration of one section of it, as a program would, with
// the type that it must have. Most functions are never run: that they compile is the test. What they promise is tested elsewhere.
#pragma once

#include <rondo/rondo.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <type_traits>

/// The expression has this type, value category and all.
#define IS(T, ...) static_assert(std::same_as<decltype(__VA_ARGS__), T>)
/// So has this one, which is also compiled to be run.
#define GIVES(T, ...)                                                                                                  \
    do {                                                                                                               \
        IS(T, __VA_ARGS__);                                                                                            \
        static_cast<void>(__VA_ARGS__);                                                                                \
    } while (false)
/// co_await on the expression gives a T.
#define AWAITS(T, ...)                                                                                                 \
    do {                                                                                                               \
        static_assert(std::same_as<rondo::await_result_t<decltype(__VA_ARGS__)>, T>);                                  \
        static_cast<void>(co_await (__VA_ARGS__));                                                                     \
    } while (false)

namespace rondo::spelling {

using namespace std::chrono_literals;

template <class T> concept only_moves = std::movable<T> && !std::copyable<T>;
template <class T> concept stays = !std::is_copy_constructible_v<T> && !std::is_move_constructible_v<T>;

} // namespace rondo::spelling
