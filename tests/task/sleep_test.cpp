// Letting time pass: sleep, sleep_until, sleep_forever, yield, checkpoint.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include "loop/timer_queue.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class Sleep : public test::loop_test {
protected:
    std::size_t armed() { return detail::loop_access::timers(loop()).size(); }
};
RONDO_IN_EACH_WORLD(Sleep);
class Yield : public test::loop_test {};
RONDO_IN_EACH_WORLD(Yield);
class Checkpoint : public test::loop_test {};
RONDO_IN_EACH_WORLD(Checkpoint);

TEST_P(Sleep, OfNothingOrLessIsOnePassWithoutATimer) {
    run([&]() -> coro<> {
        for (const duration d : {duration(0), duration(-1), duration::min()}) {
            std::size_t timers = 1;
            loop().call_soon([&] { timers = armed(); });
            const std::uint64_t before = passes();
            co_await sleep(d);
            EXPECT_EQ(passes(), before + 1);
            EXPECT_EQ(timers, 0U);
        }
    });
}

TEST_P(Sleep, TakesAtLeastTheTimeAndOneTimerInTheFrame) {
    run([&]() -> coro<> {
        std::size_t timers = 0;
        loop().call_soon([&] { timers = armed(); });
        const time_point before = loop().time();
        co_await sleep(2ms);
        EXPECT_GE(loop().time() - before, 2ms);
        EXPECT_EQ(timers, 1U);
        EXPECT_EQ(armed(), 0U);
    });
}

TEST_P(Sleep, GivesItsValue) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await sleep(duration::zero(), 7), 7);
        EXPECT_EQ(*co_await sleep(1us, std::make_unique<int>(8)), 8);
        const std::string text = "kept";
        EXPECT_EQ(co_await sleep(duration::zero(), text), "kept");
        EXPECT_EQ((co_await as_result(sleep(duration::zero(), 9))).value(), 9);
    });
}

TEST_P(Sleep, TakesAnyUnitAndRefusesNaN) {
    run([]() -> coro<> {
        co_await sleep(0.0005s);
        co_await sleep(std::chrono::duration<float, std::micro>(1.5F));
        co_await sleep(std::chrono::duration<double>(-std::numeric_limits<double>::infinity()));
        EXPECT_THROW(static_cast<void>(sleep(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()))),
                     value_error);
        auto eternal = create_task(sleep(std::chrono::duration<double>(std::numeric_limits<double>::infinity())));
        auto centuries = create_task(sleep(std::chrono::hours::max()));
        co_await test::pass_by(3);
        EXPECT_FALSE(eternal.done());
        EXPECT_FALSE(centuries.done());
        eternal.cancel();
        centuries.cancel();
        static_cast<void>(co_await as_result(eternal));
        static_cast<void>(co_await as_result(centuries));
    });
}

TEST_P(Sleep, NoTimeoutIsForEver) {
    run([&]() -> coro<> {
        auto t = create_task(sleep(no_timeout));
        co_await test::pass_by(2);
        EXPECT_FALSE(t.done());
        EXPECT_EQ(armed(), 0U);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Sleep, CancelledItEndsInTheNextPassAndItsTimerIsGone) {
    run([&]() -> coro<> {
        auto t = create_task(sleep(1h));
        co_await yield();
        EXPECT_EQ(armed(), 1U);
        const std::uint64_t before = passes();
        t.cancel("no");
        EXPECT_EQ(armed(), 0U);
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(passes(), before + 2);
    });
}

TEST_P(Sleep, ACancellationInThePassInWhichItIsOverIsDeliveredInstead) {
    run([&]() -> coro<> {
        auto t = create_task(sleep(duration::zero(), 5));
        co_await yield(); // it is ready again
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Sleep, EqualDeadlinesEndInTheOrderInWhichTheyBegan) {
    run([&]() -> coro<> {
        std::vector<int> order;
        std::vector<task<>> all;
        const time_point when = loop().time() + 1ms;
        for (int i = 0; i < 100; ++i) {
            all.push_back(create_task([&order, when, i]() -> coro<> {
                co_await sleep_until(when);
                order.push_back(i);
            }));
        }
        for (auto& t : all) co_await t;
        EXPECT_TRUE(std::ranges::is_sorted(order));
        EXPECT_EQ(order.size(), 100U);
    });
}

TEST_P(Sleep, UntilATimeInThePastIsOnePass) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        co_await sleep_until(loop().time() - 1s);
        co_await sleep_until(time_point::min());
        EXPECT_EQ(passes(), before + 2);
        const time_point soon = loop().time() + 1ms;
        co_await sleep_until(soon);
        EXPECT_GE(loop().time(), soon);
    });
}

TEST_P(Sleep, ForeverEndsOnlyByACancellation) {
    run([&]() -> coro<> {
        auto t = create_task(sleep_forever());
        co_await test::pass_by(5);
        EXPECT_FALSE(t.done());
        EXPECT_EQ(armed(), 0U);
        t.cancel("why");
        auto r = co_await as_result(t);
        EXPECT_TRUE(r.cancelled());
    });
}

TEST_P(Sleep, ThatIsNeverAwaitedDoesNothing) {
    run([&]() -> coro<> {
        static_cast<void>(sleep(1h));
        auto kept = sleep(1us);
        EXPECT_EQ(armed(), 0U);
        co_await std::move(kept);
    });
}

TEST_P(Sleep, ATaskThatIsTornDownDisarmsItsTimer) {
    detail::loop_access::state(loop()).patience = 0ms;
    int living = 0;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            const test::tracked alive(living);
            for (;;) static_cast<void>(co_await as_result(sleep(1h)));
        });
        co_await yield();
    });
    end_loop();
    EXPECT_EQ(living, 0);
    EXPECT_EQ(reports.take().size(), 1U);
}

TEST_P(Yield, IsOnePassInWhichAllThatIsReadyRuns) {
    run([&]() -> coro<> {
        std::vector<char> order;
        loop().call_soon([&] { order.push_back('a'); });
        loop().call_soon([&] { order.push_back('b'); });
        const std::uint64_t before = passes();
        co_await yield();
        EXPECT_EQ(passes(), before + 1);
        EXPECT_EQ(order, (std::vector<char>{'a', 'b'}));
    });
}

TEST_P(Yield, TasksThatYieldTakeTurns) {
    run([&]() -> coro<> {
        std::string turns;
        const auto turn = [&](char c) -> coro<> {
            for (int i = 0; i < 3; ++i) {
                turns.push_back(c);
                co_await yield();
            }
        };
        auto a = create_task(turn, 'a');
        auto b = create_task(turn, 'b');
        co_await a;
        co_await b;
        EXPECT_EQ(turns, "ababab");
    });
}

TEST_P(Yield, ACancellationDuringItIsDeliveredWhenItIsOver) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<> { co_await yield(); });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Checkpoint, IsOnePassAndNoticesAScopesCancellation) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        co_await checkpoint();
        EXPECT_EQ(passes(), before + 1);
        cancel_scope scope;
        int rounds = 0;
        const auto left = co_await scope.run([&]() -> coro<> {
            for (;;) {
                co_await checkpoint();
                if (++rounds == 3) scope.cancel();
            }
        });
        EXPECT_FALSE(left);
        EXPECT_EQ(rounds, 3);
    });
}

} // namespace
} // namespace rondo
