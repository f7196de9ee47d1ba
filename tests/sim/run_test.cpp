#include <rondo/sim/run.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/open_connection.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run.hpp>
#include <rondo/task/sleep.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::failure_kind;
using testing::HasSubstr;

failure_kind kind_of_failure(const rondo::sim::body_factory& body, const rondo::sim::options& how = {}) {
    const auto outcome = rondo::sim::run(how, body);
    if (!outcome.failure) throw std::logic_error("it did not fail");
    return outcome.failure->kind;
}

TEST(SimulatedRun, OfACorrectBodyDoesNotFail) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> { co_await rondo::sleep(1h); });
    EXPECT_FALSE(outcome.failure);
    EXPECT_GT(outcome.passes, 0U);
}

TEST(SimulatedRun, SaysWhatTheBodyThrew) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        co_await rondo::yield();
        throw std::runtime_error("no luck");
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, failure_kind::error);
    EXPECT_THAT(outcome.failure->message, HasSubstr("no luck"));
}

TEST(SimulatedRun, NamesEveryTaskOfADeadlockAndTheCircle) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        rondo::lock a("a");
        rondo::lock b("b");
        const auto take = [](rondo::lock& first, rondo::lock& second) -> coro<> {
            auto one = co_await first.scoped_lock();
            co_await rondo::yield();
            auto two = co_await second.scoped_lock();
        };
        auto left = rondo::create_task({.name = "left"}, take, std::ref(a), std::ref(b));
        auto right = rondo::create_task({.name = "right"}, take, std::ref(b), std::ref(a));
        co_await left;
        co_await right;
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, failure_kind::deadlock);
    EXPECT_THAT(outcome.failure->message, HasSubstr("waiting for lock 'b' held by"));
    EXPECT_THAT(outcome.failure->message, HasSubstr("waiting for lock 'a' held by"));
    EXPECT_THAT(outcome.failure->message, HasSubstr("a circle: "));
    EXPECT_THAT(outcome.failure->message, HasSubstr("run_test.cpp"));
}

TEST(SimulatedRun, EndsWhenABodyNeverDoes) {
    const auto spins = []() -> coro<> {
        for (;;) co_await rondo::yield();
    };
    EXPECT_EQ(kind_of_failure(spins, {.max_steps = 1000}), failure_kind::endless);
}

TEST(SimulatedRun, FindsTasksThatOutliveTheBody) {
    const auto body = []() -> coro<> {
        rondo::spawn([]() -> coro<> { co_await rondo::sleep_forever(); });
        co_return;
    };
    EXPECT_EQ(kind_of_failure(body), failure_kind::leak);
}

TEST(SimulatedRun, LeavesAMinuteForWhatEndsByItself) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        rondo::spawn([]() -> coro<> { co_await rondo::sleep(50s); });
        co_return;
    });
    EXPECT_FALSE(outcome.failure);
}

TEST(SimulatedRun, FindsTimersThatAreLeft) {
    const auto body = []() -> coro<> {
        rondo::running_loop().call_later(1h, [] {});
        co_return;
    };
    EXPECT_EQ(kind_of_failure(body), failure_kind::leak);
}

TEST(SimulatedRun, FindsDescriptorsThatAreLeft) {
    const auto body = []() -> coro<> {
        rondo::detail::loop_access::backend(rondo::running_loop()).os().open_socket(AF_INET6, SOCK_STREAM, 0);
        co_return;
    };
    EXPECT_EQ(kind_of_failure(body), failure_kind::leak);
}

TEST(SimulatedRun, FailsForWhatTheExceptionHandlerIsTold) {
    const auto body = []() -> coro<> {
        rondo::spawn([]() -> coro<> {
            co_await rondo::yield();
            throw std::runtime_error("unseen");
        });
        co_return;
    };
    EXPECT_EQ(kind_of_failure(body), failure_kind::report);
}

TEST(SimulatedRun, NamesWhatIsNotSimulated) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        rondo::detail::os& os = rondo::detail::loop_access::backend(rondo::running_loop()).os();
        if (os.open_socket(AF_INET, SOCK_RAW, 0) < 0) throw std::runtime_error("no socket");
        co_return;
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, failure_kind::error);
    EXPECT_THAT(outcome.failure->message,
                HasSubstr("Not simulated, and asked for: sockets other than streams and datagrams"));
}

TEST(SimulatedRun, IsNotMadeInsideARunningLoop) {
    rondo::run([]() -> coro<> {
        EXPECT_THROW(rondo::sim::run({}, []() -> coro<> { co_return; }), rondo::runtime_error);
        co_return;
    });
}

coro<> random_walk() {
    std::vector<rondo::task<>> walkers;
    for (int i = 0; i < 5; ++i) {
        walkers.push_back(rondo::create_task([]() -> coro<> {
            for (int step = 0; step < 10; ++step) {
                co_await rondo::sim::hesitate("between steps");
                co_await rondo::sleep(std::chrono::milliseconds(rondo::sim::choose(5, "how long to sleep")));
            }
        }));
    }
    for (auto& w : walkers) co_await w;
}

TEST(SimulatedRun, IsTheSameForTheSameSeed) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const rondo::sim::options how{.seed = seed, .strategy = rondo::sim::strategy::random()};
        const auto first = rondo::sim::run(how, random_walk);
        const auto second = rondo::sim::run(how, random_walk);
        EXPECT_EQ(first.trace, second.trace);
        EXPECT_EQ(first.choices, second.choices);
        EXPECT_EQ(first.passes, second.passes);
    }
}

