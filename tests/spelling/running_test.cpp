// Sections 1 and 2: running programs, coroutines.
#include "spelling/spelled.hpp"

namespace rondo::spelling::of_running {

coro<int> twice(int n) { co_return 2 * n; }
coro<> nothing() { co_return; }
coro<std::string> braces() { co_return {"abc", 2}; }

TEST(Spelling, Run) {
    GIVES(int, run(twice(1)));
    GIVES(int, run(twice(1), {.debug = true, .loop_factory = [] { return std::make_unique<event_loop>(); }}));
    GIVES(int, run(twice, 1));
    GIVES(void, run(nothing));
    GIVES(int, run({.debug = false, .handle_sigint = false}, twice, 1));
    const auto main = [n = 3](int more) -> coro<int> { co_return n + more; };
    EXPECT_EQ(run(main, 4), 7);
    EXPECT_EQ(run([](auto a, auto b, auto c, auto d, auto e, auto f) -> coro<int> { co_return a + b + c + d + e + f; },
                  1, 2, 3, 4, 5, 6),
              21);
    EXPECT_EQ(run(braces()), "ab");
}

TEST(Spelling, Runner) {
    runner plain;
    runner r({.debug = false, .loop_factory = nullptr, .handle_sigint = true});
    static_assert(stays<runner>);
    GIVES(int, r.run(twice(1)));
    GIVES(int, r.run(twice(1), {.context = copy_context()}));
    GIVES(int, r.run(twice, 4));
    GIVES(event_loop&, r.loop());
    task<int> later = r.loop().create_task(twice(21));
    EXPECT_EQ(r.run(later), 42);
    GIVES(void, r.close());
    static_cast<void>(loop_options{.backend = backend_kind::automatic, .debug = std::nullopt});
    static_cast<void>(backend_kind::uring);
    static_cast<void>(backend_kind::epoll);
}

coro<> coroutines() {
    static_assert(only_moves<coro<int>> && std::same_as<coro<int>::value_type, int> &&
                  std::same_as<coro<>, coro<void>>);
    static_assert(requires { typename coro<int>::promise_type; });
    coro<int> c = twice(1);
    if (c) c = twice(2);
    static_assert(!awaitable<coro<int>&>);
    AWAITS(int, std::move(c));
    AWAITS(void, sleep(1ms));
    AWAITS(void, sleep(0.5s));
    AWAITS(int, sleep(1ms, 3));
    AWAITS(std::string, sleep(1ms, std::string("x")));
    AWAITS(void, yield());
    AWAITS(void, rondo::sleep_until(clock::now()));
    AWAITS(void, sleep_forever());
    AWAITS(void, checkpoint());
}

coro<> of_functions() {
    std::function<coro<>()> f = nothing;
    co_await f();
    co_await std::invoke(twice, 1);
    auto bound = std::bind_front(twice, 1);
    co_await bound();
    const auto forwarding = [](auto&& fn) { return fn(); };
    co_await forwarding(nothing);
}

TEST(Spelling, Coroutines) { run(of_functions); }

} // namespace rondo::spelling::of_running
