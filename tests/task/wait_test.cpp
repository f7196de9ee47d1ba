// wait() and wait_any().
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/wait.hpp>

#include <chrono>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class Wait : public test::loop_test {};
RONDO_IN_EACH_WORLD(Wait);
class WaitAny : public test::loop_test {};
RONDO_IN_EACH_WORLD(WaitAny);

coro<int> after(int passes, int value) {
    co_await pass_by(passes);
    co_return value;
}
coro<int> fail(int passes) {
    co_await pass_by(passes);
    throw std::out_of_range("x");
}

TEST_P(Wait, ForAllGivesTheDoneOnesInTheOrderOfTheArguments) {
    run([]() -> coro<> {
        auto a = create_task(after(3, 1));
        auto b = create_task(after(1, 2));
        auto [done, pending] = co_await wait({a, b});
        EXPECT_EQ(done, (std::vector{a, b}));
        EXPECT_TRUE(pending.empty());
    });
}

TEST_P(Wait, ThrowsNothingThatTheFuturesHold) {
    run([]() -> coro<> {
        auto a = create_task(fail(1));
        auto b = create_task(sleep_forever());
        b.cancel();
        const auto [done, pending] = co_await wait(std::vector<any_task>{a, b});
        EXPECT_EQ(done.size(), 2u);
        EXPECT_NE(a.exception(), nullptr);
    });
}

TEST_P(Wait, ForTheFirstGivesAllThatAreDoneAtThatMoment) {
    run([]() -> coro<> {
        auto a = create_task(after(2, 1));
        auto b = create_task(after(9, 2));
        auto c = create_task(after(2, 3));
        const auto [done, pending] = co_await wait({a, b, c}, {.return_when = first_completed});
        EXPECT_EQ(done, (std::vector{a, c}));
        EXPECT_EQ(pending, std::vector{b});
        co_await b;
    });
}

TEST_P(Wait, ForTheFirstExceptionDoesNotCountACancelledOne) {
    run([]() -> coro<> {
        auto victim = create_task([]() -> coro<int> {
            co_await sleep_forever();
            co_return 0;
        });
        auto good = create_task(after(3, 1));
        auto bad = create_task(fail(5));
        auto slow = create_task(after(12, 2));
        victim.cancel();
        const auto [done, pending] = co_await wait({victim, good, bad, slow}, {.return_when = first_exception});
        EXPECT_EQ(done, (std::vector{victim, good, bad}));
        EXPECT_EQ(pending, std::vector{slow});
        EXPECT_NE(bad.exception(), nullptr);
        const auto rest = co_await wait({victim, slow}, {.return_when = first_exception}); // none: all
        EXPECT_EQ(rest.done.size(), 2u);
    });
}

TEST_P(Wait, WhenTimeIsUpItCancelsNothing) {
    run([]() -> coro<> {
        auto a = create_task(after(0, 1));
        auto b = create_future<int>();
        const auto [done, pending] = co_await wait(std::vector<any_future>{a, b}, {.timeout = 1ms});
        EXPECT_EQ(done, std::vector<any_future>{a});
        EXPECT_EQ(pending, std::vector<any_future>{b});
        EXPECT_FALSE(b.done());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(Wait, ForOneOfAnotherLoopIsAnErrorUnlessItIsDone) {
    const auto other = test::make_loop(GetParam());
    auto foreign = other->create_future<int>();
    run([&]() -> coro<> {
        EXPECT_TRUE((co_await as_result(wait(std::vector<any_future>{foreign}))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(wait_any(std::vector<any_future>{foreign}))).holds<value_error>());
        foreign.set_result(1);
        EXPECT_EQ(co_await wait_any(std::vector<any_future>{foreign}), 0U);
    });
    other->close();
}

TEST_P(Wait, WithoutTimeItLooksOnce) {
    run([&]() -> coro<> {
        auto done_already = create_future<int>();
        done_already.set_result(1);
        auto never = create_future<int>();
        const std::uint64_t before = passes();
        const auto [done, pending] = co_await wait({done_already, never}, {.timeout = duration::zero()});
        EXPECT_EQ(passes(), before + 1);
        EXPECT_EQ(done, std::vector{done_already});
        EXPECT_EQ(pending, std::vector{never});
    });
}

TEST_P(Wait, CostsAPassEvenWhenAllAreDone) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(1);
        const std::uint64_t before = passes();
        co_await wait({f});
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(Wait, CancelledItCancelsNothing) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        auto t = create_task([&]() -> coro<> { co_await wait({f}); });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_FALSE(f.done());
    });
}

