// What an await gives: structured bindings, references that extend lives, packs, members, generators, alignment.
#include "coro/conformance/shapes.hpp"

#include <rondo/coro/generator.hpp>

#include <tuple>
#include <type_traits>
#include <vector>

namespace rondo::test::conformance {
namespace {

coro<std::tuple<witness, witness>> make_tuple_of_witnesses() {
    co_await point{};
    co_return std::tuple<witness, witness>(witness(1), witness(2));
}
coro<std::vector<witness>> make_vector() {
    co_await point{};
    std::vector<witness> v;
    v.emplace_back(1);
    co_return v;
}
template <class... C> coro<int> sum_of(C... c) {
    int sum = 0;
    ((sum += (co_await std::move(c)).get()), ...);
    co_return sum;
}
template <class... C> coro<int> count_of(C... c) {
    std::tuple t{co_await std::move(c)...};
    co_return static_cast<int>(std::tuple_size_v<decltype(t)>);
}
template <class... C> coro<std::tuple<witness, witness>> both(C... c) {
    co_return std::tuple<witness, witness>(co_await std::move(c)...);
}

RONDO_SHAPE(binding_of_an_aggregate, 3) {
    auto [a, b] = co_await make_pair_of_witnesses();
    co_return a.get() + b.get();
}
RONDO_SHAPE(binding_of_an_aggregate_in_a_loop, 9) {
    int sum = 0;
    for (int i = 0; i < 3; ++i) {
        auto [a, b] = co_await make_pair_of_witnesses();
        sum += co_await take(a) + b.get();
    }
    co_return sum;
}
RONDO_SHAPE(binding_of_a_tuple, 3) {
    auto [a, b] = co_await make_tuple_of_witnesses();
    co_return a.get() + b.get();
}
RONDO_SHAPE(binding_of_a_tuple_in_a_loop, 9) {
    int sum = 0;
    for (int i = 0; i < 3; ++i) {
        auto [a, b] = co_await make_tuple_of_witnesses();
        sum += co_await take(a) + b.get();
    }
    co_return sum;
}
RONDO_SHAPE(binding_by_rvalue_reference, 3) {
    auto&& [a, b] = co_await make_tuple_of_witnesses();
    co_return co_await take(a) + b.get();
}
RONDO_SHAPE(return_of_an_await, 1) { co_return (co_await make(1)).get(); }
RONDO_SHAPE(chain_of_members, 1) { co_return (co_await make_vector()).at(0).get(); }
RONDO_SHAPE(reference_extends_the_life, 1) {
    const witness& w = co_await make(1);
    co_await point{};
    co_return w.get();
}
RONDO_SHAPE(rvalue_reference_extends_the_life, 1) {
    auto&& w = co_await make(1);
    co_await point{};
    co_return w.get();
}
RONDO_SHAPE(pack_of_coroutines, 3) { co_return co_await sum_of(make(1), make(2)); }
RONDO_SHAPE(pack_into_a_tuple, 2) { co_return co_await count_of(make(1), make(2)); }
RONDO_SHAPE(pack_into_a_binding, 3) {
    auto [a, b] = co_await both(make(1), make(2));
    co_return a.get() + b.get();
}
RONDO_SHAPE(dropped_values, 0) {
    static_cast<void>(co_await make(1));
    (void)co_await make(2);
    co_await make(3);
    co_return 0;
}
RONDO_SHAPE(comma, 2) {
    const int got = (static_cast<void>(co_await make(1)), co_await take(witness(2)));
    co_return got;
}
RONDO_SHAPE(coroutine_with_a_name, 1) {
    auto c = make(1);
    witness w = co_await std::move(c);
    co_return w.get();
}
RONDO_SHAPE(compound_assignment, 6) {
    int sum = 3;
    sum += co_await take(witness(3));
    co_return sum;
}
RONDO_SHAPE(string_appended, 2 * long_size + 2) {
    std::string s = "a";
    s += co_await make_string(long_string());
    s = s + co_await make_string(long_string()) + "d";
    co_return size_of(s);
}
RONDO_SHAPE(assigned_from_itself, 1) {
    witness w(1);
    w = co_await make(w.get());
    co_return w.get();
}

struct object {
    virtual ~object() = default;
    coro<int> method(witness w) {
        co_await point{};
        co_return number + w.get() + member.get();
    }
    virtual coro<int> virtual_method(std::string s) {
        co_await point{};
        co_return number + size_of(s);
    }
    coro<int> method_with_a_lambda(witness w) {
        auto f = [this, &w](int k) -> coro<int> {
            co_await point{};
            co_return number + w.get() + k;
        };
        co_return co_await f(2);
    }
    int number = 3;
    witness member{1};
};
object make_object() { return {}; }

RONDO_SHAPE(method_of_a_variable, 5) {
    object o;
    co_return co_await o.method(witness(1));
}
RONDO_SHAPE(method_of_a_temporary, 5) { co_return co_await object{}.method(witness(1)); }
RONDO_SHAPE(method_of_a_returned_object, 5) { co_return co_await make_object().method(witness(1)); }
RONDO_SHAPE(virtual_method_through_a_reference, 6) {
    object o;
    object& reference = o;
    co_return co_await reference.virtual_method("abc");
}
RONDO_SHAPE(lambda_that_captures_this, 6) {
    object o;
    co_return co_await o.method_with_a_lambda(witness(1));
}

generator<witness> witnesses() {
    co_yield witness(1);
    for (int i = 0; i < 2; ++i) {
        witness local(5);
        co_yield witness(i);
        co_yield local;
    }
    co_yield {7};
}
generator<std::string> strings() {
    co_yield "a literal that does not fit inside of a string.";
    co_yield long_string() + long_string();
}

RONDO_SHAPE(generator_inside_a_coroutine, 1 + 0 + 5 + 1 + 5 + 7) {
    int sum = 0;
    auto left_suspended = witnesses();
    static_cast<void>(left_suspended.next());
    co_await point{};
    for (const witness& w : witnesses()) sum += co_await take_reference(w);
    static_cast<void>(left_suspended.next());
    co_return sum;
}
RONDO_SHAPE(generator_of_strings, 47 + 2 * long_size) {
    int sum = 0;
    for (const std::string& s : strings()) sum += co_await point{size_of(s)};
    co_return sum;
}

struct alignas(64) wide {
    unsigned char bytes[64];
};
RONDO_SHAPE(over_aligned_local, 0) {
    wide w{};
    co_await point{};
    const wide* volatile seen = &w; // the optimiser may not know where it lies
    co_return static_cast<int>(reinterpret_cast<std::uintptr_t>(seen) % alignof(wide));
}

} // namespace
} // namespace rondo::test::conformance
