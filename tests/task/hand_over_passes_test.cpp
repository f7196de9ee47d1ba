// What the combinators cost in passes of the loop beyond what they wait for, as numbers.
#include "support/loop_test.hpp"

#include <rondo/task/as_completed.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/async_exit_stack.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/map_concurrent.hpp>
#include <rondo/task/select.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/with.hpp>

#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

namespace rondo {
namespace {

class HandOverPasses : public test::loop_test {
protected:
    template <std::invocable F> coro<std::uint64_t> cost(F make) {
        const std::uint64_t before = passes();
        static_cast<void>(co_await as_result(make()));
        co_return passes() - before;
    }
};
RONDO_ON_EACH_BACKEND(HandOverPasses);

coro<int> one() { co_return 1; }
coro<> nothing() { co_return; }
struct resource {
    coro<> aenter() { co_return; }
    coro<> aexit(std::exception_ptr) { co_return; }
};

TEST_P(HandOverPasses, ASelectCostsTwoWhenAllAreReadyAndOneMoreForALoserThatHasToEnd) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await cost([]() -> coro<> { static_cast<void>(co_await select(one())); }),
                  2U); // its step, then ours
        EXPECT_EQ(co_await cost([]() -> coro<> { static_cast<void>(co_await select(one(), one())); }), 2U);
        EXPECT_EQ(co_await cost([]() -> coro<> { static_cast<void>(co_await select(sleep_forever(), one())); }), 3U);
    });
}

TEST_P(HandOverPasses, AsCompletedCostsNoneForWhatIsDoneAndOneForWhatEndsLater) {
    run([&]() -> coro<> {
        auto done = create_future<int>();
        done.set_result(1);
        auto later = create_future<int>();
        auto it = as_completed(std::vector{later, done});
        EXPECT_EQ(co_await cost([&] { return it.next(); }), 0U);
        std::uint64_t set_in = 0;
        loop().call_soon([&] {
            set_in = passes();
            later.set_result(2);
        });
        co_await it.next();
        EXPECT_EQ(passes(), set_in + 1);
        EXPECT_EQ(co_await cost([&] { return it.next(); }), 0U); // the end
    });
}

TEST_P(HandOverPasses, WithAndAnExitStackCostNoneOfTheirOwn) {
    run([&]() -> coro<> {
        resource r;
        EXPECT_EQ(co_await cost([&] { return with(r, nothing); }), 0U);
        EXPECT_EQ(co_await cost([&] {
                      return async_exit_stack::run([&](async_exit_stack& stack) -> coro<> {
                          co_await stack.enter(r);
                          stack.push_callback([] {});
                      });
                  }),
                  0U);
    });
}

TEST_P(HandOverPasses, StartCostsTheChildsStepAndOurs) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            const auto serve = [](task_status<int> status) -> coro<> {
                status.started(5);
                co_await yield();
            };
            EXPECT_EQ(co_await cost([&] { return group.start<int>(serve); }), 2U);
        });
    });
}

TEST_P(HandOverPasses, JoinCostsNoneWithoutChildrenAndOneAfterTheEndOfTheLast) {
    run([&]() -> coro<> {
        {
            task_group group;
            EXPECT_EQ(co_await cost([&] { return group.join(); }), 0U);
        }
        task_group group;
        std::uint64_t ended_in = 0;
        group.create_task([&]() -> coro<> {
            co_await test::pass_by(3);
            ended_in = passes();
        });
        group.create_task(one);
        co_await group.join();
        EXPECT_EQ(passes(), ended_in + 1);
    });
}

TEST_P(HandOverPasses, ATaskThatFailsEndsItsSiblingsInTheNextOneAndTheGroupInTheOneAfter) {
    run([&]() -> coro<> {
        std::uint64_t failed_in = 0;
        std::uint64_t cancelled_in = 0;
        auto outcome = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.create_task([&]() -> coro<> {
                auto waited = co_await as_result(sleep_forever());
                cancelled_in = passes();
                waited.value();
            });
            group.create_task([&]() -> coro<> {
                co_await test::pass_by(2);
                failed_in = passes();
                throw value_error("x");
            });
            co_return;
        }));
        EXPECT_FALSE(outcome);
        EXPECT_EQ(cancelled_in, failed_in + 1);
        EXPECT_EQ(passes(), cancelled_in + 1);
    });
}

} // namespace
} // namespace rondo
