// What each await costs in passes of the loop, as a number; and the budget, which keeps awaits that cost none from starving
// the others.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/finally.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/shield.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>
#include <rondo/task/wait.hpp>

#include <chrono>
#include <concepts>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class Passes : public test::loop_test {
protected:
    /// The passes that go by in `co_await make()`.
    template <std::invocable F> coro<std::uint64_t> cost(F make) {
        const std::uint64_t before = passes();
        static_cast<void>(co_await as_result(make()));
        co_return passes() - before;
    }
};
RONDO_IN_EACH_WORLD(Passes);
class Budget : public Passes {};
RONDO_IN_EACH_WORLD(Budget);

coro<int> one() { co_return 1; }
coro<int> deep(int n) { co_return n == 0 ? 1 : co_await deep(n - 1); }
coro<> nothing() { co_return; }
coro<> fail() {
    throw std::out_of_range("x");
    co_return;
}
future<int> ready_future() {
    auto f = create_future<int>();
    f.set_result(1);
    return f;
}

TEST_P(Passes, ACoroutineThatSuspendsNowhereCostsNone) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return one(); }), 0U);
        EXPECT_EQ(co_await cost([] { return deep(1000); }), 0U);
        EXPECT_EQ(co_await cost([] { return fail(); }), 0U);
    });
}

TEST_P(Passes, ADoneFutureCostsNoneAPendingOneIsResumedInThePassAfterItWasSet) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return ready_future(); }), 0U);
        auto f = create_future<int>();
        std::uint64_t set_in = 0;
        loop().call_soon([&] {
            set_in = passes();
            f.set_result(1);
        });
        co_await f;
        EXPECT_EQ(passes(), set_in + 1);
    });
}

TEST_P(Passes, ATaskRunsInTheNextOneAndWhoAwaitsItInTheOneAfterItsEnd) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return create_task(one); }), 2U);
        EXPECT_EQ(co_await cost([] { return create_task({.eager_start = true}, one); }), 0U);
        EXPECT_EQ(co_await cost([] { return create_task([]() -> coro<> { co_await yield(); }); }), 3U);
    });
}

TEST_P(Passes, YieldAndSleepOfNothingCostOne) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return yield(); }), 1U);
        EXPECT_EQ(co_await cost([] { return checkpoint(); }), 1U);
        EXPECT_EQ(co_await cost([] { return sleep(duration::zero()); }), 1U);
    });
}

TEST_P(Passes, AGroupWithoutChildrenCostsNoneWithOneThatEndsAtOnceTwo) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return task_group::run([] { return nothing(); }); }), 0U);
        EXPECT_EQ(co_await cost([] {
                      return task_group::run([](task_group& group) -> coro<> {
                          group.create_task(one);
                          group.create_task(one);
                          co_return;
                      });
                  }),
                  2U);
    });
}

TEST_P(Passes, AGatherOfNothingOrOfWhatIsDoneCostsNoneOfCoroutinesTwo) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return gather(); }), 0U);
        EXPECT_EQ(co_await cost([] { return gather(std::vector<coro<int>>()); }), 0U);
        EXPECT_EQ(co_await cost([] { return gather(ready_future(), ready_future()); }), 0U);
        EXPECT_EQ(co_await cost([] { return gather(one(), one(), one()); }), 2U);
    });
}

TEST_P(Passes, WaitCostsOneWhenAllAreDoneOrThereIsNoTime) {
    run([&]() -> coro<> {
        auto done = ready_future();
        auto never = create_future<int>();
        EXPECT_EQ(co_await cost([&] { return wait({done}); }), 1U);
        EXPECT_EQ(co_await cost([&] { return wait({done, never}, {.timeout = duration::zero()}); }), 1U);
        EXPECT_EQ(co_await cost([&] { return wait({done, never}, {.return_when = first_completed}); }), 1U);
        EXPECT_EQ(co_await cost([&] { return wait_any(never, done); }), 1U);
        auto t = create_task(one);
        EXPECT_EQ(co_await cost([&] { return wait({t}); }), 2U); // its step, then ours
    });
}

TEST_P(Passes, TimeoutsAndScopesAroundWhatDoesNotSuspendCostNone) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return timeout(1s, one()); }), 0U);
        EXPECT_EQ(co_await cost([] { return timeout(duration::zero(), one()); }), 0U);
        EXPECT_EQ(co_await cost([] { return wait_for(one(), no_timeout); }), 0U);
        EXPECT_EQ(co_await cost([] { return wait_for(one(), 1s); }), 0U);
        EXPECT_EQ(co_await cost([] { return wait_for(one(), duration::zero()); }), 0U); // never started
        EXPECT_EQ(co_await cost([] { return move_on_after(1s, one()); }), 0U);
        EXPECT_EQ(co_await cost([] { return fail_after(1s, one()); }), 0U);
        cancel_scope scope;
        EXPECT_EQ(co_await cost([&] { return scope.run(one); }), 0U);
        EXPECT_EQ(co_await cost([] { return finally(one(), nothing); }), 0U);
        EXPECT_EQ(co_await cost([] { return shield(ready_future()); }), 0U);
        EXPECT_EQ(co_await cost([] { return as_result(as_result(fail())); }), 0U);
    });
}

