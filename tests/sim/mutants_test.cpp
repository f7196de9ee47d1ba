// Seeded bugs: each is found, shrunk to a handful of deviations, and found again from what is printed.
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/sleep.hpp>

#include "sim/mutants/barging_lock.hpp"
#include "sim/mutants/crossed_locks.hpp"
#include "sim/mutants/deaf_event.hpp"
#include "sim/mutants/eager_once.hpp"
#include "sim/mutants/eager_reply.hpp"
#include "sim/mutants/forgotten_timer.hpp"
#include "sim/mutants/hasty_race.hpp"
#include "sim/mutants/leaky_dial.hpp"
#include "sim/mutants/loose_semaphore.hpp"
#include "sim/mutants/lossy_lock.hpp"
#include "sim/mutants/lossy_queue.hpp"
#include "sim/mutants/stubborn_dialer.hpp"
#include "sim/mutants/swallowing_timeout.hpp"
#include "sim/mutants/whole_reader.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
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
// A core makes 100,000 schedules of this size in a second, so a bug that is found within so many is found in no time.
constexpr std::size_t most_schedules = 5000;

void expect_found(const rondo::sim::options& how, failure_kind kind, const rondo::sim::body_factory& body) {
    const auto found = rondo::sim::explore(how, body);
    ASSERT_TRUE(found.counter_example) << "survived " << found.schedules << " schedules";
    EXPECT_LE(found.schedules, most_schedules);
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

TEST(Mutants, ASemaphoreThatLetsTooManyInIsFound) {
    expect_found({}, failure_kind::error, []() -> coro<> {
        rondo::test::loose_semaphore permits(1);
        int inside = 0;
        const auto work = [&]() -> coro<> {
            co_await permits.acquire();
            if (++inside > 1) throw std::runtime_error("two are inside");
            co_await rondo::sleep(1ms);
            --inside;
            permits.release();
        };
        co_await rondo::gather(work(), work());
    });
}

TEST(Mutants, LocksThatAreTakenCrosswiseAreFoundAndTheCircleIsNamed) {
    const auto body = []() -> coro<> {
        rondo::test::locked_account a;
        rondo::test::locked_account b;
        co_await rondo::gather(rondo::test::transfer(a, b, 1), rondo::test::transfer(b, a, 1));
    };
    expect_found({}, failure_kind::deadlock, body);
    const auto found = rondo::sim::explore({}, body);
    ASSERT_TRUE(found.counter_example);
    EXPECT_NE(found.counter_example->message.find("a circle: "), std::string::npos) << found.counter_example->str();
}

TEST(Mutants, ALoserOfARaceThatIsLeftRunningIsFound) {
    expect_found({}, failure_kind::leak, []() -> coro<> {
        const auto lasts = [](rondo::duration d) -> coro<> { co_await rondo::sleep(d); };
        const bool one_is_stuck = perhaps("one of them is stuck");
        co_await rondo::test::hasty_race(lasts(1ms), lasts(one_is_stuck ? rondo::duration(1h) : rondo::duration(1s)));
    });
}

TEST(Mutants, ATimerThatIsForgottenOnTheWayOutIsFound) {
    expect_found({}, failure_kind::leak, []() -> coro<> {
        const auto call = []() -> coro<bool> {
            co_await rondo::sleep(1ms);
            co_return !perhaps("the answer is no");
        };
        static_cast<void>(co_await rondo::as_result(rondo::test::call_with_alarm(call)));
    });
}

TEST(Mutants, AValueThatIsMadeTwiceIsFound) {
    expect_found({}, failure_kind::error, []() -> coro<> {
        rondo::test::eager_once value;
        co_await rondo::gather(value.get(), value.get());
        if (value.times_made() > 1) throw std::runtime_error("made twice");
    });
}

TEST(Mutants, AClientThatTriesForEverIsFound) {
    expect_found({.max_steps = 500, .faults = {.resources = true}}, failure_kind::endless, []() -> coro<> {
        rondo::running_loop().set_exception_handler([](auto&, const auto&) {}); // of accepting, when it fails
        std::optional<rondo::server> server;
        while (!server) {
            try {
                server =
                    co_await rondo::start_server([](rondo::stream_reader, rondo::stream_writer) {}, "127.0.0.1", 0);
            } catch (const std::system_error&) {}
        }
        co_await rondo::test::dial(server->port());
    });
}

TEST(Mutants, ALockThatLetsANewcomerPassIsFound) {
    expect_found({}, failure_kind::error, []() -> coro<> {
        rondo::test::barging_lock lock;
        std::vector<int> came;
        std::vector<int> entered;
        const auto work = [&](int who) -> coro<> {
            came.push_back(who);
            co_await lock.acquire();
            entered.push_back(who);
            co_await hesitate("while it is held");
            lock.release();
        };
        const auto late = [&](int who) -> coro<> {
            co_await hesitate("before coming");
            co_await work(who);
        };
        co_await rondo::gather(work(1), late(2), late(3));
        if (entered != came) throw std::runtime_error("somebody went ahead of his turn");
    });
}

TEST(Mutants, ATimeoutThatSwallowsAForeignCancellationIsFound) {
    expect_found({}, failure_kind::error, []() -> coro<> {
        bool went_on = false;
        task<> work = create_task([&]() -> coro<> {
            co_await rondo::test::in_time(1min, [](rondo::duration d) -> coro<> { co_await rondo::sleep(d); }(1s));
            co_await rondo::sleep(1s);
            went_on = true;
        });
        co_await hesitate("before cancelling");
        const bool cancelled = perhaps("the caller gives up") && work.cancel();
        static_cast<void>(co_await rondo::as_result(work));
        if (cancelled && went_on) throw std::runtime_error("it was cancelled, and went on");
    });
}

} // namespace
