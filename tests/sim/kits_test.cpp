// The kits for testing things of one's own: they accept what is right, and find what is wrong.
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/check_lock.hpp>
#include <rondo/sim/check_queue.hpp>
#include <rondo/sim/check_stream.hpp>
#include <rondo/sim/checkpoints.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/mock_clock.hpp>
#include <rondo/sim/sequencer.hpp>
#include <rondo/sim/stream_pair.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/queue.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/task_group.hpp>

#include "sim/mutants/barging_lock.hpp"
#include "sim/mutants/lossy_lock.hpp"
#include "sim/mutants/lossy_queue.hpp"
#include "sim/plain_world.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::failure_kind;
using rondo::test::in_a_plain_world;
using stream_pair = std::pair<rondo::connection, rondo::connection>;

TEST(CheckLock, AcceptsTheLibrarysOwn) {
    const auto checked = rondo::sim::check_lock([] { return std::make_unique<rondo::lock>(); });
    EXPECT_FALSE(checked.counter_example) << checked.counter_example->str();
    EXPECT_EQ(checked.schedules, 1000U);
}

TEST(CheckLock, FindsALostWakeUp) {
    const auto checked = rondo::sim::check_lock([] { return std::make_unique<rondo::test::lossy_lock>(); });
    ASSERT_TRUE(checked.counter_example);
}

TEST(CheckLock, FindsOneWhoGoesAheadOfHisTurn) {
    const auto checked = rondo::sim::check_lock([] { return std::make_unique<rondo::test::barging_lock>(); });
    ASSERT_TRUE(checked.counter_example);
    EXPECT_EQ(checked.counter_example->kind, failure_kind::error);
}

TEST(CheckQueue, AcceptsTheLibrarysOwn) {
    const auto checked = rondo::sim::check_queue(2, [] { return std::make_unique<rondo::queue<int>>(2); });
    EXPECT_FALSE(checked.counter_example) << checked.counter_example->str();
}

struct lossy_queue {
    rondo::test::lossy_queue inner;
    coro<> put(int item) {
        inner.put(item);
        co_return;
    }
    coro<int> get() { return inner.get(); }
};

TEST(CheckQueue, FindsAnItemThatIsLost) {
    const auto checked = rondo::sim::check_queue(2, [] { return std::make_unique<lossy_queue>(); });
    ASSERT_TRUE(checked.counter_example);
    EXPECT_EQ(checked.counter_example->kind, failure_kind::error);
}

TEST(CheckStream, AcceptsStreamsInMemory) {
    const auto checked = rondo::sim::check_stream(
        []() -> coro<stream_pair> { co_return rondo::sim::memory_stream_pair(); }, {.schedules = 100});
    EXPECT_FALSE(checked.counter_example) << checked.counter_example->str();
}

TEST(CheckStream, AcceptsTcp) {
    const auto checked = rondo::sim::check_stream(
        []() -> coro<stream_pair> {
            std::optional<rondo::connection> served;
            auto server = co_await rondo::start_server(
                [&](rondo::stream_reader r, rondo::stream_writer w) { served.emplace(std::move(r), std::move(w)); },
                "127.0.0.1", 0);
            rondo::connection ours = co_await rondo::open_connection("127.0.0.1", server.port());
            while (!served) co_await rondo::sleep(1ms);
            co_return stream_pair(std::move(ours), *std::move(served));
        },
        {.schedules = 50});
    EXPECT_FALSE(checked.counter_example) << checked.counter_example->str();
}

TEST(CheckStream, FindsTwoThatAreNotConnectedToEachOther) {
    const auto checked = rondo::sim::check_stream(
        []() -> coro<stream_pair> {
            stream_pair one = rondo::sim::memory_stream_pair();
            stream_pair other = rondo::sim::memory_stream_pair();
            co_return stream_pair(std::move(one.first), std::move(other.second));
        },
        {.schedules = 10});
    EXPECT_TRUE(checked.counter_example);
}

RONDO_SIM_TEST(MemoryStreams, AreConnectedBothWays, {.schedules = 50}) {
    auto [ours, theirs] = rondo::sim::memory_stream_pair();
    co_await ours.writer.write("hello\n");
    EXPECT_EQ((co_await theirs.reader.read_line())->str(), "hello\n");
    co_await theirs.writer.write("back\n");
    EXPECT_EQ((co_await ours.reader.read_line())->str(), "back\n");
}

