// threads: a loop that is not held up, is woken, refuses what is wrong, and ends promptly.
#include "gallery/caller.hpp"
#include "gallery/numbers.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace gallery::test {
namespace {

TEST(Threads, ALoopGoesOnBesideBlockingThreads) {
    const finished run = test::run("threads");
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.err.empty());
    const double held_up = numbers_after(run, "200 ms of blocking work in the loop: the ticker was silent for ")[0];
    const auto beside = numbers_after(run, "three times that in threads: silent for ");
    EXPECT_GE(held_up, 200);
    EXPECT_LT(beside[0], held_up);
    EXPECT_GE(beside[1], 200) << "all done in";
    EXPECT_LT(beside[1], 600) << "beside each other, not one after the other";

    // A sanitizer may have a thread of its own.
    EXPECT_THAT(run.text(), testing::ContainsRegex("threads: gallery-threads .*rondo-0 rondo-1 rondo-2\n"));
    EXPECT_TRUE(run.printed("call_soon() from a thread: ")) << run.text();
    EXPECT_TRUE(run.printed("say call_soon_threadsafe()")) << run.text();

    const double woken = numbers_after(run, "call_soon_threadsafe() wakes the loop: ")[0];
    const double found = numbers_after(run, "leaving it where the loop will find it: ")[0];
    EXPECT_GE(found, 500);
    EXPECT_LT(50 * woken, found);
    EXPECT_LT(numbers_after(run, "interrupted, and ended after ")[0], 10'000) << "the thread's work takes a minute";
}

TEST(Threads, ASignalFromOutsideEndsThemPromptly) {
    in_time([]() -> rondo::coro<> {
        auto p = co_await test::start("threads");
        co_await p->until_printed("a thread works for a minute");
        const auto began = rondo::clock::now();
        p->send_signal(SIGINT);
        const finished end = co_await p->finish();
        EXPECT_LT(rondo::clock::now() - began, std::chrono::seconds(20));
        EXPECT_EQ(end.code, 0);
        EXPECT_TRUE(end.printed("interrupted, and ended")) << end.text();
    });
}

} // namespace
} // namespace gallery::test
