// Seeded bugs: each is found, shrunk to a handful of deviations, and found again from what is printed.
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/sleep.hpp>

#include "sim/mutants/deaf_event.hpp"
#include "sim/mutants/eager_reply.hpp"
#include "sim/mutants/leaky_dial.hpp"
#include "sim/mutants/lossy_lock.hpp"
#include "sim/mutants/lossy_queue.hpp"
#include "sim/mutants/whole_reader.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::create_task;
using rondo::task;
using rondo::sim::failure_kind;
using rondo::sim::hesitate;
using rondo::sim::perhaps;

constexpr std::size_t most_deviations = 5;

void expect_found(const rondo::sim::options& how, failure_kind kind, const rondo::sim::body_factory& body) {
    const auto found = rondo::sim::explore(how, body);
    ASSERT_TRUE(found.counter_example) << "survived " << found.schedules << " schedules";
    const rondo::sim::failure& smallest = *found.counter_example;
    EXPECT_EQ(smallest.kind, kind) << smallest.str();
    EXPECT_LE(smallest.deviations.size(), most_deviations) << smallest.str();
    EXPECT_GE(smallest.deviations.size(), 1U) << smallest.str(); // the plain run is right
    const auto again = rondo::sim::replay(how, smallest.replay(), body);
    ASSERT_TRUE(again.failure);
    EXPECT_EQ(again.failure->kind, kind);
    EXPECT_EQ(again.failure->replay(), smallest.replay());
}

coro<> fight_for_a_lossy_lock() {
    rondo::test::lossy_lock lock;
    const auto work = [&]() -> coro<> {
        co_await lock.acquire();
        co_await hesitate("while it is held");
        lock.release();
    };
    std::vector<task<>> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(create_task(work));
    co_await hesitate("before cancelling");
    if (perhaps("the second one is cancelled")) workers[1].cancel();
    for (auto& w : workers) static_cast<void>(co_await rondo::as_result(w));
}

TEST(Mutants, ALockThatLosesAWakeUpIsFoundAndNamed) {
    expect_found({}, failure_kind::deadlock, fight_for_a_lossy_lock);
    const auto found = rondo::sim::explore({}, fight_for_a_lossy_lock);
    ASSERT_TRUE(found.counter_example);
    EXPECT_NE(found.counter_example->message.find("main"), std::string::npos);
    EXPECT_NE(found.counter_example->str().find("the second one is cancelled"), std::string::npos);
}

TEST(Mutants, AnExhaustiveSearchFindsTheSmallestCounterExampleFirst) {
    expect_found({.schedules = 5000, .strategy = rondo::sim::strategy::exhaustive(3)}, failure_kind::deadlock,
                 fight_for_a_lossy_lock);
}

TEST(Mutants, PctFindsTheLostWakeUpToo) {
    expect_found({.schedules = 5000, .strategy = rondo::sim::strategy::pct(3)}, failure_kind::deadlock,
                 fight_for_a_lossy_lock);
}

TEST(Mutants, AnAnswerThatWakesTwiceIsFound) {
    expect_found({}, failure_kind::report, []() -> coro<> {
        rondo::test::eager_reply reply;
        const bool at_the_limit = perhaps("the answer takes as long as the limit");
        rondo::running_loop().call_later(at_the_limit ? 10ms : 5ms, [&] { reply.answer(1); });
        static_cast<void>(co_await reply.wait(10ms));
        co_await rondo::sleep(1s);
    });
}

TEST(Mutants, AQueueThatLosesAnItemOfACancelledGetterIsFound) {
    expect_found({}, failure_kind::error, []() -> coro<> {
        rondo::test::lossy_queue queue;
        int got = 0;
        const auto take = [&]() -> coro<> {
            co_await queue.get();
            ++got;
        };
        task<> first = create_task(take);
        co_await hesitate("before the put");
        queue.put(1);
        co_await hesitate("before cancelling");
        if (perhaps("the getter is cancelled")) first.cancel();
        static_cast<void>(co_await rondo::as_result(first));
        if (got == 1) co_return;
        task<> second = create_task(take);
        co_await rondo::sleep(1s);
        if (got == 1) co_return;
        second.cancel();
        static_cast<void>(co_await rondo::as_result(second));
        throw std::runtime_error("the item is lost");
    });
}

TEST(Mutants, AnEventThatMissesANotificationIsFound) {
    expect_found({}, failure_kind::deadlock, []() -> coro<> {
        rondo::test::deaf_event event;
        task<> waiter = create_task([&]() -> coro<> { co_await event.wait(); });
        co_await hesitate("before setting");
        co_await rondo::yield();
        event.set();
        co_await waiter;
    });
}

TEST(Mutants, ADescriptorThatLeaksWhenConnectingFailsIsFoundAndNamed) {
    const auto body = []() -> coro<> {
        rondo::server server =
            co_await rondo::start_server([](rondo::stream_reader, rondo::stream_writer) {}, "127.0.0.1", 0);
        try {
            co_await rondo::test::leaky_dial(server.addresses().front());
        } catch (const std::system_error&) { // that it can be refused is right
        }
    };
    const rondo::sim::options how{.faults = {.network = true}};
    expect_found(how, failure_kind::leak, body);
    const auto found = rondo::sim::explore(how, body);
    ASSERT_TRUE(found.counter_example);
    EXPECT_NE(found.counter_example->message.find("a socket (fd 1"), std::string::npos) << found.counter_example->str();
}

TEST(Mutants, AReaderThatTakesAReadForAMessageIsFound) {
    expect_found({}, failure_kind::error, []() -> coro<> {
        std::string got;
        rondo::server server = co_await rondo::start_server(
            [&](rondo::stream_reader r, rondo::stream_writer w) -> coro<> {
                got = co_await rondo::test::read_message(r, 5);
                co_await w.aclose();
            },
            "127.0.0.1", 0);
        auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
        co_await writer.write("hello");
        writer.write_eof();
        try {
            co_await reader.read_all();
        } catch (const std::system_error&) { // the other side left before it had read everything
        }
        writer.close();
        if (got != "hello") throw std::runtime_error("got '" + got + "'");
    });
}

} // namespace
