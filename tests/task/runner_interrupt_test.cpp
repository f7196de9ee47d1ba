// What the runner does with SIGINT (asyncio.Runner): the first one cancels main, the second one comes out of the loop.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rondo {
namespace {

class RunnerInterrupt : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        if (!test::make_loop(GetParam())) GTEST_SKIP() << "this kernel has no io_uring";
        struct sigaction action{};
        action.sa_handler = SIG_DFL; // a background process may have been given SIG_IGN
        ASSERT_EQ(::sigaction(SIGINT, &action, &before_), 0);
    }
    void TearDown() override { ::sigaction(SIGINT, &before_, nullptr); }

    static run_options options(bool handle = true) {
        return {.loop_factory = [] { return test::make_loop(GetParam()); }, .handle_sigint = handle};
    }
    static bool has_default_action() {
        struct sigaction now{};
        return ::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == SIG_DFL;
    }
    static void interrupt() { ::raise(SIGINT); }

private:
    struct sigaction before_{};
};
RONDO_ON_EACH_BACKEND(RunnerInterrupt);

TEST_P(RunnerInterrupt, TheFirstCancelsMainWhichThenEndsAsKeyboardInterrupt) {
    bool cancelled = false;
    EXPECT_THROW(rondo::run(options(),
                            [&]() -> coro<> {
                                EXPECT_FALSE(has_default_action());
                                interrupt();
                                auto r = co_await as_result(sleep_forever());
                                cancelled = r.cancelled();
                                EXPECT_EQ(current_task().cancelling(), 1);
                                r.value();
                            }),
                 keyboard_interrupt);
    EXPECT_TRUE(cancelled);
    EXPECT_TRUE(has_default_action());
}

TEST_P(RunnerInterrupt, WakesALoopThatSleeps) {
    std::thread other;
    EXPECT_THROW(rondo::run(options(),
                            [&]() -> coro<> {
                                const pthread_t self = ::pthread_self();
                                other = std::thread([self] { ::pthread_kill(self, SIGINT); });
                                co_await sleep_forever();
                            }),
                 keyboard_interrupt);
    other.join();
}

TEST_P(RunnerInterrupt, AMainThatSwallowsItEndsNormally) {
    EXPECT_EQ(rondo::run(options(),
                         []() -> coro<int> {
                             interrupt();
                             EXPECT_TRUE((co_await as_result(sleep_forever())).cancelled());
                             co_await yield();
                             co_return 5;
                         }),
              5);
    EXPECT_TRUE(has_default_action());
}

TEST_P(RunnerInterrupt, AnErrorOfMainAfterItIsTheError) {
    EXPECT_THROW(rondo::run(options(),
                            []() -> coro<> {
                                interrupt();
                                static_cast<void>(co_await as_result(sleep_forever()));
                                throw std::out_of_range("x");
                            }),
                 std::out_of_range);
}

TEST_P(RunnerInterrupt, TheSecondComesOutOfTheLoopAtOnce) {
    int swallowed = 0;
    runner r(options());
    EXPECT_THROW(r.run([&]() -> coro<> {
        for (;;) {
            interrupt();
            if ((co_await as_result(sleep_forever())).cancelled()) ++swallowed;
            if (swallowed > 1) co_return; // close() cancels it too
        }
    }),
                 keyboard_interrupt);
    EXPECT_EQ(swallowed, 1);
    EXPECT_TRUE(has_default_action());
    r.close();
    EXPECT_EQ(swallowed, 2);
}

TEST_P(RunnerInterrupt, WhenSomebodyElseCancelledMainTooItIsACancellation) {
    EXPECT_THROW(rondo::run(options(),
                            []() -> coro<> {
                                running_loop().call_soon([main = current_task()]() mutable { main.cancel("other"); });
                                interrupt();
                                for (;;) {
                                    auto r = co_await as_result(test::pass_by(8));
                                    if (current_task().cancelling() == 2) r.value(), co_await sleep_forever();
                                }
                            }),
                 cancelled_error);
}

TEST_P(RunnerInterrupt, CountsTheRequestsThatAreLeftNotWhoseTheyAre) {
    EXPECT_THROW(rondo::run(options(),
                            []() -> coro<> {
                                interrupt();
                                static_cast<void>(co_await as_result(sleep_forever()));
                                current_task().uncancel();
                                current_task().cancel("own");
                                co_await yield();
                            }),
                 keyboard_interrupt); // asyncio's rule counts: one is left, and the interrupt takes it back
}

TEST_P(RunnerInterrupt, EachRunStartsCountingAnew) {
    runner r(options());
    for (int i = 0; i < 3; ++i) {
        EXPECT_THROW(r.run([]() -> coro<> {
            interrupt();
            co_await sleep_forever();
        }),
                     keyboard_interrupt);
        EXPECT_TRUE(has_default_action());
    }
    EXPECT_EQ(r.run([]() -> coro<int> { co_return 1; }), 1);
}

TEST_P(RunnerInterrupt, AHandlerOfOnesOwnIsLeftAlone) {
    struct own {
        static void handle(int) {}
    };
    ASSERT_NE(::signal(SIGINT, &own::handle), SIG_ERR);
    rondo::run(options(), []() -> coro<> {
        struct sigaction now{};
        ::sigaction(SIGINT, nullptr, &now);
        EXPECT_EQ(now.sa_handler, &own::handle);
        interrupt();
        co_await test::pass_by(3);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(RunnerInterrupt, SwitchedOffItTouchesNothing) {
    rondo::run(options(false), []() -> coro<> {
        EXPECT_TRUE(has_default_action());
        co_return;
    });
}

TEST_P(RunnerInterrupt, OutsideTheMainThreadItTouchesNothing) {
    std::thread([&] {
        rondo::run(options(), []() -> coro<> {
            EXPECT_TRUE(has_default_action());
            co_return;
        });
    }).join();
}

TEST_P(RunnerInterrupt, AProgramThatHandlesSigintItselfMayDoSoInsideTheRun) {
    int handled = 0;
    rondo::run(options(), [&]() -> coro<> {
        running_loop().add_signal_handler(SIGINT, [&] { ++handled; });
        interrupt();
        co_await test::pass_by(3);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
    EXPECT_EQ(handled, 1);
    EXPECT_TRUE(has_default_action());
}

} // namespace
} // namespace rondo
