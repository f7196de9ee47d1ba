// Task factories: who makes the tasks of a loop.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/run_coroutine_threadsafe.hpp>
#include <rondo/task/task_group.hpp>

#include <string>
#include <vector>

namespace rondo {
namespace {

class TaskFactory : public test::loop_test {};
RONDO_IN_EACH_WORLD(TaskFactory);
class EagerTaskFactory : public test::loop_test {};
RONDO_IN_EACH_WORLD(EagerTaskFactory);

coro<int> seven() { co_return 7; }
coro<std::string> own_name() { co_return current_task().name(); }

TEST_P(TaskFactory, MakesEveryTaskOfTheLoopWithItsOptions) {
    std::vector<std::string> names;
    loop().set_task_factory([&](event_loop& l, any_coro body, task_options options) {
        names.push_back(options.name);
        options.name = "made " + options.name;
        return default_task_factory(l, std::move(body), std::move(options));
    });
    run([&]() -> coro<> {
        names.clear();
        EXPECT_EQ(co_await create_task({.name = "a"}, own_name), "made a");
        EXPECT_EQ(co_await create_task(own_name(), {.name = "b"}), "made b");
        EXPECT_EQ(co_await loop().create_task({.name = "c"}, own_name), "made c");
        co_await task_group::run([](task_group& group) -> coro<> {
            EXPECT_EQ(co_await group.create_task({.name = "d"}, own_name), "made d");
        });
        EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c", "d"}));
        co_await gather(seven(), seven());
        EXPECT_EQ(names.size(), 6U);
    });
}

TEST_P(TaskFactory, NullptrBringsTheDefaultBack) {
    int made = 0;
    loop().set_task_factory([&](event_loop& l, any_coro body, task_options options) {
        ++made;
        return default_task_factory(l, std::move(body), std::move(options));
    });
    EXPECT_EQ(run(seven()), 7);
    EXPECT_EQ(made, 1);
    loop().set_task_factory(nullptr);
    EXPECT_EQ(run(seven()), 7);
    EXPECT_EQ(made, 1);
}

TEST_P(TaskFactory, TheTaskKeepsCallableAndArgumentsToo) {
    loop().set_task_factory(default_task_factory);
    run([]() -> coro<> {
        int living = 0;
        auto t = create_task(
            [kept = test::tracked(living)](const std::string& text) -> coro<std::string> {
                co_await test::pass_by(2);
                co_return text;
            },
            "a literal that is longer than what a std::string keeps in itself");
        co_await yield();
        EXPECT_GE(living, 1);
        EXPECT_EQ((co_await t).size(), 64U);
        EXPECT_EQ(living, 0);
    });
}

TEST_P(TaskFactory, WhatItThrowsComesOutOfCreateTaskAndTheCoroutineDies) {
    run([&]() -> coro<> {
        int living = 0;
        loop().set_task_factory(
            [](event_loop&, any_coro, task_options) -> task_base { throw std::out_of_range("no tasks today"); });
        EXPECT_THROW(static_cast<void>(create_task([](test::tracked) -> coro<> { co_return; }, test::tracked(living))),
                     std::out_of_range);
        EXPECT_EQ(living, 0);
        EXPECT_EQ(all_tasks().size(), 1U);
        loop().set_task_factory(nullptr);
        co_return;
    });
}

TEST_P(TaskFactory, AHandleOfAnotherTypeIsABadCast) {
    run([&]() -> coro<> {
        auto other = create_task([]() -> coro<std::string> { co_return "x"; });
        loop().set_task_factory([&](event_loop&, any_coro, task_options) { return task_base(other); });
        EXPECT_THROW(static_cast<void>(create_task(seven)), std::bad_cast);
        loop().set_task_factory(nullptr);
        co_await other;
    });
}

TEST_P(TaskFactory, MakesTheTaskOfARunToo) {
    std::string made;
    loop().set_task_factory([&](event_loop& l, any_coro body, task_options options) {
        made = "yes";
        return default_task_factory(l, std::move(body), std::move(options));
    });
    run(seven());
    EXPECT_EQ(made, "yes");
}

TEST_P(EagerTaskFactory, MakesTasksThatStartAtOnce) {
    run([&]() -> coro<> {
        loop().set_task_factory(eager_task_factory);
        const std::uint64_t before = passes();
        auto t = create_task(seven);
        EXPECT_TRUE(t.done());
        EXPECT_EQ(co_await t, 7);
        EXPECT_EQ(passes(), before);
        int steps = 0;
        auto u = create_task([&]() -> coro<> {
            ++steps;
            co_await yield();
            ++steps;
        });
        EXPECT_EQ(steps, 1);
        co_await u;
        EXPECT_EQ(steps, 2);
    });
}

TEST_P(EagerTaskFactory, TheOptionOfACallOverridesIt) {
    run([&]() -> coro<> {
        loop().set_task_factory(eager_task_factory);
        auto lazy = create_task({.eager_start = false}, seven);
        EXPECT_FALSE(lazy.done());
        EXPECT_EQ(co_await lazy, 7);
        loop().set_task_factory(default_task_factory);
        auto eager = create_task({.eager_start = true}, seven);
        EXPECT_TRUE(eager.done());
    });
}

TEST_P(EagerTaskFactory, AGatherOfWhatEndsAtOnceIsDoneAtOnce) {
    run([&]() -> coro<> {
        loop().set_task_factory(eager_task_factory);
        auto all = gather_future(seven(), seven());
        EXPECT_TRUE(all.done());
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await gather(seven(), seven()), std::tuple(7, 7));
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(EagerTaskFactory, ATaskSeesItselfAsTheCurrentOneInItsOwnContext) {
    context_var<int> v("v", 0);
    run([&]() -> coro<> {
        loop().set_task_factory(eager_task_factory);
        const any_task outer = current_task();
        auto t = create_task({.name = "inner"}, [&]() -> coro<> {
            EXPECT_EQ(current_task().name(), "inner");
            EXPECT_EQ(all_tasks().back(), current_task());
            v.assign(1);
            co_return;
        });
        EXPECT_EQ(current_task(), outer);
        EXPECT_EQ(v.get(), 0);
        co_await t;
    });
}

TEST_P(EagerTaskFactory, AFailureAtOnceIsInTheHandleAndATaskGroupHearsOfIt) {
    run([&]() -> coro<> {
        loop().set_task_factory(eager_task_factory);
        auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
            group.create_task([]() -> coro<> {
                throw std::out_of_range("at once");
                co_return;
            });
            co_await sleep_forever();
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(group);
        if (group) EXPECT_TRUE(group->contains<std::out_of_range>());
    });
}

} // namespace
} // namespace rondo
