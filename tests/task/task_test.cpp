// task<T>: how tasks come into being, run, and end.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class Task : public test::loop_test {};
RONDO_IN_EACH_WORLD(Task);
class CreateTask : public test::loop_test {};
RONDO_IN_EACH_WORLD(CreateTask);
class Spawn : public test::loop_test {};
RONDO_IN_EACH_WORLD(Spawn);
class EnsureFuture : public test::loop_test {};
RONDO_IN_EACH_WORLD(EnsureFuture);

coro<int> one() { co_return 1; }
coro<> fail() {
    throw std::out_of_range("failed");
    co_return;
}

TEST_P(CreateTask, TheFirstStepRunsInTheNextPassAfterWhatIsReadyNow) {
    run([&]() -> coro<> {
        std::vector<char> order;
        loop().call_soon([&] { order.push_back('a'); });
        auto t = create_task([&]() -> coro<> {
            order.push_back('b');
            co_return;
        });
        loop().call_soon([&] { order.push_back('c'); });
        EXPECT_TRUE(order.empty());
        EXPECT_FALSE(t.done());
        const std::uint64_t before = passes();
        co_await yield();
        EXPECT_EQ(order, (std::vector<char>{'a', 'b', 'c'}));
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(CreateTask, TakesACoroutineACallableWithArgumentsAndAnyOtherAwaitable) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await create_task(one()), 1);
        EXPECT_EQ(co_await create_task(one), 1);
        EXPECT_EQ(co_await create_task(
                      [](int a, const std::string& b) -> coro<int> { co_return a + static_cast<int>(b.size()); }, 2,
                      std::string("abc")),
                  5);
        co_await create_task(yield());
        EXPECT_EQ(co_await create_task(sleep(duration::zero(), 7)), 7);
        auto f = create_future<int>();
        f.set_result(8);
        EXPECT_EQ(co_await create_task([f] { return f; }), 8); // a callable that returns an awaitable
    });
}

TEST_P(CreateTask, StoresCallableAndArgumentsUntilTheTaskIsDone) {
    run([]() -> coro<> {
        int living = 0;
        auto t = create_task([kept = test::tracked(living)](test::tracked) -> coro<> { co_await pass_by(2); },
                             test::tracked(living));
        co_await pass_by(2);
        EXPECT_GE(living, 2);
        co_await t;
        t = {};
        EXPECT_EQ(living, 0);
    });
}

TEST_P(CreateTask, MovesWhatOnlyMovesAndTakesReferencesThroughStdRef) {
    run([]() -> coro<> {
        int target = 0;
        co_await create_task(
            [](std::unique_ptr<int> p, int& into) -> coro<> {
                into = *p;
                co_return;
            },
            std::make_unique<int>(6), std::ref(target));
        EXPECT_EQ(target, 6);
    });
}

TEST_P(CreateTask, TakesMemberFunctionsAndSixArguments) {
    struct adder {
        int base;
        coro<int> add(int x) { co_return base + x; }
    };
    run([]() -> coro<> {
        EXPECT_EQ(co_await create_task(&adder::add, adder{3}, 4), 7);
        const auto sum = [](int a, int b, int c, int d, int e, int f) -> coro<int> { co_return a + b + c + d + e + f; };
        EXPECT_EQ(co_await create_task(sum, 1, 2, 3, 4, 5, 6), 21);
    });
}

TEST_P(CreateTask, KnowsTheLineItWasCalledOn) {
    run([]() -> coro<> {
        const auto here = std::source_location::current().line();
        auto a = create_task(one());
        auto b = create_task(one);
        auto c = create_task({.name = "x"}, [](int) -> coro<> { co_return; }, 1);
        EXPECT_EQ(a.created_at().line(), here + 1);
        EXPECT_EQ(b.created_at().line(), here + 2);
        EXPECT_EQ(c.created_at().line(), here + 3);
        co_await a;
        co_await b;
        co_await c;
    });
}

TEST_P(CreateTask, NeedsARunningLoopUnlessOneIsNamed) {
    EXPECT_THROW(static_cast<void>(create_task(one)), runtime_error);
    EXPECT_THROW(static_cast<void>(create_task(one())), runtime_error);
    auto t = loop().create_task(one);
    auto u = loop().create_task({.name = "u"}, one);
    auto v = loop().create_task(one());
    EXPECT_EQ(loop().run_until_complete(t), 1);
    EXPECT_EQ(loop().run_until_complete(v), 1);
    EXPECT_EQ(u.result(), 1);
}

TEST_P(CreateTask, OfAnEmptyCoroutineIsAnError) {
    run([]() -> coro<> {
        coro<int> c = one();
        EXPECT_EQ(co_await create_task(std::move(c)), 1);
        EXPECT_THROW(static_cast<void>(create_task(std::move(c))),
                     invalid_state_error); // NOLINT(bugprone-use-after-move)
    });
}

