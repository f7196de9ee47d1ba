// Arguments of a coroutine that is called in an await expression: values, references, temporaries, braces, options.
#include "coro/conformance/shapes.hpp"

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace rondo::test::conformance {
namespace {

coro<int> take_two(witness a, witness b) {
    const int first = co_await point{a.get()};
    co_return first + b.get();
}
coro<int> take_rvalue(witness&& w) {
    co_await point{};
    co_return w.get();
}
coro<int> take_string(std::string text) {
    co_await point{};
    co_return size_of(text);
}
coro<int> take_string_reference(const std::string& text) {
    co_await point{};
    co_return size_of(text);
}
coro<int> take_view(std::string_view text) {
    co_await point{};
    co_return size_of(text);
}
coro<int> take_list(std::initializer_list<witness> list) {
    int sum = 0;
    for (const witness& w : list) sum += w.get();
    co_await point{};
    for (const witness& w : list) sum += w.get();
    co_return sum;
}
coro<int> take_vector(std::vector<witness> list) {
    co_await point{};
    int sum = 0;
    for (const witness& w : list) sum += w.get();
    co_return sum;
}
coro<int> take_strings(std::vector<std::string> list) {
    co_await point{};
    co_return size_of(list);
}
coro<int> take_map(std::map<std::string, std::string> map) {
    co_await point{};
    co_return size_of(map);
}
coro<int> take_optional(std::optional<witness> w) {
    co_await point{};
    co_return w ? w->get() : 0;
}
coro<int> take_pointer(std::unique_ptr<witness> w) {
    co_await point{};
    co_return w->get();
}
int plain(witness a, const witness& b, witness c) { return a.get() + b.get() + c.get(); }
int plain_strings(std::string a, const std::string& b) { return size_of(a) + size_of(b); }

RONDO_SHAPE(by_value_from_a_temporary, 1) { co_return co_await take(witness{1}); }
RONDO_SHAPE(two_by_value, 3) { co_return co_await take_two(witness{1}, witness{2}); }
RONDO_SHAPE(by_value_from_a_variable, 1) {
    witness w{1};
    const int got = co_await take(w);
    static_cast<void>(w.get());
    co_return got;
}
RONDO_SHAPE(by_value_moved_in, 1) {
    witness w{1};
    co_return co_await take(std::move(w));
}
RONDO_SHAPE(reference_to_a_temporary, 1) { co_return co_await take_reference(witness{1}); }
RONDO_SHAPE(rvalue_reference_to_a_temporary, 1) { co_return co_await take_rvalue(witness{1}); }
RONDO_SHAPE(awaited_argument, 1) { co_return co_await take(co_await make(1)); }
RONDO_SHAPE(two_awaited_arguments, 3) { co_return co_await take_two(co_await make(1), co_await make(2)); }
RONDO_SHAPE(sum_of_two_awaits, 3) {
    const int sum = co_await take(witness{1}) + co_await take(witness{2});
    co_return sum;
}
RONDO_SHAPE(plain_call_with_an_await_in_the_middle, 6) { co_return plain(witness{1}, co_await make(2), witness{3}); }
RONDO_SHAPE(plain_call_with_awaits_around, 6) { co_return plain(co_await make(1), witness{2}, co_await make(3)); }
RONDO_SHAPE(plain_call_with_strings, 2 * long_size) {
    co_return plain_strings(long_string(), co_await make_string(long_string()));
}
RONDO_SHAPE(initializer_list_argument, 6) { co_return co_await take_list({witness{1}, witness{2}}); }
RONDO_SHAPE(vector_from_a_list, 3) { co_return co_await take_vector({witness{1}, witness{2}}); }
RONDO_SHAPE(strings_from_a_list, 2) { co_return co_await take_strings({long_string(), "b"}); }
RONDO_SHAPE(map_from_a_list, 2) { co_return co_await take_map({{long_string(), "b"}, {"c", "d"}}); }
RONDO_SHAPE(optional_argument, 1) { co_return co_await take_optional(witness{1}); }
RONDO_SHAPE(unique_ptr_argument, 1) { co_return co_await take_pointer(std::make_unique<witness>(1)); }
RONDO_SHAPE(string_from_a_long_literal, 47) {
    co_return co_await take_string("a literal that does not fit inside of a string.");
}
RONDO_SHAPE(string_from_a_short_literal, 2) { co_return co_await take_string("ab"); }
RONDO_SHAPE(string_reference_from_a_short_literal, 2) { co_return co_await take_string_reference("ab"); }
RONDO_SHAPE(strings_put_together, 3 * long_size + 3) {
    const std::string a = long_string();
    co_return co_await take_string(a + "b") + co_await take_string_reference(a + "c") + co_await take_view(a + "d");
}
RONDO_SHAPE(string_moved_in, long_size + 1) {
    std::string s = long_string();
    const int first = co_await take_string(std::move(s));
    s = "b";
    co_return first + size_of(s);
}
RONDO_SHAPE(conditional_argument, 1) { co_return co_await take(never() ? witness(2) : witness(1)); }
RONDO_SHAPE(conditional_reference_argument, 1) { co_return co_await take_reference(never() ? witness(2) : witness(1)); }

// Options: aggregates with members that own, written with braces and names in the call.

struct options {
    std::string host;
    std::string path = long_string();
    witness w = witness(3);
    int port = 80;
};
struct plain_options {
    int port = 80;
    int timeout = 3;
    const char* name = "x";
};
struct string_options {
    std::string host = long_string();
    int port = 80;
    std::optional<std::string> user;
    std::vector<std::string> tags;
};
coro<int> with_options(options o) {
    co_await point{};
    co_return o.w.get() + size_of(o.path);
}
coro<int> with_plain_options(plain_options o) {
    co_await point{};
    co_return o.port;
}
coro<int> with_string_options(string_options o) {
    co_await point{};
    co_return o.port + size_of(o.host) + size_of(o.tags);
}
coro<int> with_string_options_reference(const string_options& o) {
    co_await point{};
    co_return o.port + size_of(o.host);
}
coro<int> with_defaults(std::string s = long_string(), witness w = witness(5), string_options o = {}) {
    co_await point{};
    co_return w.get() + size_of(s) + o.port;
}

RONDO_SHAPE(options_with_names, long_size + 3) {
    co_return co_await with_options({.host = long_string(), .path = long_string(), .w = witness(3), .port = 1});
}
RONDO_SHAPE(options_with_type_and_names, long_size + 3) {
    co_return co_await with_options(options{.host = long_string(), .path = long_string(), .w = witness(3), .port = 1});
}
RONDO_SHAPE(options_empty_braces, long_size + 3) { co_return co_await with_options({}); }
RONDO_SHAPE(options_typed_empty_braces, long_size + 3) { co_return co_await with_options(options{}); }
RONDO_SHAPE(options_named_variable, long_size + 3) {
    options o{.host = "h", .path = long_string(), .w = witness(3), .port = 1};
    co_return co_await with_options(o);
}
RONDO_SHAPE(options_moved_variable, long_size + 3) {
    options o{.host = "h", .path = long_string(), .w = witness(3), .port = 1};
    co_return co_await with_options(std::move(o));
}
RONDO_SHAPE(plain_options_with_names, 1) { co_return co_await with_plain_options({.port = 1}); }
RONDO_SHAPE(string_options_with_a_name, long_size + 1) {
    co_return co_await with_string_options({.port = 1, .user = {}, .tags = {}});
}
RONDO_SHAPE(string_options_with_all_names, long_size + 3) {
    co_return co_await with_string_options({.port = 1, .user = long_string(), .tags = {"a", long_string()}});
}
RONDO_SHAPE(string_options_with_type_and_names, long_size + 1) {
    co_return co_await with_string_options(string_options{.port = 1, .user = {}, .tags = {}});
}
RONDO_SHAPE(string_options_by_reference, long_size + 1) {
    co_return co_await with_string_options_reference({.port = 1, .user = {}, .tags = {}});
}
RONDO_SHAPE(string_options_typed_by_reference, long_size + 1) {
    co_return co_await with_string_options_reference(string_options{.port = 1, .user = {}, .tags = {}});
}
RONDO_SHAPE(call_first_await_later, long_size + 1) {
    auto c = with_string_options({.port = 1, .user = {}, .tags = {}});
    co_return co_await std::move(c);
}
RONDO_SHAPE(default_arguments, long_size + 85) { co_return co_await with_defaults(); }
RONDO_SHAPE(some_default_arguments, 88) { co_return co_await with_defaults("abc"); }

} // namespace
} // namespace rondo::test::conformance