TEST(SimulatedRun, DiffersFromSeedToSeed) {
    const auto trace = [](std::uint64_t seed) {
        return rondo::sim::run({.seed = seed, .strategy = rondo::sim::strategy::random()}, random_walk).trace;
    };
    EXPECT_NE(trace(1), trace(2));
}

TEST(Replay, MakesTheRunThatFailedAgain) {
    const auto body = []() -> coro<> {
        const auto drawn = rondo::sim::choose(100, "a number");
        co_await rondo::yield();
        if (drawn == 42) throw std::runtime_error("42");
    };
    EXPECT_FALSE(rondo::sim::replay({}, "7@", body).failure);
    EXPECT_FALSE(rondo::sim::replay({}, "7@0=41", body).failure);
    const auto outcome = rondo::sim::replay({}, "7@0=42", body);
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->replay(), "7@0=42");
    EXPECT_THAT(outcome.failure->str(), HasSubstr("deviate at step 0: a number (42 of 99)"));
    EXPECT_THAT(outcome.failure->str(), HasSubstr("RONDO_SIM_REPLAY=7@0=42"));
    EXPECT_THROW(rondo::sim::replay({}, "7", body), rondo::value_error);
    EXPECT_THROW(rondo::sim::replay({}, "7@1", body), rondo::value_error);
    EXPECT_THROW(rondo::sim::replay({}, "7@1=x", body), rondo::value_error);
}

TEST(Replay, OfTheEnvironmentIsTheOnlyRunOfAnExploration) {
    std::vector<std::uint32_t> drawn;
    const auto body = [&]() -> coro<> {
        drawn.push_back(rondo::sim::choose(100, "a number"));
        co_return;
    };
    ::setenv("RONDO_SIM_REPLAY", "3@0=7", 1);
    const auto explored = rondo::sim::explore({}, body);
    ::unsetenv("RONDO_SIM_REPLAY");
    EXPECT_EQ(explored.schedules, 1U);
    EXPECT_EQ(drawn, std::vector<std::uint32_t>{7});
}

TEST(Exploration, FindsABodyThatDependsOnMoreThanTheWorld) {
    int runs = 0;
    const auto found = rondo::sim::explore({}, [&]() -> coro<> {
        if (++runs % 2 == 0) co_await rondo::yield();
    });
    ASSERT_TRUE(found.counter_example);
    EXPECT_EQ(found.counter_example->kind, failure_kind::nondeterminism);
}

TEST(Exploration, FindsMemoryThatIsNotGivenBack) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    std::vector<std::unique_ptr<int>> hoard;
    const auto found = rondo::sim::explore({}, [&]() -> coro<> {
        hoard.push_back(std::make_unique<int>(1));
        co_return;
    });
    ASSERT_TRUE(found.counter_example);
    EXPECT_EQ(found.counter_example->kind, failure_kind::leak);
    EXPECT_THAT(found.counter_example->message, HasSubstr("memory is not given back"));

    std::unique_ptr<int> cached;
    const auto fine = rondo::sim::explore({}, [&]() -> coro<> {
        if (!cached) cached = std::make_unique<int>(1);
        co_return;
    });
    EXPECT_FALSE(fine.counter_example) << fine.counter_example->str();
}

TEST(Exploration, CountsAFailedExpectationAndSaysItOnce) {
    const auto found = rondo::sim::explore_expectations({}, []() -> coro<> {
        EXPECT_FALSE(rondo::sim::perhaps("it rains")) << "wet";
        co_return;
    });
    ASSERT_TRUE(found.counter_example);
    EXPECT_EQ(found.counter_example->kind, failure_kind::check);
    EXPECT_THAT(found.counter_example->message, HasSubstr("wet"));
    EXPECT_EQ(found.counter_example->deviations.size(), 1U);
}

TEST(Exploration, MakesSmallerWhatItFinds) {
    const auto found = rondo::sim::explore({.strategy = rondo::sim::strategy::random()}, []() -> coro<> {
        std::uint32_t sum = 0;
        for (int i = 0; i < 30; ++i) sum += rondo::sim::choose(50, "a summand");
        if (sum >= 20) throw std::runtime_error("too much");
        co_return;
    });
    ASSERT_TRUE(found.counter_example);
    ASSERT_EQ(found.counter_example->deviations.size(), 1U) << found.counter_example->str();
}

TEST(Exploration, ExhaustiveMakesEveryRunWithAtMostSoManyDeviationsOnce) {
    std::size_t runs = 0;
    const auto result = rondo::sim::explore({.strategy = rondo::sim::strategy::exhaustive(2)}, [&]() -> coro<> {
        ++runs;
        for (int i = 0; i < 4; ++i) rondo::sim::perhaps("heads");
        co_return;
    });
    EXPECT_FALSE(result.counter_example);
    EXPECT_EQ(runs, 1U + 4U + 6U);
    EXPECT_EQ(result.schedules, runs);
}

RONDO_SIM_TEST(SimTest, RunsItsBodyInEverySchedule, {.schedules = 20}) {
    const auto before = rondo::sim::world().now();
    co_await rondo::sleep(1s);
    EXPECT_GE(rondo::sim::world().now() - before, 1s);
}

} // namespace
