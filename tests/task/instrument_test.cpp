// Instruments: each hook is called when and as often as it says, and one that fails is removed.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/instrument.hpp>
#include <rondo/task/run.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

/// Writes down what it is told; of tasks, those that have a name.
class recorder : public instrument {
public:
    explicit recorder(std::string mark = {}) : mark_(std::move(mark)) {}
    std::vector<std::string> said;
    int steps = 0;
    int spawned = 0;
    int scheduled = 0;
    int exited = 0;
    int waits = 0;
    int ended_waits = 0;
    std::vector<delay> timeouts;

    void before_run() override { say("run"); }
    void after_run() override { say("end of run"); }
    void task_spawned(const any_task& t) override {
        ++spawned;
        say("spawned " + t.name());
    }
    void task_scheduled(const any_task& t) override {
        ++scheduled;
        say("scheduled " + t.name());
    }
    void before_task_step(const any_task& t) override {
        ++steps;
        say("step " + t.name());
    }
    void after_task_step(const any_task& t) override { say("after " + t.name()); }
    void task_exited(const any_task& t) override {
        ++exited;
        EXPECT_TRUE(t.done());
        say("exited " + t.name());
    }
    void before_io_wait(delay timeout) override {
        ++waits;
        timeouts.push_back(timeout);
    }
    void after_io_wait(delay) override { ++ended_waits; }

private:
    void say(const std::string& what) {
        if (what.find("Task-") == std::string::npos) said.push_back(mark_ + what);
    }
    std::string mark_;
};

using log = std::vector<std::string>;

class Instrument : public test::loop_test {
protected:
    std::shared_ptr<recorder> install(std::string mark = {}) {
        auto made = std::make_shared<recorder>(std::move(mark));
        add_instrument(loop(), made);
        return made;
    }
};
RONDO_ON_EACH_BACKEND(Instrument);

TEST_P(Instrument, TellsTheLifeOfATaskInOrder) {
    auto t = loop().create_task([]() -> coro<> { // before: unknown until it steps
        co_await create_task({.name = "child"}, []() -> coro<> { co_await yield(); });
    });
    const auto seen = install();
    run([&]() -> coro<> { co_await t; });
    EXPECT_EQ(seen->said, (log{"run", "spawned child", "scheduled child", "step child", "scheduled child",
                               "after child", "step child", "exited child", "after child", "end of run"}));
}

TEST_P(Instrument, CountsEachStepSchedulingAndEndOnce) {
    const auto seen = install();
    run([]() -> coro<> { // 1 spawned; 1 + 10 steps, 1 + 10 times scheduled
        for (int i = 0; i < 10; ++i) co_await yield();
    });
    EXPECT_EQ(seen->spawned, 1);
    EXPECT_EQ(seen->steps, 11);
    EXPECT_EQ(seen->scheduled, 11);
    EXPECT_EQ(seen->exited, 1);
}

TEST_P(Instrument, AnEagerTaskStepsInsideTheStepThatSpawnsIt) {
    const auto seen = install();
    run([&]() -> coro<> {
        co_await create_task({.name = "parent"}, []() -> coro<> {
            auto eager = create_task({.name = "eager", .eager_start = true}, []() -> coro<> { co_return; });
            EXPECT_TRUE(eager.done());
            co_await eager;
        });
    });
    EXPECT_EQ(seen->said,
              (log{"run", "spawned parent", "scheduled parent", "step parent", "spawned eager", "step eager",
                   "exited eager", "after eager", "exited parent", "after parent", "end of run"}));
}

TEST_P(Instrument, KnowsHowLongAWaitMayTake) {
    const auto seen = install();
    run([]() -> coro<> { co_await sleep(1ms); });
    ASSERT_FALSE(seen->timeouts.empty());
    bool slept = false;
    for (const delay& d : seen->timeouts) slept = slept || (d.value() > 0ms && d.value() <= 1ms);
    EXPECT_TRUE(slept);
    EXPECT_EQ(seen->waits, seen->ended_waits);
    seen->timeouts.clear();
    loop().call_soon([&] { loop().stop(); });
    loop().run_forever();
    EXPECT_EQ(seen->timeouts.size(), 0U) << "there was work: no poll";
    loop().run_once(0ms);
    ASSERT_EQ(seen->timeouts.size(), 1U);
    EXPECT_EQ(seen->timeouts.at(0).value(), 0ms);
    auto wakes = loop().create_task([&]() -> coro<> { co_await sleep_forever(); });
    loop().run_once(0ms);
    seen->timeouts.clear();
    loop().call_soon_threadsafe([] {}); // so that it does not sleep: what it is told before is what counts
    loop().run_once(no_timeout);
    loop().stop();
    loop().run_once(no_timeout);
    ASSERT_EQ(seen->timeouts.size(), 1U);
    EXPECT_EQ(seen->timeouts.at(0).value(), 0ms) << "stopped: it only looks";
    wakes.cancel();
}

TEST_P(Instrument, OneRunOnceIsARun) {
    const auto seen = install();
    loop().run_once(0ms);
    loop().run_once(0ms);
    EXPECT_EQ(seen->said, (log{"run", "end of run", "run", "end of run"}));
}