TEST_P(Wait, InACancelledScopeItEndsAsCancelled) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        cancel_scope scope;
        scope.cancel();
        EXPECT_FALSE(co_await scope.run([&]() -> coro<> { co_await wait({f}, {.timeout = 1h}); }));
        EXPECT_FALSE(f.done());
    });
}

TEST_P(Wait, CountsAHandleThatIsGivenTwiceOnce) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(1);
        const auto [done, pending] = co_await wait({f, f});
        EXPECT_EQ(done.size(), 1u);
    });
}

TEST_P(Wait, ForManyHandlesThatAreGivenTwiceKeepsTheOrderOfTheirFirstPlaces) {
    run([]() -> coro<> {
        constexpr std::size_t many = 100'000; // comparing each with each would take minutes
        std::vector<future<int>> all;
        for (std::size_t i = 0; i < many; ++i) all.push_back(create_future<int>());
        std::vector<future<int>> twice = all;
        for (std::size_t i = 0; i < many; ++i) twice.push_back(all[many - 1 - i]);
        for (std::size_t i = 0; i < many; i += 2) all[i].set_result(1);
        const auto [done, pending] = co_await wait(std::move(twice), {.return_when = first_completed});
        EXPECT_EQ(done.size(), many / 2);
        EXPECT_EQ(pending.size(), many / 2);
        for (std::size_t i = 0; i < many / 2; ++i) {
            EXPECT_EQ(done[i], all[2 * i]);
            EXPECT_EQ(pending[i], all[2 * i + 1]);
        }
    });
}

TEST_P(Wait, ForNothingOrForANullHandleIsAnError) {
    run([]() -> coro<> {
        EXPECT_TRUE((co_await as_result(wait(std::vector<future<int>>()))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(wait({future<int>()}))).holds<type_error>());
        EXPECT_TRUE((co_await as_result(wait_any(std::vector<future<int>>()))).holds<value_error>());
    });
}

TEST_P(Wait, ManyTwiceInARowLeavesNoResidue) {
    run([]() -> coro<> {
        std::vector<future<int>> all;
        for (int i = 0; i < 1000; ++i) all.push_back(create_future<int>());
        all[500].set_result(1);
        auto first = co_await wait(all, {.return_when = first_completed});
        EXPECT_EQ(first.pending.size(), 999u);
        for (auto& f : first.pending) f.set_result(2);
        auto second = co_await wait(all);
        EXPECT_EQ(second.done, all);
    });
}

TEST_P(WaitAny, GivesTheIndexOfTheFirstThatIsDone) {
    run([]() -> coro<> {
        auto slow = create_task(after(9, 1));
        auto quick = create_task(after(1, 2));
        auto f = create_future<>();
        EXPECT_EQ(co_await wait_any(f, slow, quick), 2u);
        EXPECT_FALSE(slow.done());
        f.set_result();
        EXPECT_EQ(co_await wait_any(quick, f), 0u); // of several that are done the first in the order of the arguments
        EXPECT_EQ(co_await wait_any(std::vector<any_future>{slow, f}), 1u);
        co_await slow;
    });
}

TEST_P(WaitAny, ThrowsNoError) {
    run([]() -> coro<> {
        auto bad = create_task(fail(1));
        EXPECT_EQ(co_await wait_any(bad), 0u);
        EXPECT_NE(bad.exception(), nullptr);
    });
}

} // namespace
} // namespace rondo