TEST_P(CreateTask, EagerRunsAtOnceUntilItFirstSuspends) {
    run([&]() -> coro<> {
        const any_task outer = current_task();
        any_task inside;
        auto t = create_task({.name = "eager", .eager_start = true}, [&]() -> coro<int> {
            inside = current_task();
            co_return 3;
        });
        EXPECT_TRUE(t.done());
        EXPECT_EQ(inside, t);
        EXPECT_EQ(current_task(), outer);
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await t, 3);
        EXPECT_EQ(passes(), before);

        int steps = 0;
        auto u = create_task({.eager_start = true}, [&]() -> coro<> {
            ++steps;
            co_await yield();
            ++steps;
        });
        EXPECT_EQ(steps, 1);
        EXPECT_FALSE(u.done());
        co_await u;
        EXPECT_EQ(steps, 2);
    });
}

TEST_P(CreateTask, EagerRunsInItsOwnContext) {
    context_var<int> v("v", 0);
    run([&]() -> coro<> {
        v.assign(1);
        auto t = create_task({.eager_start = true}, [&]() -> coro<> {
            EXPECT_EQ(v.get(), 1);
            v.assign(2);
            co_return;
        });
        EXPECT_EQ(v.get(), 1);
        co_await t;
    });
}

TEST_P(CreateTask, EagerStartWaitsForTheLoopToRun) {
    bool started = false;
    auto t = loop().create_task({.eager_start = true}, [&]() -> coro<> {
        started = true;
        EXPECT_EQ(&running_loop(), &current_task().loop());
        co_return;
    });
    EXPECT_FALSE(started);
    loop().run_until_complete(t);
    EXPECT_TRUE(started);
}

TEST_P(CreateTask, AFailingEagerTaskFailsThroughItsHandle) {
    run([]() -> coro<> {
        auto t = create_task({.eager_start = true}, fail);
        EXPECT_TRUE(t.done());
        EXPECT_TRUE((co_await as_result(t)).holds<std::out_of_range>());
    });
}

TEST_P(Task, ADroppedHandleNeitherEndsNorLosesIt) {
    bool ran = false;
    run([&]() -> coro<> {
        static_cast<void>(create_task([&]() -> coro<> {
            co_await pass_by(3);
            ran = true;
        }));
        co_await pass_by(6);
    });
    EXPECT_TRUE(ran);
}

TEST_P(Task, AwaitingGivesACopyTheLastRvalueHandleTheValueItself) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<std::vector<int>> { co_return std::vector<int>{1}; });
        co_await pass_by(1);
        const int* const kept = t.result().data();
        EXPECT_NE((co_await t).data(), kept);
        EXPECT_EQ((co_await std::move(t)).data(), kept);
        auto u = create_task([]() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(1); });
        EXPECT_EQ(*co_await u, 1);
        EXPECT_THROW(static_cast<void>(u.take()), invalid_state_error);
    });
}

TEST_P(Task, StateAndAccessors) {
    run([&]() -> coro<> {
        auto t = create_task({.name = "worker"}, []() -> coro<int> {
            co_await yield();
            co_return 2;
        });
        EXPECT_FALSE(t.done());
        EXPECT_THROW(static_cast<void>(t.result()), invalid_state_error);
        EXPECT_THROW(static_cast<void>(t.exception()), invalid_state_error);
        EXPECT_EQ(t.name(), "worker");
        t.set_name("renamed");
        EXPECT_EQ(t.name(), "renamed");
        EXPECT_EQ(&t.loop(), &loop());
        EXPECT_EQ(any_task(t).as_task<int>(), t);
        EXPECT_THROW(static_cast<void>(t.as_task<long>()), std::bad_cast);
        EXPECT_THROW(static_cast<void>(t.as_future<int>()), std::bad_cast);
        EXPECT_EQ(co_await t, 2);
        EXPECT_EQ(t.result(), 2);
        EXPECT_EQ(t.exception(), nullptr);
        EXPECT_EQ(t.take(), 2);
    });
}

TEST_P(Task, TheDefaultNameIsTaskN) {
    run([]() -> coro<> {
        auto t = create_task(one);
        auto u = create_task(one);
        EXPECT_EQ(t.name().substr(0, 5), "Task-");
        EXPECT_NE(t.name(), u.name());
        co_await t;
        co_await u;
    });
}

TEST_P(Task, CurrentTaskIsTheOneWhoseStepRuns) {
    EXPECT_THROW(static_cast<void>(current_task()), runtime_error);
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<std::uint64_t> { co_return current_task().id(); });
        EXPECT_EQ(co_await t, t.id());
        EXPECT_NE(current_task(), t);
        bool checked = false;
        loop().call_soon([&] {
            EXPECT_FALSE(current_task());
            checked = true;
        });
        co_await yield();
        EXPECT_TRUE(checked);
    });
}

