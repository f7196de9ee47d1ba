// What a task takes from the heap: two blocks of the free lists, and nothing in the steady state.
#include "support/loop_test.hpp"
#include "support/operator_new.hpp"

#include <rondo/coro/frame.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>

#include <chrono>
#include <concepts>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class TaskAllocations : public test::loop_test {
protected:
    /// In a context without variables: each task has a copy of it, and other tests may have left some there.
    template <std::invocable F> void run(F body) {
        context().run([&] { loop_test::run(std::move(body)); });
    }
    /// The calls of operator new in the second hundred rounds.
    template <std::invocable F> coro<std::size_t> steady_state(F round) {
        for (int i = 0; i < 100; ++i) co_await round();
        const std::size_t before = test::operator_new_calls();
        for (int i = 0; i < 100; ++i) co_await round();
        co_return test::operator_new_calls() - before;
    }
};
RONDO_ON_EACH_BACKEND(TaskAllocations);

coro<int> small(int x) { co_return x; }
coro<> yields() { co_await yield(); }

TEST_P(TaskAllocations, ATaskOfASmallCoroutineTakesTwoBlocks) {
    if (test::counts_operator_new()) GTEST_SKIP() << "blocks are counted where each is an allocation of its own";
    run([]() -> coro<> {
        const auto blocks = [](auto&& make) {
            const std::size_t before = detail::block_refills();
            auto made = make();
            const std::size_t used = detail::block_refills() - before;
            spawn([](auto t) -> coro<> { co_await t; }, std::move(made));
            return used;
        };
        EXPECT_EQ(blocks([] { return create_task(small(1)); }), 2U);
        EXPECT_EQ(blocks([] { return create_task(small, 1); }), 2U);
        EXPECT_EQ(blocks([] { return create_task([](int x, long y) -> coro<long> { co_return x + y; }, 1, 2L); }), 2U);
        EXPECT_EQ(blocks([] { return create_task(sleep(duration::zero())); }), 2U);
        EXPECT_EQ(blocks([] { return create_future<int>(); }), 1U);
        co_await test::pass_by(3);
    });
}

TEST_P(TaskAllocations, InTheSteadyStateNothingComesFromTheHeap) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        EXPECT_EQ(co_await steady_state([]() -> coro<> { EXPECT_EQ(co_await small(3), 3); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { EXPECT_EQ(co_await create_task(small, 3), 3); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { co_await create_task(yields()); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { spawn(yields), co_await yield(); }), 0U);
        EXPECT_EQ(co_await steady_state([&]() -> coro<> {
                      auto f = create_future<int>();
                      loop().call_soon([f]() mutable { f.set_result(1); });
                      EXPECT_EQ(co_await f, 1);
                  }),
                  0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { co_await sleep(1us); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { co_await timeout(1s, yields()); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { co_await move_on_after(1s, yields()); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> { static_cast<void>(co_await as_result(yields())); }), 0U);
        EXPECT_EQ(co_await steady_state([]() -> coro<> {
                      co_await task_group::run([](task_group& group) -> coro<> {
                          group.start_soon(yields);
                          group.start_soon(yields);
                          co_return;
                      });
                  }),
                  0U);
    });
}

TEST_P(TaskAllocations, ARecordTakesRoomForNothingThatWasNotAskedFor) {
    // A name, a cancel message and a context are elsewhere; a callable lies in the record.
    EXPECT_LE(sizeof(detail::plain_task<void>), 184U);
    EXPECT_LE(sizeof(detail::plain_future<int>), 96U);
}

} // namespace
} // namespace rondo
