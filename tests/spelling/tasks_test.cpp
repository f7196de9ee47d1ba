// Sections 3 and 4: tasks and futures.
#include "spelling/spelled.hpp"

namespace rondo::spelling::of_tasks {

coro<int> twice(int n) { co_return 2 * n; }
coro<> nothing() { co_return; }
coro<std::unique_ptr<int>> unique() { co_return std::make_unique<int>(1); }

coro<> creating() {
    static_assert(std::same_as<decltype(create_task(twice(1))), task<int>>);
    task<int> a = create_task(twice(1));
    task<> b = create_task(sleep(0s), {.name = "b", .context = copy_context(), .eager_start = true});
    task<int> c = create_task(twice, 1);
    task<int> d = create_task({.name = "d"}, twice, 1);
    int mine = 1;
    task<> e =
        create_task([](int& own, std::unique_ptr<int> given) -> coro<> { co_return static_cast<void>(own + *given); },
                    std::ref(mine), std::make_unique<int>(2));
    GIVES(void, spawn(nothing()));
    GIVES(void, spawn(nothing(), {.name = "x"}));
    GIVES(void, spawn(nothing));
    GIVES(void, spawn({.name = "x"}, twice, 1));
    GIVES(task<int>, ensure_future(a));
    GIVES(future<int>, ensure_future(create_future<int>()));
    GIVES(task<int>, ensure_future(twice(1)));
    GIVES(any_task, current_task());
    GIVES(std::vector<any_task>, all_tasks());
    GIVES(std::vector<any_task>, all_tasks(running_loop()));
    co_await wait(std::vector<any_task>{a, b, c, d, e});
}

coro<> task_handles() {
    static_assert(std::same_as<any_task, task_base> && std::derived_from<task_base, future_base> &&
                  std::derived_from<task<int>, task_base> && !std::derived_from<task<int>, future<int>>);
    static_assert(std::same_as<task<int>::value_type, int>);
    task<int> none;
    task<int> t = create_task(twice(1));
    task_base any = t;
    GIVES(int, any.cancelling());
    GIVES(int, any.uncancel());
    GIVES(const std::string&, any.name());
    GIVES(void, any.set_name("x"));
    GIVES(context, any.context());
    GIVES(std::vector<stack_entry>, any.async_stack());
    for (const stack_entry& entry : any.async_stack()) {
        static_assert(std::same_as<decltype(entry.where), std::source_location>);
        GIVES(bool, entry.function.empty());
    }
    GIVES(std::source_location, any.created_at());
    AWAITS(int, t);
    GIVES(const int&, t.result());
    task<> v = create_task(nothing());
    AWAITS(void, v);
    GIVES(void, v.result());
    GIVES(void, v.take());
    GIVES(callback_id, t.add_done_callback([] {}));
    GIVES(callback_id, t.add_done_callback([](const any_future&) {}));
    GIVES(callback_id, t.add_done_callback([](const task<int>& done) { static_cast<void>(done.done()); }));
    GIVES(callback_id, t.add_done_callback([](const auto& done) { static_cast<void>(done.done()); }));
    GIVES(int, t.take());
    AWAITS(std::unique_ptr<int>, create_task(unique()));
    const task<int> fixed = create_task(twice(1));
    AWAITS(int, fixed);
    AWAITS(int, create_task(twice(1)));
}

void factories(event_loop& loop) {
    static_assert(only_moves<any_coro>);
    loop.set_task_factory(eager_task_factory);
    loop.set_task_factory([](event_loop& l, any_coro body, task_options options) {
        options.name = "named";
        return default_task_factory(l, std::move(body), std::move(options));
    });
    loop.set_task_factory(nullptr);
    const task_factory f = default_task_factory;
    static_cast<void>(f);
}

coro<> futures(concurrent_future<int> cf, std::exception_ptr error) {
    future<int> null;
    future<int> f = create_future<int>();
    future<> v = create_future();
    future<> w = create_future<>();
    static_assert(std::same_as<future<int>::value_type, int> && std::derived_from<future<int>, future_base>);
    GIVES(void, f.set_result(1));
    GIVES(void, f.set_result(short{1}));
    GIVES(void, v.set_result());
    GIVES(void, f.set_exception(error));
    GIVES(void, f.set_exception(value_error("x")));
    GIVES(bool, f.try_set_result(1));
    GIVES(bool, w.try_set_result());
    GIVES(bool, f.try_set_exception(error));
    GIVES(callback_id, f.add_done_callback([] {}));
    GIVES(callback_id, f.add_done_callback([](const future<int>& done) { static_cast<void>(done.result()); }));
    GIVES(callback_id, v.add_done_callback([](const auto&) {}, {}));
    AWAITS(int, f);
    AWAITS(int, std::move(f));
    AWAITS(void, v);
    GIVES(const int&, f.result());
    GIVES(void, v.result());
    GIVES(int, f.take());
    GIVES(future<int>, wrap_future(cf));
    lowlevel::add_awaited_by(f, current_task());
    lowlevel::discard_awaited_by(f, current_task());
}

TEST(Spelling, Tasks) {
    run(creating);
    run(task_handles);
}

} // namespace rondo::spelling::of_tasks