TEST_P(Task, AllTasksAreThoseThatAreNotDoneInCreationOrder) {
    run([&]() -> coro<> {
        auto a = create_task(sleep_forever());
        auto b = create_task(one);
        auto c = create_task(sleep_forever());
        EXPECT_EQ(all_tasks(), (std::vector<any_task>{current_task(), a, b, c}));
        co_await b;
        EXPECT_EQ(all_tasks(loop()), (std::vector<any_task>{current_task(), a, c}));
        auto eager = create_task({.eager_start = true}, []() -> coro<bool> {
            const auto all = all_tasks(); // itself, in the middle of its first step
            co_return all.back() == current_task();
        });
        EXPECT_TRUE(co_await eager);
    });
}

TEST_P(Task, AFailureThatNobodyLooksAtIsReportedWithItsCreationPlaceWhenTheLastHandleDies) {
    unsigned line = 0;
    run([&]() -> coro<> {
        {
            line = std::source_location::current().line() + 1;
            auto t = create_task({.name = "forgotten"}, fail);
            co_await pass_by(2);
            EXPECT_TRUE(t.done());
            EXPECT_EQ(reports.count(), 0u);
        }
        EXPECT_EQ(reports.count(), 1u);
    });
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].mentions("forgotten"));
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
    EXPECT_TRUE(told[0].about_task);
    ASSERT_TRUE(told[0].created_at.has_value());
    EXPECT_EQ(told[0].created_at->line(), line);
}

TEST_P(Task, AFailureWithoutAHandleIsReportedWhenItHappens) {
    run([&]() -> coro<> {
        static_cast<void>(create_task(fail));
        co_await yield();
        EXPECT_EQ(reports.count(), 1u);
    });
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(Task, AFailureThatIsAwaitedOrLookedAtIsNotReported) {
    run([&]() -> coro<> {
        auto t = create_task(fail);
        EXPECT_TRUE((co_await as_result(t)).holds<std::out_of_range>());
        auto u = create_task(fail);
        co_await pass_by(1);
        EXPECT_NE(u.exception(), nullptr);
    });
}

TEST_P(Task, TheAsyncStackIsTheChainOfAwaitsInnermostFirst) {
    run([]() -> coro<> {
        unsigned inner_line = 0;
        unsigned outer_line = 0;
        const auto inner = [&]() -> coro<> {
            inner_line = std::source_location::current().line() + 1;
            co_await sleep_forever();
        };
        auto t = create_task([&]() -> coro<> {
            outer_line = std::source_location::current().line() + 1;
            co_await inner();
        });
        co_await yield();
        const auto stack = t.async_stack();
        EXPECT_EQ(stack.size(), 2u);
        if (stack.size() == 2) {
            EXPECT_EQ(stack[0].where.line(), inner_line);
            EXPECT_EQ(stack[1].where.line(), outer_line);
            EXPECT_NE(stack[0].function.find("operator()"), std::string::npos);
        }
        t.cancel();
        static_cast<void>(co_await as_result(t));
        EXPECT_TRUE(t.async_stack().empty());
    });
}

TEST_P(Spawn, RunsAndForgets) {
    int sum = 0;
    run([&]() -> coro<> {
        const auto add = [&](int x) -> coro<> {
            sum += x;
            co_return;
        };
        spawn(add(1));
        spawn(add, 2);
        spawn({.name = "named"}, add, 4);
        spawn(add(8), {.name = "named too"});
        co_await yield();
    });
    EXPECT_EQ(sum, 15);
}

TEST_P(Spawn, AFailureGoesToTheExceptionHandlerAtOnce) {
    run([&]() -> coro<> {
        spawn({.name = "doomed"}, fail);
        co_await yield();
        EXPECT_EQ(reports.count(), 1u);
    });
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].mentions("doomed"));
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
    EXPECT_TRUE(told[0].created_at.has_value());
}

TEST_P(Spawn, AFailureIsReportedAtOnceEvenWhenSomebodyHoldsAHandle) {
    run([&]() -> coro<> {
        any_task held;
        spawn([&]() -> coro<> {
            held = current_task();
            throw std::out_of_range("x");
            co_return;
        });
        co_await yield();
        EXPECT_EQ(reports.count(), 1u);
        held = {};
    });
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(Spawn, ACancellationIsNotAFailure) {
    run([]() -> coro<> {
        spawn([]() -> coro<> {
            throw cancelled_error();
            co_return;
        });
        co_await yield();
    });
}

TEST_P(Spawn, AnEagerFailureIsReportedToo) {
    run([&]() -> coro<> {
        spawn({.eager_start = true}, fail);
        EXPECT_EQ(reports.count(), 1u);
        co_return;
    });
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(EnsureFuture, GivesAHandleBackAndMakesATaskOfAnythingElse) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        EXPECT_EQ(ensure_future(f), f);
        auto t = create_task(one);
        EXPECT_EQ(ensure_future(t), t);
        EXPECT_EQ(co_await ensure_future(one()), 1);
        co_await ensure_future(yield());
        co_await t;
    });
}

TEST_P(EnsureFuture, OfAnotherLoopIsAnError) {
    const auto other = test::make_loop(GetParam());
    auto f = other->create_future<int>();
    run([&]() -> coro<> {
        EXPECT_THROW(ensure_future(f), value_error);
        co_return;
    });
    other->close();
}

} // namespace
} // namespace rondo
