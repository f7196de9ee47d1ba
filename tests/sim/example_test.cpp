// The examples of docs/simulation.md.
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/io/write_file.hpp>
#include <rondo/sim/check_lock.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <system_error>

namespace {

using namespace std::chrono_literals;

// region account
struct account {
    int balance = 100;

    rondo::coro<> withdraw(int amount) {
        if (balance < amount) co_return;
        co_await rondo::sim::hesitate("asking the fraud service"); // in production: a request over the network
        balance -= amount;
    }
};
// endregion

// region overdrawn
rondo::coro<> two_cards_at_once() {
    account shared;
    co_await rondo::gather(shared.withdraw(80), shared.withdraw(80));
    if (shared.balance < 0) throw std::runtime_error("overdrawn");
}
// endregion

TEST(SimulationExample, AnAccountIsOverdrawnInSomeWorlds) {
    const auto found = rondo::sim::explore({.schedules = 1000}, two_cards_at_once);
    ASSERT_TRUE(found.counter_example);
    EXPECT_EQ(found.counter_example->deviations.size(), 1U);
    EXPECT_THAT(found.counter_example->str(), testing::HasSubstr("overdrawn"));
    EXPECT_THAT(found.counter_example->str(),
                testing::HasSubstr("  deviate at step 0: asking the fraud service (1 of 3)\nRONDO_SIM_REPLAY="));
}

// region echo
RONDO_SIM_TEST(Echo, AnswersEveryLineWithinAMinute, {.schedules = 300}) {
    auto server = co_await rondo::start_server(
        [](rondo::stream_reader reader, rondo::stream_writer writer) -> rondo::coro<> {
            while (auto line = co_await reader.read_line()) co_await writer.write(*line);
        },
        "127.0.0.1", 7);
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", 7);
    for (int i = 0; i < 10; ++i) {
        co_await writer.write("ping\n");
        const auto answer = co_await rondo::timeout(1min, reader.read_line());
        EXPECT_EQ(answer->str(), "ping\n");
    }
}
// endregion

// region power
RONDO_SIM_TEST(Settings, AreTheOldOnesOrTheNewOnesWhenThePowerGoes, {.schedules = 300, .faults = {.storage = true}}) {
    auto& world = rondo::sim::world();
    world.files().put("/etc/settings", "old");
    bool saved = false;
    try {
        co_await rondo::write_file("/etc/settings", "new", {.replace = true, .sync = true});
        saved = true;
    } catch (const std::system_error&) {} // the disk is full, or broken
    world.lose_power();
    const auto left = world.files().contents("/etc/settings");
    EXPECT_TRUE(left == "new" || (left == "old" && !saved)) << left.value_or("nothing");
}
// endregion

// region sweep
TEST(SimulationExample, ASleeperMayBeCancelledAnywhere) {
    const auto result = rondo::sim::sweep_cancel({}, []() -> rondo::coro<> {
        co_await rondo::gather(rondo::sleep(1h), rondo::sleep(2h)); // two hours, in no time
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
}
// endregion

// region kit
class spin_lock { // gives way until it is free
public:
    rondo::coro<> acquire() {
        while (held_) co_await rondo::yield();
        held_ = true;
    }
    void release() { held_ = false; }

private:
    bool held_ = false;
};

TEST(SimulationExample, ALockThatForgetsWhoCameFirstIsFound) {
    const auto checked = rondo::sim::check_lock([] { return spin_lock(); });
    ASSERT_TRUE(checked.counter_example);
    EXPECT_THAT(checked.counter_example->str(), testing::HasSubstr("not given in the order of coming"));
}
// endregion

} // namespace