TEST_P(Instrument, SeveralAreToldInTheOrderOfTheirInstallationAndTwiceIsOnce) {
    log common;
    struct caller : instrument {
        log* out;
        std::string name;
        caller(log* o, std::string n) : out(o), name(std::move(n)) {}
        void before_run() override { out->push_back(name); }
    };
    const auto a = std::make_shared<caller>(&common, "a");
    const auto b = std::make_shared<caller>(&common, "b");
    add_instrument(loop(), a);
    add_instrument(loop(), b);
    add_instrument(loop(), a);
    loop().run_once(0ms);
    EXPECT_EQ(common, (log{"a", "b"}));
    EXPECT_TRUE(remove_instrument(loop(), a));
    EXPECT_FALSE(remove_instrument(loop(), a));
    loop().run_once(0ms);
    EXPECT_EQ(common, (log{"a", "b", "b"}));
    EXPECT_TRUE(remove_instrument(loop(), b));
    loop().run_once(0ms);
    EXPECT_EQ(common.size(), 3U);
    EXPECT_EQ(a.use_count(), 1) << "the loop has let go of it";
}

TEST_P(Instrument, WhatAHookThrowsIsReportedItIsRemovedAndTheOthersGoOn) {
    struct failing : instrument {
        int calls = 0;
        void task_scheduled(const any_task&) override {
            ++calls;
            throw std::out_of_range("no");
        }
    };
    const auto bad = std::make_shared<failing>();
    add_instrument(loop(), bad);
    const auto good = install();
    EXPECT_EQ(run([]() -> coro<int> {
                  co_await yield();
                  co_await yield();
                  co_return 4;
              }),
              4);
    EXPECT_EQ(bad->calls, 1);
    EXPECT_EQ(good->scheduled, 3);
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].message, "an instrument failed in task_scheduled() and was removed");
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
    EXPECT_FALSE(remove_instrument(loop(), bad));
}

TEST_P(Instrument, AFailureAfterTheLastRunIsReportedByClose) {
    struct failing : instrument {
        void after_run() override { throw std::out_of_range("no"); }
    };
    add_instrument(loop(), std::make_shared<failing>());
    loop().run_once(0ms);
    loop().close();
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].mentions("after_run"));
}

TEST_P(Instrument, AHookMayInstallAndRemove) {
    struct once : instrument, std::enable_shared_from_this<once> {
        int steps = 0;
        std::shared_ptr<instrument> next;
        void before_task_step(const any_task&) override {
            ++steps;
            add_instrument(next);
            EXPECT_TRUE(remove_instrument(shared_from_this()));
        }
    };
    const auto first = std::make_shared<once>();
    const auto second = std::make_shared<recorder>();
    first->next = second;
    add_instrument(loop(), first);
    run([]() -> coro<> {
        co_await yield();
        co_await yield();
    });
    EXPECT_EQ(first->steps, 1);
    EXPECT_EQ(second->steps, 2) << "from the next hook on";
}

TEST_P(Instrument, SeesTheEndOfTasksThatTheLoopsEndTakes) {
    const auto seen = install();
    run([]() -> coro<> {
        spawn([]() -> coro<> { co_await sleep_forever(); });
        co_await yield();
    });
    EXPECT_EQ(seen->exited, 1);
    loop().close();
    EXPECT_EQ(seen->exited, 2);
    EXPECT_EQ(seen.use_count(), 1);
    EXPECT_FALSE(remove_instrument(loop(), seen));
    EXPECT_THROW(add_instrument(loop(), seen), runtime_error);
}

TEST_P(Instrument, RunInstallsThemBeforeTheFirstPass) {
    const auto seen = std::make_shared<recorder>();
    rondo::run({.loop_factory = [] { return test::make_loop(GetParam()); }, .instruments = {seen}},
               []() -> coro<> { co_await yield(); });
    EXPECT_EQ(seen->steps, 2);
    EXPECT_EQ(seen->said, (log{"run", "end of run"}));
    EXPECT_THROW(add_instrument(loop(), nullptr), type_error);
    EXPECT_THROW(add_instrument(seen), runtime_error) << "no loop runs";
}

TEST_P(Instrument, WithoutOneNobodyIsTold) {
    const detail::loop_state& state = detail::loop_access::state(loop());
    const auto nobody = [&] { return !state.observer && !state.watched; };
    EXPECT_TRUE(nobody());
    auto one = install();
    auto other = install();
    EXPECT_FALSE(nobody());
    EXPECT_TRUE(remove_instrument(loop(), one));
    EXPECT_FALSE(nobody());
    EXPECT_TRUE(remove_instrument(loop(), other));
    EXPECT_TRUE(nobody());
}

TEST_P(Instrument, DebugModeAndInstrumentsDoNotDisturbEachOther) {
    loop().set_debug(true);
    const auto seen = install();
    run([]() -> coro<> { co_await yield(); });
    EXPECT_EQ(seen->steps, 2);
    EXPECT_TRUE(remove_instrument(loop(), seen));
    EXPECT_TRUE(detail::loop_access::state(loop()).watched) << "debug mode still looks at each step";
    loop().set_debug(false);
    EXPECT_FALSE(detail::loop_access::state(loop()).watched);
}

} // namespace
} // namespace rondo
