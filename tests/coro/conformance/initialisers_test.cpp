// Awaits inside braces, parentheses and constructor calls, and what is built from them.
#include "coro/conformance/shapes.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

namespace rondo::test::conformance {
namespace {

RONDO_BRACED_SHAPE(aggregate, 3) {
    pair_of_witnesses p{co_await make(1), co_await make(2)};
    co_return p.a.get() + p.b.get();
}
RONDO_BRACED_SHAPE(aggregate_of_a_value_and_an_await, 3) {
    pair_of_witnesses p{witness(1), co_await make(2)};
    co_return p.a.get() + p.b.get();
}
RONDO_BRACED_SHAPE(aggregate_with_names, 3) {
    pair_of_witnesses p{.a = co_await make(1), .b = co_await make(2)};
    co_return p.a.get() + p.b.get();
}
RONDO_BRACED_SHAPE(aggregate_with_defaults, long_size + 4) {
    struct options {
        std::string host;
        std::string path = long_string();
        witness w = witness(3);
        int port = 80;
    };
    options o{.host = co_await make_string(long_string()), .path = long_string(), .w = witness(3), .port = 1};
    co_return size_of(o.path) + o.w.get() + o.port;
}
RONDO_BRACED_SHAPE(vector_of_awaits, 3) {
    std::vector<witness> v{co_await make(1), co_await make(2)};
    co_return v[0].get() + v[1].get();
}
RONDO_BRACED_SHAPE(vector_of_a_value_and_an_await, 3) {
    std::vector<witness> v{witness(1), co_await make(2)};
    co_return v[0].get() + v[1].get();
}
RONDO_BRACED_SHAPE(vector_of_awaited_strings, 2) {
    std::vector<std::string> v{co_await make_string(long_string()), co_await make_string("b")};
    co_return size_of(v);
}
RONDO_BRACED_SHAPE(c_array, 3) {
    witness a[] = {co_await make(1), co_await make(2)};
    co_return a[0].get() + a[1].get();
}
RONDO_BRACED_SHAPE(std_array, 3) {
    std::array<witness, 2> a{co_await make(1), co_await make(2)};
    co_return a[0].get() + a[1].get();
}
RONDO_SHAPE(tuple_in_parentheses, 3) {
    std::tuple<witness, witness> t(co_await make(1), co_await make(2));
    co_return std::get<0>(t).get() + std::get<1>(t).get();
}
RONDO_SHAPE(pair_in_braces, 3) {
    std::pair<witness, witness> p{co_await make(1), co_await make(2)};
    co_return p.first.get() + p.second.get();
}
RONDO_SHAPE(make_unique, 1) {
    auto p = std::make_unique<witness>(co_await make(1));
    co_return p->get();
}
RONDO_LEAKING_SHAPE(new_expression, 1) {
    std::unique_ptr<witness> p(new witness(co_await make(1)));
    co_return p->get();
}
RONDO_SHAPE(optional_from_an_await, 1) {
    std::optional<witness> o = co_await make(1);
    co_return o->get();
}
RONDO_SHAPE(optional_assigned, 1) {
    std::optional<witness> o;
    o = co_await make(1);
    co_return o->get();
}
RONDO_SHAPE(constructor_with_a_string_and_an_await, long_size + 4) {
    struct holder {
        std::string a;
        int b;
        holder(std::string x, int y) : a(std::move(x)), b(y) {}
    };
    holder h(long_string() + "b", co_await point{3});
    co_return h.b + size_of(h.a);
}
RONDO_SHAPE(map_subscript_on_both_sides, 3) {
    std::map<std::string, witness> m;
    m[co_await make_string(long_string())] = co_await make(3);
    co_return m.begin()->second.get();
}
RONDO_SHAPE(map_emplace, 3) {
    std::map<std::string, witness> m;
    m.emplace(co_await make_string(long_string()), co_await make(3));
    co_return m.begin()->second.get();
}
RONDO_SHAPE(vector_push_back, 3) {
    std::vector<witness> v;
    v.push_back(co_await make(1));
    v.emplace_back(co_await make(2));
    co_return v[0].get() + v[1].get();
}

// Objects that cannot be moved.

struct immovable {
    witness w;
    explicit immovable(witness from) : w(std::move(from)) {}
    immovable(immovable&&) = delete;
};
struct gives_immovable {
    point at;
    bool await_ready() const noexcept { return at.await_ready(); }
    void await_suspend(std::coroutine_handle<> frame) const noexcept { at.await_suspend(frame); }
    immovable await_resume() const {
        static_cast<void>(at.await_resume());
        return immovable(witness(9));
    }
};
RONDO_SHAPE(immovable_from_an_await, 9) {
    immovable i = co_await gives_immovable{};
    co_return i.w.get();
}
RONDO_SHAPE(immovable_in_parentheses, 1) {
    immovable i(co_await make(1));
    co_return i.w.get();
}
RONDO_SHAPE(immovable_in_braces, 1) {
    immovable i{co_await make(1)};
    co_return i.w.get();
}

} // namespace
} // namespace rondo::test::conformance
