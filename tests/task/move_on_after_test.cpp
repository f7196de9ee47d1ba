// move_on_after() and fail_after(): deadlines in the level-triggered way.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/move_on_after.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class MoveOnAfter : public test::loop_test {};
RONDO_IN_EACH_WORLD(MoveOnAfter);
class FailAfter : public test::loop_test {};
RONDO_IN_EACH_WORLD(FailAfter);

coro<int> three() { co_return 3; }
coro<int> never() {
    co_await sleep_forever();
    co_return 0;
}

TEST_P(MoveOnAfter, GivesTheValueInTime) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await move_on_after(1h, three()), 3);
        EXPECT_EQ(co_await move_on_after(1h, three), 3);
        EXPECT_EQ(co_await move_on_after(no_timeout, [x = 4]() -> coro<int> { co_return x; }), 4);
        EXPECT_TRUE(co_await move_on_after(1h, []() -> coro<> { co_return; }));
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(MoveOnAfter, GivesNothingWhenTimeIsUp) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await move_on_after(1ms, never()), std::nullopt);
        EXPECT_EQ(co_await move_on_after(1ms, never), std::nullopt);
        EXPECT_FALSE(co_await move_on_after(1ms, sleep_forever()));
        EXPECT_EQ(co_await move_on_after(0s, never()), std::nullopt);
        EXPECT_EQ(co_await move_on_after(-1s, never()), std::nullopt);
        EXPECT_EQ(co_await move_on_after(0.0005s, never()), std::nullopt);
    });
}

TEST_P(MoveOnAfter, HasAwaitedWhatItCancelled) {
    run([]() -> coro<> {
        bool ended = false;
        EXPECT_FALSE(co_await move_on_after(1ms, [&]() -> coro<> {
            test::at_exit note([&] { ended = true; });
            co_await sleep_forever();
        }));
        EXPECT_TRUE(ended);
    });
}

TEST_P(MoveOnAfter, WithZeroStillGivesWhatDoesNotSuspend) {
    run([]() -> coro<> { EXPECT_EQ(co_await move_on_after(0s, three()), 3); });
}

TEST_P(MoveOnAfter, PassesErrorsAndMovesValues) {
    run([]() -> coro<> {
        const auto r = co_await as_result(move_on_after(1h, []() -> coro<> {
            throw std::out_of_range("inside");
            co_return;
        }));
        EXPECT_TRUE(r.holds<std::out_of_range>());
        auto p = co_await move_on_after(1h, []() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(1); });
        EXPECT_EQ(**p, 1);
    });
}

TEST_P(MoveOnAfter, NestedTheOuterDeadlineEndsBoth) {
    run([]() -> coro<> {
        bool after_inner = false;
        EXPECT_FALSE(co_await move_on_after(1ms, [&]() -> coro<> {
            co_await move_on_after(1h, sleep_forever());
            after_inner = true;
        }));
        EXPECT_FALSE(after_inner);
    });
}

TEST_P(MoveOnAfter, CountsFromTheAwaitNotFromTheCall) {
    run([]() -> coro<> {
        auto attempt = move_on_after(1ms, three());
        co_await sleep(2ms);
        EXPECT_EQ(co_await std::move(attempt), 3);
        static_assert(std::is_same_v<decltype(attempt), coro<std::optional<int>>>);
    });
}

TEST_P(MoveOnAfter, AnLvalueHandleIsCopiedAndCancelled) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        EXPECT_EQ(co_await move_on_after(1ms, f), std::nullopt);
        EXPECT_TRUE(f.cancelled());
    });
}

TEST_P(FailAfter, GivesTheValueInTimeAndThrowsTimeoutErrorOtherwise) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await fail_after(1h, three()), 3);
        co_await fail_after(1h, []() -> coro<> { co_return; });
        EXPECT_TRUE((co_await as_result(fail_after(1ms, never()))).holds<timeout_error>());
        EXPECT_TRUE((co_await as_result(fail_after(0s, sleep_forever()))).holds<timeout_error>());
    });
}

TEST_P(FailAfter, DoesNotClaimTheCancellationOfAScopeAroundIt) {
    run([]() -> coro<> {
        const auto r =
            co_await as_result(move_on_after(1ms, []() -> coro<> { co_await fail_after(1h, sleep_forever()); }));
        EXPECT_TRUE(r.has_value());
        EXPECT_FALSE(*r);
    });
}

TEST_P(FailAfter, NestedWithTheSameDeadlineTheOuterOneEnds) {
    run([]() -> coro<> {
        bool inner_failed = false;
        const auto r = co_await as_result(fail_after(1ms, [&]() -> coro<> {
            const time_point until = current_effective_deadline();
            const auto inner = co_await as_result(fail_after(until - clock::now(), sleep_forever()));
            inner_failed = inner.holds<timeout_error>();
            co_await yield();
        }));
        EXPECT_TRUE(r.holds<timeout_error>());
        EXPECT_FALSE(inner_failed);
    });
}

} // namespace
} // namespace rondo
