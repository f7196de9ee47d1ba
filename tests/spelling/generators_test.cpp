// Sections 14 and 15: context variables, generators, resources.
#include "spelling/spelled.hpp"

namespace rondo::spelling::of_generators {

context_var<int> with_default("x", 1);
context_var<std::string> without("y");

void variables(const context& in) {
    static_assert(!std::copy_constructible<context_var<int>>);
    GIVES(const std::string&, with_default.name());
    GIVES(int, with_default.get());
    GIVES(int, with_default.get(3));
    GIVES(std::optional<int>, with_default.get(in));
    auto token = with_default.set(2);
    static_assert(std::same_as<decltype(token), context_token<int>>);
    auto moved = std::move(token);
    GIVES(void, moved.reset());
    auto kept = without.set("z");
    GIVES(void, kept.release());
    GIVES(void, without.assign("z"));
}

generator<int> count(int n) {
    for (int i = 0; i < n; ++i) co_yield i;
}
generator<int, std::string, double> talk() {
    std::optional<std::string> sent = co_yield 1;
    static_cast<void>(sent);
    co_return 0.5;
}
generator<int, void, int> delegate() {
    co_yield elements_of(count(3));
    std::vector<int> range{1, 2};
    co_yield elements_of(range);
    co_yield elements_of(std::vector<int>{3});
    auto inner = count(2);
    co_yield elements_of(inner);
    co_return 7;
}
generator<int> outer(int& returned) {
    returned = co_yield elements_of(delegate());
    auto held = delegate();
    returned = co_yield elements_of(held);
}

void generators(std::exception_ptr error) {
    static_assert(only_moves<generator<int>> && std::same_as<generator<int>::value_type, int>);
    auto g = count(3);
    GIVES(std::optional<int>, g.next());
    GIVES(bool, g.done());
    GIVES(void, g.close());
    static_assert(std::ranges::input_range<generator<int>>);
    for (int& n : count(2)) static_cast<void>(n);
    auto c = talk();
    GIVES(std::optional<int>, c.next());
    GIVES(std::optional<int>, c.send("x"));
    IS(const double&, c.result());
    IS(std::optional<double>, c.close());
    IS(std::optional<int>, c.throw_(error));
    IS(std::optional<int>, c.throw_(value_error("x")));
}

async_generator<int> ticks(int n) {
    for (int i = 0; i < n; ++i) {
        co_await yield();
        co_yield i;
    }
}
async_generator<int, std::string> conversation() {
    std::optional<std::string> sent = co_yield 1;
    static_cast<void>(sent);
}

coro<> async_generators() {
    static_assert(only_moves<async_generator<int>> && std::same_as<async_generator<int>::value_type, int>);
    auto g = ticks(3);
    AWAITS(std::optional<int>, g.next());
    while (auto v = co_await g.next()) static_cast<void>(*v);
    auto c = conversation();
    AWAITS(std::optional<int>, c.next());
    AWAITS(std::optional<int>, c.asend("x"));
    AWAITS(void, c.aclose());
    static_assert(std::same_as<await_result_t<decltype(c.athrow(std::exception_ptr()))>, std::optional<int>> &&
                  std::same_as<await_result_t<decltype(c.athrow(value_error("x")))>, std::optional<int>>);
    int sum = 0;
    RONDO_FOR_AWAIT(v, ticks(4)) {
        if (v == 1) continue;
        if (v == 3) break;
        sum += v;
    }
    EXPECT_EQ(sum, 2);
    AWAITS(int, aclosing(ticks(3), [](async_generator<int>& gen) -> coro<int> { co_return *co_await gen.next(); }));
}

struct plain_resource {
    coro<> aenter() { co_return; }
    coro<> aexit(std::exception_ptr) { co_return; }
};
struct swallowing_resource {
    coro<int*> aenter() { co_return &value; }
    coro<bool> aexit(std::exception_ptr) { co_return true; }
    int value = 3;
};
struct valued_resource {
    coro<int> aenter() { co_return 3; }
    coro<> aexit(std::exception_ptr) { co_return; }
};
static_assert(async_resource<plain_resource> && async_resource<swallowing_resource> && !async_resource<int>);

coro<int> number() { co_return 1; }
coro<> nothing() { co_return; }

coro<> resources() {
    AWAITS(int, rondo::finally(number(), [] { return nothing(); }));
    AWAITS(int, rondo::finally([] { return number(); }, nothing, {.cleanup_timeout = 1s}));
    AWAITS(void, rondo::finally(nothing, [] {}));
    plain_resource plain;
    swallowing_resource swallows;
    valued_resource valued;
    AWAITS(int, with(plain, [](plain_resource&) { return number(); }));
    AWAITS(std::optional<int>, with(swallows, [](int*& entered) -> coro<int> { co_return *entered; }));
    AWAITS(std::optional<std::monostate>, with(swallows, [] { return nothing(); }));
    AWAITS(int, with(valued, [](int& entered) -> coro<int> { co_return entered; }));
    AWAITS(int, async_exit_stack::run([&](async_exit_stack& stack) -> coro<int> {
               AWAITS(void, stack.enter(plain));
               AWAITS(int*, stack.enter(swallows));
               GIVES(void, stack.push_exit([](std::exception_ptr) { return false; }));
               GIVES(void, stack.push_exit([](std::exception_ptr) -> coro<bool> { co_return false; }));
               GIVES(void, stack.push_callback([] {}));
               GIVES(void, stack.push_callback(nothing));
               async_exit_stack kept = stack.pop_all();
               AWAITS(void, kept.aclose());
               co_return 1;
           }));
    async_exit_stack by_hand;
    by_hand = async_exit_stack();
    co_await by_hand.aclose();
}

TEST(Spelling, ContextVariables) {
    const context now = copy_context();
    variables(now);
    EXPECT_EQ(with_default.get(), 1);
}
TEST(Spelling, Generators) {
    generators(std::make_exception_ptr(value_error("x")));
    int returned = 0;
    std::vector<int> all;
    for (const int n : outer(returned)) all.push_back(n);
    EXPECT_EQ(all.size(), 16u);
    EXPECT_EQ(returned, 7);
    run(async_generators);
}
TEST(Spelling, Resources) { run(resources); }

} // namespace rondo::spelling::of_generators
