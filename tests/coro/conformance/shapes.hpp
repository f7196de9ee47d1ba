// Coroutine shapes that compilers have got wrong, and what must hold for each of them.
//
// A shape is a small coroutine in which every await is a point() or leads to one. examine() runs it once with all points
// ready, once suspending at each, then destroys it at its first, second, ... suspension, and throws from its first,
// second, ... point. Whatever happens, each witness must be constructed once, used while it lives, destroyed once and never
// be moved as bytes.
#pragma once

#include <rondo/coro/coro.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace rondo::test::conformance {

/// A value that notices what may not happen to a value.
class witness {
public:
    witness(int number = 0); // NOLINT(google-explicit-constructor): shapes convert, as user code does
    witness(const witness& other);
    witness(witness&& other) noexcept;
    witness& operator=(const witness& other);
    ~witness();

    int get() const;
    explicit operator bool() const { return get() != 0; }

private:
    void begin();
    void require_living() const;

    witness* self_ = nullptr;
    int number_;
    std::string on_the_heap_ = "longer than what a string keeps inside";
};

/// What a point() throws when the examination asks it to.
inline constexpr int thrown_by_point = 42;

/// co_await point{v} gives v; whether it suspends or throws is the examination's choice.
struct point {
    int value = 1;

    bool await_ready() const noexcept;
    void await_suspend(std::coroutine_handle<> frame) const noexcept;
    int await_resume() const;
};

/// Two faults of compilers stand, and shapes that meet them are not destroyed: in the middle of a braced list, clang before
/// 19 leaks the elements that are built already (LLVM 61508); in `new T(co_await ...)` and `throw co_await ...`, every
/// clang leaks the block that it allocated before the await.
enum class when_destroyed { destroys_all, leaks_before_clang_19, leaks };

/// See the top of this file.
void examine(coro<int> (*shape)(), int expected, when_destroyed after = when_destroyed::destroys_all);

/// False, in a way that the optimiser cannot see.
bool never();

inline constexpr std::string_view long_text = "a text that is too long for the inside of a string";
inline constexpr int long_size = static_cast<int>(long_text.size());
inline std::string long_string() { return std::string(long_text); }
inline int size_of(const auto& container) { return static_cast<int>(container.size()); }

// What shapes call.

inline coro<witness> make(int number) {
    co_await point{};
    co_return witness(number);
}
inline coro<std::string> make_string(std::string text) {
    co_await point{};
    co_return text;
}
inline coro<int> take(witness w) {
    const int number = co_await point{w.get()};
    co_return number + w.get() - w.get();
}
inline coro<int> take_reference(const witness& w) {
    co_await point{};
    co_return w.get();
}

struct pair_of_witnesses {
    witness a;
    witness b;
};
inline coro<pair_of_witnesses> make_pair_of_witnesses() {
    co_await point{};
    co_return pair_of_witnesses{witness(1), witness(2)};
}

} // namespace rondo::test::conformance

#define RONDO_SHAPE_EXAMINED(name, expected, ...)                                                                      \
    coro<int> name();                                                                                                  \
    TEST(Conformance, name) { examine(name, expected __VA_OPT__(, ) __VA_ARGS__); }                                    \
    coro<int> name()

/// RONDO_SHAPE(name, expected) { body of a coro<int> }
#define RONDO_SHAPE(name, expected) RONDO_SHAPE_EXAMINED(name, expected)
#define RONDO_BRACED_SHAPE(name, expected) RONDO_SHAPE_EXAMINED(name, expected, when_destroyed::leaks_before_clang_19)
#define RONDO_LEAKING_SHAPE(name, expected) RONDO_SHAPE_EXAMINED(name, expected, when_destroyed::leaks)
