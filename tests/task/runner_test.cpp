// run() and runner: a program's loop.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/to_thread.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace rondo {
namespace {

coro<int> seven() { co_return 7; }
coro<> fail() {
    throw std::out_of_range("x");
    co_return;
}

class Runner : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        if (!test::make_loop(GetParam())) GTEST_SKIP() << "this kernel has no io_uring";
    }
    run_options options() {
        return {.loop_factory = [this] {
            ++loops_made;
            auto loop = test::make_loop(GetParam());
            reports.listen(*loop);
            return loop;
        }};
    }
    void TearDown() override {
        for (const test::report& unexpected : reports.take())
            ADD_FAILURE() << "the exception handler was told: " << unexpected.message;
    }
    test::reports reports;
    int loops_made = 0;
};
RONDO_ON_EACH_BACKEND(Runner);
class Run : public Runner {};
RONDO_ON_EACH_BACKEND(Run);

TEST_P(Run, GivesTheValueOfMainOrThrowsItsError) {
    EXPECT_EQ(rondo::run(seven(), options()), 7);
    EXPECT_EQ(rondo::run(options(), seven), 7);
    EXPECT_EQ(loops_made, 2);
    EXPECT_THROW(rondo::run(fail(), options()), std::out_of_range);
    EXPECT_EQ(rondo::run([](int a, std::string b) -> coro<std::string> { co_return b + std::to_string(a); }, 1, "b"),
              "b1");
    static_assert(std::is_void_v<decltype(rondo::run([]() -> coro<> { co_return; }))>);
}

TEST_P(Run, MovesAValueThatOnlyMoves) {
    EXPECT_EQ(*rondo::run(options(), []() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); }), 4);
}

TEST_P(Run, InsideARunningLoopIsAnErrorAndLeavesThatAlone) {
    rondo::run(options(), [&]() -> coro<> {
        event_loop& here = running_loop();
        EXPECT_THROW(rondo::run(seven), runtime_error);
        EXPECT_THROW(rondo::run(seven()), runtime_error);
        EXPECT_EQ(&running_loop(), &here);
        co_await yield();
    });
}

TEST_P(Run, ACancellationOfMainComesOut) {
    EXPECT_THROW(rondo::run(options(),
                            []() -> coro<> {
                                current_task().cancel("enough");
                                co_await sleep_forever();
                            }),
                 cancelled_error);
}

TEST_P(Run, AnExitRequestComesOut) {
    EXPECT_THROW(rondo::run(options(),
                            []() -> coro<> {
                                throw system_exit(3);
                                co_return;
                            }),
                 system_exit);
    bool cancelled = false;
    EXPECT_THROW(rondo::run(options(),
                            [&]() -> coro<> {
                                spawn([]() -> coro<> {
                                    throw keyboard_interrupt("from a task");
                                    co_return;
                                });
                                try {
                                    co_await sleep_forever();
                                } catch (const cancelled_error&) {
                                    cancelled = true;
                                    throw;
                                }
                            }),
                 keyboard_interrupt);
    EXPECT_TRUE(cancelled); // by close()
}

TEST_P(Run, SetsTheDebugModeThatIsAskedFor) {
    run_options with = options();
    with.debug = true;
    rondo::run(with, []() -> coro<> {
        EXPECT_TRUE(running_loop().debug());
        co_return;
    });
    with.debug = false;
    rondo::run(with, []() -> coro<> {
        EXPECT_FALSE(running_loop().debug());
        co_return;
    });
}

TEST_P(Run, CancelsWhatMainLeavesAndWaitsForIt) {
    std::vector<std::string> log;
    rondo::run(options(), [&]() -> coro<> {
        spawn([&]() -> coro<> {
            auto r = co_await as_result(sleep_forever());
            co_await yield();
            log.push_back(r.cancelled() ? "cleaned up" : "?");
        });
        co_await yield();
        log.push_back("main ends");
    });
    EXPECT_EQ(log, (std::vector<std::string>{"main ends", "cleaned up"}));
}

TEST_P(Runner, MakesItsLoopOnFirstUse) {
    runner r(options());
    EXPECT_EQ(loops_made, 0);
    event_loop& loop = r.loop();
    EXPECT_EQ(loops_made, 1);
    EXPECT_EQ(r.run([&]() -> coro<bool> { co_return &running_loop() == &loop; }), true);
    EXPECT_EQ(&r.loop(), &loop);
    EXPECT_EQ(loops_made, 1);
    runner unused(options());
    unused.close();
    EXPECT_EQ(loops_made, 1);
}

TEST_P(Runner, RunsCoroutinesCallablesWithArgumentsAndHandles) {
    runner r(options());
    EXPECT_EQ(r.run(seven()), 7);
    EXPECT_EQ(r.run([](int x) -> coro<int> { co_return x + 1; }, 1), 2);
    future<int> f = r.loop().create_future<int>();
    r.loop().call_soon([f]() mutable { f.set_result(5); });
    EXPECT_EQ(r.run(f), 5);
    task<int> t = r.loop().create_task(seven);
    EXPECT_EQ(r.run(t), 7);
    EXPECT_EQ(t.result(), 7);
}

