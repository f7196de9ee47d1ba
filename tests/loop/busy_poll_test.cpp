// busy_poll: the loop looks for work before it sleeps.
#include "support/loop_test.hpp"

#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/instrument.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

struct waits : instrument {
    int looks = 0;
    int sleeps = 0;
    void before_io_wait(delay timeout) override { ++(timeout.value() == duration::zero() ? looks : sleeps); }
};

class BusyPoll : public test::loop_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        if (kind == test::simulated || !test::make_loop(kind)) return test::make_loop(kind);
        return std::make_unique<event_loop>(loop_options{.backend = kind, .busy_poll = 1h});
    }
    std::shared_ptr<waits> watched() {
        auto seen = std::make_shared<waits>();
        add_instrument(loop(), seen);
        return seen;
    }
};
RONDO_ON_EACH_BACKEND(BusyPoll);

TEST_P(BusyPoll, WhatAThreadHandsOverIsFoundWithoutSleep) {
    const auto seen = watched();
    std::thread other([this] { loop().call_soon_threadsafe([this] { loop().stop(); }); });
    loop().run_forever();
    other.join();
    EXPECT_EQ(seen->sleeps, 0);
}

TEST_P(BusyPoll, WhatADescriptorBringsIsFoundWithoutSleep) {
    const auto seen = watched();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    loop().add_reader(ends[0], [this] { loop().stop(); });
    std::thread other([&] { EXPECT_EQ(::write(ends[1], "x", 1), 1); });
    loop().run_forever();
    other.join();
    EXPECT_TRUE(loop().remove_reader(ends[0]));
    ::close(ends[0]);
    ::close(ends[1]);
    EXPECT_EQ(seen->sleeps, 0);
    EXPECT_GT(seen->looks, 0);
}

TEST_P(BusyPoll, TimersAreNotLateForIt) {
    const auto seen = watched();
    run([]() -> coro<> { co_await sleep(1ms); });
    EXPECT_GT(seen->looks, 1);
}

TEST_P(BusyPoll, WhenItsTimeIsOverTheLoopSleeps) {
    runner r({.loop_factory = [] { return std::make_unique<event_loop>(loop_options{.backend = GetParam()}); },
              .handle_sigint = false,
              .busy_poll = 1us});
    const auto seen = std::make_shared<waits>();
    add_instrument(r.loop(), seen);
    r.run([]() -> coro<> { co_await sleep(5ms); });
    EXPECT_GT(seen->looks, 0);
    EXPECT_GT(seen->sleeps, 0);
}

// A clock that stands still would be waited for without end.
TEST(BusyPollInASimulatedWorld, ChangesNothing) {
    runner r(
        {.loop_factory = [] { return test::make_loop(test::simulated); }, .handle_sigint = false, .busy_poll = 1h});
    const time_point begun = r.loop().time();
    r.run([]() -> coro<> { co_await sleep(1h); });
    EXPECT_EQ(r.loop().time() - begun, 1h);
}

} // namespace
} // namespace rondo
