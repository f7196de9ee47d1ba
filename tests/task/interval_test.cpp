// interval(): ticks, by a clock that the test moves.
#include "support/loop_test.hpp"
#include "support/manual_clock.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/interval.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class Interval : public test::loop_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<test::manual_clock>(kind, hand);
    }
    /// Everything that is due by then has happened.
    coro<> at(duration since_the_start) {
        hand.moved = since_the_start;
        co_await test::pass_by(5);
    }
    test::manual_clock::hand hand;
};
RONDO_ON_EACH_BACKEND(Interval);

TEST_P(Interval, TicksOncePerPeriodFromTheFirstNextOn) {
    run([&]() -> coro<> {
        const time_point start = clock::now();
        auto ticks = interval(10ms);
        co_await at(7ms);
        std::vector<duration> due;
        auto t = create_task([&]() -> coro<> {
            while (due.size() < 3) due.push_back(*co_await ticks.next() - start);
        });
        co_await test::pass_by(2); // it counts from here
        co_await at(16ms);
        EXPECT_TRUE(due.empty());
        co_await at(17ms);
        EXPECT_EQ(due, (std::vector<duration>{17ms}));
        co_await at(26ms);
        EXPECT_EQ(due.size(), 1U);
        co_await at(28ms); // late: the rhythm stays
        EXPECT_EQ(due, (std::vector<duration>{17ms, 27ms}));
        co_await at(37ms);
        co_await t;
        EXPECT_EQ(due, (std::vector<duration>{17ms, 27ms, 37ms}));
    });
}

TEST_P(Interval, TicksThatTheBodyWasTooSlowForAreLeftOut) {
    run([&]() -> coro<> {
        const time_point start = clock::now();
        std::vector<duration> due;
        auto t = create_task([&]() -> coro<> {
            RONDO_FOR_AWAIT(tick, interval(10ms)) {
                due.push_back(tick - start);
                if (due.size() == 1) hand.moved = 47ms; // the body takes that long
                if (due.size() == 2) break;
            }
        });
        co_await test::pass_by(2); // it counts from here
        co_await at(10ms);
        EXPECT_EQ(due, (std::vector<duration>{10ms}));
        co_await at(49ms);
        EXPECT_EQ(due.size(), 1U);
        co_await at(50ms);
        co_await t;
        EXPECT_EQ(due, (std::vector<duration>{10ms, 50ms}));
    });
}

TEST_P(Interval, CancellingTheTaskThatWaitsEndsTheWait) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> { RONDO_FOR_AWAIT(tick, interval(1h)) static_cast<void>(tick); });
        co_await test::pass_by(2);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Interval, NeedsAPeriod) {
    run([&]() -> coro<> {
        EXPECT_THROW(static_cast<void>(interval(duration::zero())), value_error);
        EXPECT_THROW(static_cast<void>(interval(-1ms)), value_error);
        co_return;
    });
}

} // namespace
} // namespace rondo
