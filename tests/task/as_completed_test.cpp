// as_completed(): futures in the order in which they are done.
#include "support/loop_test.hpp"

#include <rondo/task/as_completed.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/errors.hpp>

#include <utility>
#include <vector>

namespace rondo {
namespace {

class AsCompleted : public test::loop_test {};
RONDO_IN_EACH_WORLD(AsCompleted);

coro<int> after(int passes, int value) {
    co_await test::pass_by(passes);
    co_return value;
}

TEST_P(AsCompleted, GivesTheHandlesInTheOrderOfTheirEnds) {
    run([&]() -> coro<> {
        auto a = create_future<int>();
        auto b = create_future<int>();
        auto c = create_future<int>();
        auto done = as_completed(std::vector{a, b, c});
        loop().call_soon([=]() mutable {
            b.set_result(2);
            c.set_result(3);
        });
        EXPECT_TRUE(co_await done.next() == b);
        EXPECT_TRUE(co_await done.next() == c);
        loop().call_soon([=]() mutable { a.set_result(1); });
        auto last = co_await done.next();
        EXPECT_TRUE(last == a);
        EXPECT_EQ(last->result(), 1);
        EXPECT_FALSE((co_await done.next()).has_value());
        EXPECT_FALSE((co_await done.next()).has_value());
    });
}

TEST_P(AsCompleted, ThoseThatAreDoneComeFirstInTheOrderOfTheArgumentsAndEachOnce) {
    run([&]() -> coro<> {
        auto pending = create_future<int>();
        auto x = create_future<int>();
        auto y = create_future<int>();
        y.set_result(1);
        x.set_result(1);
        auto done = as_completed(std::vector{pending, x, y, x, pending});
        EXPECT_TRUE(co_await done.next() == x);
        EXPECT_TRUE(co_await done.next() == y);
        pending.set_result(0);
        EXPECT_TRUE(co_await done.next() == pending);
        EXPECT_FALSE((co_await done.next()).has_value());
    });
}

TEST_P(AsCompleted, StartsATaskForEachCoroutine) {
    run([&]() -> coro<> {
        std::vector<coro<int>> coros;
        coros.push_back(after(5, 5));
        coros.push_back(after(1, 1));
        coros.push_back(after(3, 3));
        auto done = as_completed(std::move(coros));
        std::vector<int> order;
        while (auto t = co_await done.next()) order.push_back(t->result());
        EXPECT_EQ(order, (std::vector{1, 3, 5}));
    });
}

TEST_P(AsCompleted, GivesWhatFailedOrWasCancelledWithoutThrowing) {
    run([&]() -> coro<> {
        auto failed = create_future<int>();
        auto cancelled = create_future<int>();
        failed.set_exception(std::make_exception_ptr(std::out_of_range("x")));
        cancelled.cancel();
        auto done = as_completed(std::vector{failed, cancelled});
        auto first = co_await done.next();
        EXPECT_THROW(first->result(), std::out_of_range);
        auto second = co_await done.next();
        EXPECT_TRUE(second->cancelled());
    });
}

TEST_P(AsCompleted, WhenTimeIsUpWhatIsDoneIsStillGivenThenItThrows) {
    run([&]() -> coro<> {
        auto never = create_future<int>();
        auto soon = create_future<int>();
        auto done = as_completed(std::vector{never, soon}, duration::zero());
        soon.set_result(1);
        EXPECT_TRUE(co_await done.next() == soon);
        EXPECT_TRUE((co_await as_result(done.next())).holds<timeout_error>());
        EXPECT_TRUE((co_await as_result(done.next())).holds<timeout_error>());
        EXPECT_FALSE(never.cancelled());
        never.set_result(2); // it can be gone on with
        EXPECT_TRUE(co_await done.next() == never);
    });
}

TEST_P(AsCompleted, ACancelledNextLosesNothing) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        auto done = as_completed(std::vector{f});
        auto waiting = create_task([&]() -> coro<> { static_cast<void>(co_await done.next()); });
        co_await yield();
        waiting.cancel();
        EXPECT_TRUE((co_await as_result(waiting)).cancelled());
        EXPECT_FALSE(f.done());
        auto again = create_task([&]() -> coro<> { static_cast<void>(co_await done.next()); });
        co_await yield();
        f.set_result(1);
        again.cancel(); // f is done, but not given
        EXPECT_TRUE((co_await as_result(again)).cancelled());
        EXPECT_TRUE(co_await done.next() == f);
    });
}

TEST_P(AsCompleted, OneWaitsAtATime) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        auto done = as_completed(std::vector{f});
        auto waiting = create_task([&]() -> coro<bool> { co_return co_await done.next() == f; });
        co_await yield();
        EXPECT_TRUE((co_await as_result(done.next())).holds<runtime_error>());
        f.set_result(1);
        EXPECT_TRUE(co_await waiting);
    });
}

TEST_P(AsCompleted, RefusesNullHandlesAndIsEmptyForNone) {
    run([&]() -> coro<> {
        EXPECT_THROW(static_cast<void>(as_completed(std::vector{create_future<int>(), future<int>()})), type_error);
        auto done = as_completed(std::vector<future<int>>());
        EXPECT_FALSE((co_await done.next()).has_value());
    });
}

TEST_P(AsCompleted, RefusesFuturesOfDifferentLoops) {
    event_loop other(loop_options{.backend = GetParam()});
    run([&]() -> coro<> {
        const std::vector<future<int>> mixed{create_future<int>(), other.create_future<int>()};
        EXPECT_THROW(static_cast<void>(as_completed(mixed)), value_error);
        co_return;
    });
}

TEST_P(AsCompleted, DestroyedItCancelsNothing) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        { auto done = as_completed(std::vector{f}); }
        EXPECT_FALSE(f.done());
        f.set_result(1);
        co_await yield();
        EXPECT_EQ(f.result(), 1);
    });
}

} // namespace
} // namespace rondo