TEST_P(Passes, ATimeoutOfNothingEndsWhatSuspendsInTheNextOne) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([] { return timeout(duration::zero(), sleep_forever()); }), 1U);
        EXPECT_EQ(co_await cost([] { return move_on_after(duration::zero(), sleep_forever()); }), 1U);
    });
}

TEST_P(Passes, TheStepOfAnAsyncGeneratorThatAwaitsNothingCostsNone) {
    run([&]() -> coro<> {
        auto numbers = []() -> async_generator<int> {
            for (int i = 0;; ++i) co_yield i;
        }();
        EXPECT_EQ(co_await cost([&] { return numbers.next(); }), 0U);
        EXPECT_EQ(co_await cost([&] { return numbers.next(); }), 0U);
        EXPECT_EQ(co_await cost([&] { return numbers.aclose(); }), 0U);
    });
}

TEST_P(Passes, ADoneCallbackRunsInTheOneAfterTheEnd) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        std::uint64_t called_in = 0;
        f.add_done_callback([&] { called_in = passes(); });
        const std::uint64_t before = passes();
        f.set_result(1);
        co_await test::pass_by(3);
        EXPECT_EQ(called_in, before + 1);
    });
}

TEST_P(Passes, ACancellationReachesATaskInTheNextOneHoweverLongTheChainIsThatItRunsDown) {
    run([&]() -> coro<> {
        auto bottom = create_task(sleep_forever());
        auto middle = create_task([&]() -> coro<> { co_await bottom; });
        auto top = create_task([&]() -> coro<> { co_await middle; });
        co_await yield();
        top.cancel();
        co_await yield();
        EXPECT_TRUE(bottom.done());
        EXPECT_FALSE(middle.done());
        co_await yield();
        EXPECT_TRUE(middle.done());
        co_await yield();
        EXPECT_TRUE(top.done());
    });
}

TEST_P(Budget, After128AwaitsThatDoNotSuspendTheNextOneYields) {
    run([&]() -> coro<> {
        co_await yield(); // a new step
        const auto f = ready_future();
        const std::uint64_t before = passes();
        for (int i = 0; i < 128; ++i) co_await f;
        EXPECT_EQ(passes(), before);
        EXPECT_EQ(co_await f, 1); // its value is there all the same
        EXPECT_EQ(passes(), before + 1);
        for (int i = 0; i < 128; ++i) co_await f;
        EXPECT_EQ(passes(), before + 1);
        co_await f;
        EXPECT_EQ(passes(), before + 2);
    });
}

TEST_P(Budget, CountsOperationsOfTheLibraryNotCoroutines) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        for (int i = 0; i < 10'000; ++i) co_await one();
        EXPECT_EQ(passes(), before);
        const auto f = ready_future();
        const auto through = [&]() -> coro<int> { co_return co_await f; };
        co_await yield();
        const std::uint64_t start = passes();
        for (int i = 0; i < 129; ++i) co_await through();
        EXPECT_EQ(passes(), start + 1);
    });
}

TEST_P(Budget, IsNewInEveryStep) {
    run([&]() -> coro<> {
        const auto f = ready_future();
        co_await yield();
        for (int round = 0; round < 5; ++round) {
            const std::uint64_t before = passes();
            for (int i = 0; i < 100; ++i) co_await f;
            EXPECT_EQ(passes(), before);
            co_await yield();
        }
    });
}

TEST_P(Budget, EveryTaskHasItsOwnSoNobodyStarves) {
    run([&]() -> coro<> {
        const auto f = ready_future();
        bool over = false;
        auto greedy = create_task([&]() -> coro<int> {
            int rounds = 0;
            while (!over) {
                co_await f;
                ++rounds;
            }
            co_return rounds;
        });
        co_await test::pass_by(10);
        over = true;
        EXPECT_EQ(co_await greedy, 10 * 129); // ten steps of 128, and what each of them left to the next one
    });
}

TEST_P(Budget, TheAwaitThatYieldsIsACancellationPoint) {
    run([&]() -> coro<> {
        const auto f = ready_future();
        auto t = create_task([&]() -> coro<> {
            for (;;) co_await f;
        });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

} // namespace
} // namespace rondo
