// Sections 18 and 19: introspection, threads.
#include "spelling/spelled.hpp"

namespace rondo::spelling::of_threads {

coro<int> number(int n) { co_return n; }

coro<> graphs(any_future of) {
    GIVES(std::optional<future_call_graph>, capture_call_graph(of));
    GIVES(std::optional<future_call_graph>, capture_call_graph(of, {.limit = 3}));
    auto here = capture_call_graph();
    static_assert(std::same_as<decltype(here), std::optional<future_call_graph>>);
    IS(any_future&, (here->future));
    IS(std::vector<stack_entry>&, (here->call_stack));
    IS(std::vector<future_call_graph>&, (here->awaited_by));
    GIVES(std::string, format_call_graph(of));
    GIVES(std::string, format_call_graph(of, {.limit = -1}));
    IS(void, print_call_graph(of));
    co_return;
}

coro<> threads(event_loop& loop, capacity_limiter& limiter) {
    concurrent_future<int> cf;
    GIVES(bool, cf.done());
    GIVES(bool, cf.cancelled());
    GIVES(void, cf.add_done_callback([](concurrent_future<int> done) { static_cast<void>(done.done()); }));
    GIVES(void, cf.set_result(3));
    IS(void, cf.set_exception(std::exception_ptr()));
    IS(int, cf.get());
    IS(int, cf.get(1s));
    IS(std::exception_ptr, cf.exception());
    IS(bool, cf.cancel());
    concurrent_future<> v;
    GIVES(void, v.set_result());
    IS(void, v.get());
    GIVES(concurrent_future<int>, run_coroutine_threadsafe(number(1), loop));
    GIVES(concurrent_future<int>, run_coroutine_threadsafe(loop, number, 1));
    AWAITS(int, to_thread([](int n) { return n; }, 3));
    AWAITS(void, to_thread([] {}));
    AWAITS(int, to_thread(limiter, [](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(3)));
    AWAITS(int, to_thread([] {
               GIVES(void, from_thread::check_cancelled());
               GIVES(int, from_thread::run_sync([](int n) { return n; }, 3));
               return from_thread::run(number, 4);
           }));
}

TEST(Spelling, IntrospectionAndThreads) {
    run([]() -> coro<> {
        co_await graphs(current_task());
        capacity_limiter limiter(2);
        co_await threads(running_loop(), limiter);
        EXPECT_EQ(co_await to_thread([] { return from_thread::run(number, 4); }), 4);
    });
}

} // namespace rondo::spelling::of_threads
