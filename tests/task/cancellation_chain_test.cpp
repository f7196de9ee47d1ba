// A cancellation runs along whatever a task waits for, however long that is.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/task_group.hpp>

#include <string>
#include <vector>

namespace rondo {
namespace {

class CancellationChain : public test::loop_test {};
RONDO_IN_EACH_WORLD(CancellationChain);

constexpr std::size_t many = 100'000;

/// tasks[0] waits for tasks[1], and so on; the last one waits for ever. Each ends when the next one has, whatever came of it:
/// a hundred thousand throws take seconds under a sanitizer.
std::vector<task<>> chain_of(std::size_t n) {
    std::vector<task<>> tasks(n);
    tasks[n - 1] = create_task(sleep_forever());
    for (std::size_t i = n - 1; i-- > 0;) {
        tasks[i] =
            create_task([](task<> next) -> coro<> { static_cast<void>(co_await as_result(next)); }, tasks[i + 1]);
    }
    return tasks;
}

TEST_P(CancellationChain, OfOneHundredThousandTasksThatAwaitEachOther) {
    run([&]() -> coro<> {
        auto tasks = chain_of(many);
        co_await yield();
        EXPECT_TRUE(tasks.front().cancel("stop"));
        for (const task<>& t : tasks) EXPECT_EQ(t.cancelling(), 1);
        co_await tasks.front();
        for (const task<>& t : tasks) EXPECT_TRUE(t.done());
        EXPECT_TRUE(tasks.back().cancelled());
    });
}

TEST_P(CancellationChain, OfOneHundredThousandTasksByAScopeAroundTheFirst) {
    run([&]() -> coro<> {
        auto tasks = chain_of(many);
        co_await yield();
        cancel_scope scope;
        loop().call_soon([&] { scope.cancel(); });
        EXPECT_TRUE(co_await scope.run([&]() -> coro<> { co_await tasks.front(); })); // it swallowed the cancellation
        for (const task<>& t : tasks) EXPECT_TRUE(t.done());
        EXPECT_TRUE(tasks.back().cancelled());
    });
}

TEST_P(CancellationChain, OfOneHundredThousandTasksThatTheEndOfTheLoopAsks) {
    run([&]() -> coro<> {
        const auto tasks = chain_of(many);
        co_await yield();
    });
    end_loop();
}

TEST_P(CancellationChain, OfOneHundredThousandTasksThatTheEndOfTheLoopAsksFromTheBottomUp) {
    struct nested {
        static coro<> level(std::size_t n) {
            if (n == 0) co_await sleep_forever();
            else static_cast<void>(co_await as_result(create_task(level(n - 1))));
        }
    };
    run([&]() -> coro<> {
        spawn(nested::level(many));
        co_await test::pass_by(static_cast<int>(many) + 2);
    });
    end_loop();
}

TEST_P(CancellationChain, OfAHundredThousandGathersInEachOther) {
    struct nested {
        static coro<> level(std::size_t n) {
            if (n == 0) co_await sleep_forever();
            else static_cast<void>(co_await as_result(gather(level(n - 1))));
        }
    };
    run([&]() -> coro<> {
        auto t = create_task(nested::level(many / 2));
        co_await test::pass_by(static_cast<int>(many / 2) + 2);
        t.cancel();
        co_await t;
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST_P(CancellationChain, ARingOfManyIsBrokenWhereItCloses) {
    run([&]() -> coro<> {
        std::vector<task<>> ring(many);
        for (std::size_t i = 0; i < many; ++i) {
            ring[i] = create_task([](const std::vector<task<>>& all,
                                     std::size_t next) -> coro<> { static_cast<void>(co_await as_result(all[next])); },
                                  std::cref(ring), (i + 1) % many);
        }
        co_await yield();
        ring[0].cancel();
        co_await ring[0];
        for (const task<>& t : ring) {
            EXPECT_TRUE(t.done());
            EXPECT_EQ(t.cancelling(), 1);
        }
    });
}

TEST_P(CancellationChain, ADiamondAsksWhatBothSidesAwaitTwice) {
    run([&]() -> coro<> {
        auto bottom = create_task([]() -> coro<std::string> {
            auto r = co_await as_result(sleep_forever());
            EXPECT_TRUE(r.cancelled());
            co_return "swallowed";
        });
        const auto side = [&]() -> coro<std::string> { co_return co_await bottom; };
        auto left = create_task(side);
        auto right = create_task(side);
        auto top = create_task([&]() -> coro<> { co_await gather(left, right); });
        co_await test::pass_by(2);
        top.cancel();
        EXPECT_EQ(left.cancelling(), 1);
        EXPECT_EQ(right.cancelling(), 1);
        EXPECT_EQ(bottom.cancelling(), 2);
        EXPECT_TRUE((co_await as_result(top)).cancelled());
        EXPECT_EQ(bottom.result(), "swallowed"); // both were delivered as one
        EXPECT_EQ(left.result(), "swallowed");
    });
}

TEST_P(CancellationChain, FortyDiamondsBelowEachOtherTakeFortyStepsNotTwoToTheFortieth) {
    struct rhombus {
        static coro<> level(int n) {
            if (n == 0) {
                co_await sleep_forever();
                co_return;
            }
            auto below = create_task(level(n - 1));
            const auto side = [&]() -> coro<> { co_await below; };
            co_await gather(side(), side());
        }
    };
    run([&]() -> coro<> {
        auto t = create_task(rhombus::level(40));
        co_await test::pass_by(200);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        co_await test::pass_by(200);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST_P(CancellationChain, AGatherWithoutAnybodyWhoAcceptsIsNotCancelled) {
    run([&]() -> coro<> {
        // The children wait for the one that is cancelled: a circle with a gather in it.
        task<> top;
        top = create_task([&]() -> coro<> {
            const auto back = [&]() -> coro<> { co_await top; };
            co_await gather(back(), back());
        });
        co_await test::pass_by(3);
        top.cancel();
        EXPECT_TRUE((co_await as_result(top)).cancelled());
        co_await test::pass_by(3);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST_P(CancellationChain, TheMessageGoesAllTheWay) {
    run([&]() -> coro<> {
        auto bottom = create_task(sleep_forever());
        auto middle = create_task([&]() -> coro<> { co_await bottom; });
        auto top = create_task([&]() -> coro<> { co_await gather(middle); });
        co_await test::pass_by(2);
        top.cancel("no more");
        for (const task<>& t : {bottom, middle, top}) {
            auto r = co_await as_result(t);
            const auto* error = detail::exception_cast<cancelled_error>(r.error());
            EXPECT_TRUE(error);
            if (error) EXPECT_EQ(error->message(), "no more");
        }
    });
}

} // namespace
} // namespace rondo