TEST(LockstepStreams, WhoWritesWaitsForWhoReads) {
    in_a_plain_world([]() -> coro<> {
        auto [ours, theirs] = rondo::sim::lockstep_stream_pair();
        const std::string text(1000, 'x');
        auto writing = rondo::create_task([&]() -> coro<> { co_await ours.writer.write(text); });
        co_await rondo::sim::wait_all_tasks_blocked();
        EXPECT_FALSE(writing.done());
        const auto all = co_await theirs.reader.read_exactly(text.size());
        EXPECT_EQ(all.view(), text);
        co_await writing;
    });
}

TEST(StreamPairs, AreForSimulatedRuns) { EXPECT_THROW(rondo::sim::memory_stream_pair(), rondo::runtime_error); }

RONDO_SIM_TEST(Sequencer, LetsEverybodyComeInTurn, {.schedules = 100}) {
    rondo::sim::sequencer order;
    std::vector<std::size_t> came;
    co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
        for (std::size_t i = 4; i-- > 0;) {
            group.create_task([&, i]() -> coro<> {
                co_await rondo::sim::hesitate("before the turn");
                const auto mine = co_await order.turn(i);
                co_await rondo::sim::hesitate("during the turn");
                came.push_back(i);
            });
        }
        co_return;
    });
    EXPECT_EQ(came, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(Sequencer, ATurnIsTakenOnceAndOneThatIsGivenUpEndsThoseAfterIt) {
    in_a_plain_world([]() -> coro<> {
        rondo::sim::sequencer order;
        auto first = rondo::create_task([&]() -> coro<> { const auto mine = co_await order.turn(1); });
        auto second = rondo::create_task([&]() -> coro<> { const auto mine = co_await order.turn(2); });
        co_await rondo::yield();
        bool refused = false;
        try {
            co_await order.turn(1);
        } catch (const rondo::runtime_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
        first.cancel();
        bool broken = false;
        try {
            co_await second;
        } catch (const rondo::runtime_error&) {
            broken = true;
        }
        EXPECT_TRUE(broken);
        EXPECT_TRUE(first.cancelled());
    });
}

TEST(Checkpoints, AnAwaitThatLetsNobodyRunIsAnError) {
    in_a_plain_world([]() -> coro<> {
        const auto nothing = []() -> coro<int> { co_return 1; };
        co_await rondo::sim::assert_checkpoints(rondo::yield());
        EXPECT_EQ(co_await rondo::sim::assert_no_checkpoints(nothing()), 1);
        bool found = false;
        try {
            co_await rondo::sim::assert_checkpoints(nothing());
        } catch (const std::logic_error& e) {
            found = std::string(e.what()).find("kits_test.cpp") != std::string::npos;
        }
        EXPECT_TRUE(found);
        bool suspended = false;
        try {
            co_await rondo::sim::assert_no_checkpoints(rondo::sleep(1ms));
        } catch (const std::logic_error&) {
            suspended = true;
        }
        EXPECT_TRUE(suspended);
    });
}

TEST(MockClock, TimeMovesOnlyWhenTheTestSaysSo) {
    in_a_plain_world([]() -> coro<> {
        rondo::sim::mock_clock clock;
        EXPECT_THROW(rondo::sim::mock_clock(), rondo::runtime_error);
        int ticks = 0;
        auto ticking = rondo::create_task([&]() -> coro<> {
            for (;;) {
                co_await rondo::sleep(1s);
                ++ticks;
            }
        });
        co_await rondo::sim::wait_all_tasks_blocked();
        EXPECT_EQ(ticks, 0);
        const auto before = rondo::clock::now();
        co_await clock.jump(10s);
        EXPECT_EQ(ticks, 10);
        EXPECT_EQ(rondo::clock::now() - before, 10s);
        co_await clock.jump(500ms);
        EXPECT_EQ(ticks, 10);
        co_await clock.jump(500ms);
        EXPECT_EQ(ticks, 11);
        ticking.cancel();
    });
}

TEST(MockClock, WhereNobodyMovesItARunThatWaitsIsADeadlock) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        const rondo::sim::mock_clock clock;
        co_await rondo::sleep(1s);
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, failure_kind::deadlock);
}

RONDO_TEST(RondoTest, RunsACoroutineOnTheMachine, {.deadline = 5s}) {
    co_await rondo::sleep(1ms);
    EXPECT_NE(rondo::running_loop().backend(), rondo::backend_kind::automatic);
}

coro<> hangs() { co_await rondo::sleep_forever(); }

TEST(RondoTest, ABodyThatHangsFailsAtItsDeadline) {
    EXPECT_NONFATAL_FAILURE(rondo::sim::run_test({.deadline = 1ms}, hangs), "timeout_error");
}

} // namespace