TEST_P(Runner, TasksOfOneRunGoOnInTheNext) {
    runner r(options());
    int steps = 0;
    r.run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            for (;;) {
                ++steps;
                co_await yield();
            }
        });
        co_await yield();
    });
    const int after_first = steps;
    r.run([]() -> coro<> { co_await test::pass_by(5); });
    EXPECT_GE(steps, after_first + 5);
}

TEST_P(Runner, AllRunsShareOneContextThatIsACopyOfTheOneItBeganIn) {
    context_var<int> v("v", 0);
    v.assign(1);
    runner r(options());
    r.run([&]() -> coro<> {
        EXPECT_EQ(v.get(), 1);
        v.assign(2);
        co_return;
    });
    EXPECT_EQ(r.run([&]() -> coro<int> { co_return v.get(); }), 2);
    EXPECT_EQ(v.get(), 1);
    EXPECT_EQ(r.run([](context_var<int>& var) -> coro<int> { co_return var.get(); }(v)), 2);
    v.assign(0);
}

TEST_P(Runner, AContextOfOnesOwnIsUsedAsItIs) {
    context_var<int> v("v", 0);
    runner r(options());
    context own;
    const auto set = [](context_var<int>& var) -> coro<> {
        var.assign(8);
        co_return;
    };
    r.run(set(v), {.context = own});
    EXPECT_EQ(v.get(own), 8);
    EXPECT_EQ(r.run([&]() -> coro<int> { co_return v.get(); }), 0);
}

TEST_P(Runner, InsideARunningLoopIsAnErrorAndTheRunnerStaysUsable) {
    runner r(options());
    r.run([&]() -> coro<> {
        EXPECT_THROW(r.run(seven()), runtime_error);
        EXPECT_THROW(r.run(seven), runtime_error);
        runner other(options());
        EXPECT_THROW(other.run(seven()), runtime_error);
        co_return;
    });
    EXPECT_EQ(r.run(seven()), 7);
}

TEST_P(Runner, AfterAnErrorOrACancellationItRunsOn) {
    runner r(options());
    EXPECT_THROW(r.run(fail()), std::out_of_range);
    EXPECT_THROW(r.run([]() -> coro<> {
        current_task().cancel();
        co_await yield();
    }),
                 cancelled_error);
    EXPECT_EQ(r.run(seven()), 7);
}

TEST_P(Runner, ALoopThatWasStoppedIsAnError) {
    runner r(options());
    EXPECT_THROW(r.run([]() -> coro<> {
        running_loop().stop();
        co_await sleep_forever();
    }),
                 runtime_error);
}

TEST_P(Runner, ClosedItCannotBeUsedAndClosingAgainDoesNothing) {
    runner r(options());
    r.run(seven());
    r.close();
    r.close();
    EXPECT_THROW(r.run(seven()), runtime_error);
    EXPECT_THROW(r.run(seven), runtime_error);
    EXPECT_THROW(r.loop(), runtime_error);
}

TEST_P(Runner, CloseCancelsTasksThenClosesGeneratorsThenJoinsTheExecutorThenClosesTheLoop) {
    std::vector<std::string> log; // the task and the generator take turns; the job has a flag of its own
    std::atomic<bool> executed = false;
    {
        runner r(options());
        std::optional<async_generator<int>> numbers; // owned by nobody who awaits
        r.run([&]() -> coro<> {
            spawn([&]() -> coro<> {
                auto interrupted = co_await as_result(sleep_forever());
                co_await to_thread([&] { log.push_back("task, in a thread"); });
                interrupted.value();
            });
            numbers.emplace([](std::vector<std::string>& out) -> async_generator<int> {
                std::exception_ptr closing;
                try {
                    co_yield 1;
                } catch (...) {
                    closing = std::current_exception();
                }
                co_await to_thread([&] { out.push_back("generator, in a thread"); });
                std::rethrow_exception(closing);
            }(log));
            co_await numbers->next();
            co_await yield();
            static_cast<void>(running_loop().run_in_executor(nullptr, [&] { executed = true; }));
        });
        event_loop& loop = r.loop();
        r.loop().call_soon([&] { EXPECT_FALSE(loop.is_closed()); });
        r.close();
    }
    EXPECT_EQ(log, (std::vector<std::string>{"task, in a thread", "generator, in a thread"}));
    EXPECT_TRUE(executed);
}

TEST_P(Runner, WhatFailsWhileItClosesIsReportedOnceAndCancellationsAreNot) {
    {
        runner r(options());
        r.run([]() -> coro<> {
            spawn(sleep_forever());
            spawn({.name = "sore loser"}, []() -> coro<> {
                static_cast<void>(co_await as_result(sleep_forever()));
                throw std::out_of_range("on the way out");
            });
            co_await yield();
        });
    }
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].mentions("sore loser"));
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
    EXPECT_TRUE(told[0].about_task);
}

TEST_P(Runner, AFactoryThatFailsLeavesItUsable) {
    bool fails = true;
    runner r(run_options{.loop_factory = [&] {
        if (fails) throw std::out_of_range("no loop");
        return test::make_loop(GetParam());
    }});
    EXPECT_THROW(r.run(seven()), std::out_of_range);
    fails = false;
    EXPECT_EQ(r.run(seven()), 7);
}

} // namespace
} // namespace rondo
