// future<T>: one transition, many awaiters, callbacks through the loop.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/future.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <unordered_set>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class Future : public test::loop_test {};
RONDO_IN_EACH_WORLD(Future);
class FutureCallback : public test::loop_test {};
RONDO_IN_EACH_WORLD(FutureCallback);

TEST_P(Future, IsPendingUntilItIsSetOnce) {
    auto f = loop().create_future<int>();
    EXPECT_FALSE(f.done());
    EXPECT_THROW(static_cast<void>(f.result()), invalid_state_error);
    EXPECT_THROW(static_cast<void>(f.exception()), invalid_state_error);
    f.set_result(5);
    EXPECT_TRUE(f.done());
    EXPECT_FALSE(f.cancelled());
    EXPECT_EQ(f.result(), 5);
    EXPECT_EQ(f.exception(), nullptr);
    EXPECT_THROW(f.set_result(6), invalid_state_error);
    EXPECT_THROW(f.set_exception(std::out_of_range("x")), invalid_state_error);
    EXPECT_FALSE(f.try_set_result(6));
    EXPECT_FALSE(f.try_set_exception(std::make_exception_ptr(1)));
    EXPECT_FALSE(f.cancel());
    EXPECT_EQ(f.result(), 5);
    EXPECT_EQ(&f.loop(), &loop());
}

TEST_P(Future, TheTryFormsSetAPendingOne) {
    auto f = loop().create_future<int>();
    EXPECT_TRUE(f.try_set_result(1));
    auto g = loop().create_future<>();
    EXPECT_TRUE(g.try_set_result());
    auto h = loop().create_future<>();
    EXPECT_TRUE(h.try_set_exception(std::make_exception_ptr(std::out_of_range("x"))));
    EXPECT_THROW(h.result(), std::out_of_range);
}

TEST_P(Future, ThrowsTheSameExceptionEveryTime) {
    auto f = loop().create_future<int>();
    const auto error = std::make_exception_ptr(std::out_of_range("x"));
    f.set_exception(error);
    EXPECT_EQ(f.exception(), error);
    EXPECT_THROW(static_cast<void>(f.result()), std::out_of_range);
    EXPECT_THROW(static_cast<void>(f.result()), std::out_of_range);
    run([&]() -> coro<> {
        EXPECT_EQ((co_await as_result(f)).error(), error);
        EXPECT_EQ((co_await as_result(f)).error(), error);
    });
}

TEST_P(Future, CancelIsImmediate) {
    auto f = loop().create_future<int>();
    EXPECT_TRUE(f.cancel("no longer needed"));
    EXPECT_TRUE(f.done());
    EXPECT_TRUE(f.cancelled());
    EXPECT_FALSE(f.cancel());
    EXPECT_THROW(static_cast<void>(f.exception()), cancelled_error);
    try {
        static_cast<void>(f.result());
        FAIL();
    } catch (const cancelled_error& e) {
        EXPECT_EQ(e.message(), "no longer needed");
    }
    EXPECT_THROW(f.set_result(1), invalid_state_error);
}

TEST_P(Future, ACancelledErrorAsItsExceptionMakesItCancelled) {
    auto f = loop().create_future<int>();
    f.set_exception(cancelled_error("by hand"));
    EXPECT_TRUE(f.cancelled());
}

TEST_P(Future, TakeMovesTheValueOut) {
    auto f = loop().create_future<std::unique_ptr<int>>();
    f.set_result(std::make_unique<int>(3));
    EXPECT_EQ(**&f.result(), 3);
    EXPECT_EQ(*f.take(), 3);
    EXPECT_THROW(static_cast<void>(f.take()), invalid_state_error);
    EXPECT_THROW(static_cast<void>(f.result()), invalid_state_error);
}

TEST_P(Future, AwaitingADoneOneCostsNoPassAndAPendingOneResumesInThePassAfterItWasSet) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(2);
        std::uint64_t before = passes();
        EXPECT_EQ(co_await f, 2);
        EXPECT_EQ(passes(), before);

        auto g = create_future<int>();
        std::uint64_t set_in = 0;
        loop().call_soon([&] {
            set_in = passes();
            g.set_result(3);
        });
        EXPECT_EQ(co_await g, 3);
        EXPECT_EQ(passes(), set_in + 1);
    });
}

TEST_P(Future, ManyMayAwaitAndResumeInTheOrderInWhichTheyCame) {
    run([]() -> coro<> {
        auto f = create_future<std::string>();
        std::vector<int> order;
        std::vector<task<>> waiters;
        for (int i = 0; i < 5; ++i) {
            waiters.push_back(create_task([&, i]() -> coro<> {
                EXPECT_EQ(co_await f, "x");
                order.push_back(i);
            }));
        }
        co_await yield();
        f.set_result("x");
        for (auto& t : waiters) co_await t;
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
    });
}

TEST_P(Future, AwaitingCopiesTheValueAndMovesItOutOfTheLastRvalueHandle) {
    run([]() -> coro<> {
        auto f = create_future<std::vector<int>>();
        f.set_result(std::vector<int>{1, 2});
        const int* const kept = f.result().data();
        const auto copy = co_await f;
        EXPECT_NE(copy.data(), kept);
        auto other = f;
        const auto another = co_await std::move(other); // not the last handle
        EXPECT_NE(another.data(), kept);
        EXPECT_EQ(f.result().size(), 2u);
        const auto moved = co_await std::move(f);
        EXPECT_EQ(moved.data(), kept);
    });
}

TEST_P(Future, AwaitingWhatCannotBeCopiedMovesItOutOnce) {
    run([]() -> coro<> {
        auto f = create_future<std::unique_ptr<int>>();
        f.set_result(std::make_unique<int>(4));
        EXPECT_EQ(*co_await f, 4);
        EXPECT_TRUE((co_await as_result(f)).holds<invalid_state_error>());
    });
}

TEST_P(Future, ANullHandleCannotBeAwaited) {
    run([]() -> coro<> {
        future<int> null;
        EXPECT_FALSE(null);
        EXPECT_TRUE((co_await as_result(null)).holds<invalid_state_error>());
    });
}

TEST_P(Future, OfAnotherLoopCannotBeAwaitedUnlessItIsDone) {
    const auto other = test::make_loop(GetParam());
    auto f = other->create_future<int>();
    run([&]() -> coro<> {
        EXPECT_TRUE((co_await as_result(f)).holds<runtime_error>());
        EXPECT_FALSE(f.done());
        f.set_result(1);
        EXPECT_EQ(co_await f, 1);
    });
    other->close();
}

TEST_P(Future, ATaskCannotAwaitItself) {
    run([]() -> coro<> {
        task<> self;
        self = create_task([&]() -> coro<> { EXPECT_TRUE((co_await as_result(self)).holds<runtime_error>()); });
        co_await self;
    });
}

TEST_P(Future, HandlesAreSharedComparedByIdentityAndHashable) {
    auto f = loop().create_future<int>();
    auto g = loop().create_future<int>();
    const future<int> same = f;
    EXPECT_EQ(f, same);
    EXPECT_NE(f, g);
    EXPECT_TRUE((f < g) != (g < f));
    EXPECT_NE(f.id(), g.id());
    std::unordered_set<future_base> all{f, g, same};
    EXPECT_EQ(all.size(), 2u);
    f.set_result(1);
    EXPECT_EQ(same.result(), 1);
}

TEST_P(Future, AnErasedHandleFindsItsTypeAgain) {
    auto f = loop().create_future<int>();
    const any_future erased = f;
    EXPECT_EQ(erased.as_future<int>(), f);
    EXPECT_THROW(static_cast<void>(erased.as_future<long>()), std::bad_cast);
    EXPECT_THROW(static_cast<void>(erased.as_task<int>()), std::bad_cast);
    EXPECT_THROW(static_cast<void>(any_future().as_future<int>()), std::bad_cast);
    f.set_result(1);
    run([&]() -> coro<> { co_await erased; });
}

TEST_P(Future, AFailureThatNobodyLooksAtIsReportedWhenTheLastHandleDies) {
    {
        auto f = loop().create_future<int>();
        auto g = f;
        f.set_exception(std::out_of_range("lost"));
        f = {};
        EXPECT_EQ(reports.count(), 0u);
    }
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
    EXPECT_TRUE(told[0].about_future);
    ASSERT_TRUE(told[0].created_at.has_value());
    EXPECT_NE(std::string(told[0].created_at->file_name()).find("future_test.cpp"), std::string::npos);
}

TEST_P(Future, AFailureThatWasLookedAtIsNotReported) {
    {
        auto f = loop().create_future<int>();
        f.set_exception(std::out_of_range("seen"));
        EXPECT_NE(f.exception(), nullptr);
        auto cancelled = loop().create_future<int>();
        cancelled.cancel();
    }
    EXPECT_EQ(reports.count(), 0u);
}

TEST_P(Future, CancellingAFailedOneLosesNoError) {
    auto f = loop().create_future<int>();
    f.set_exception(std::out_of_range("unseen"));
    EXPECT_FALSE(f.cancel());
    f = {};
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(FutureCallback, RunsThroughTheLoopInOrderInThePassAfter) {
    auto f = loop().create_future<int>();
    std::vector<int> order;
    f.add_done_callback([&] { order.push_back(1); });
    f.add_done_callback([&](const future_base& of) {
        EXPECT_EQ(of, f);
        order.push_back(2);
    });
    f.add_done_callback([&](const future<int>& of) { order.push_back(of.result()); });
    run_passes(2);
    EXPECT_TRUE(order.empty());
    f.set_result(3);
    EXPECT_TRUE(order.empty());
    run_passes(1);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_P(FutureCallback, AddedToADoneFutureIsScheduledAtOnceButNotCalledInline) {
    auto f = loop().create_future<>();
    f.set_result();
    bool called = false;
    f.add_done_callback([&] { called = true; });
    EXPECT_FALSE(called);
    run_passes(1);
    EXPECT_TRUE(called);
}

TEST_P(FutureCallback, CanBeRemovedUntilItIsScheduled) {
    auto f = loop().create_future<>();
    int living = 0;
    const callback_id id = f.add_done_callback([t = test::tracked(living)] { ADD_FAILURE(); });
    int calls = 0;
    const callback_id kept = f.add_done_callback([&] { ++calls; });
    EXPECT_NE(id, kept);
    EXPECT_EQ(living, 1);
    EXPECT_TRUE(f.remove_done_callback(id));
    EXPECT_EQ(living, 0);
    EXPECT_FALSE(f.remove_done_callback(id));
    f.set_result();
    EXPECT_FALSE(f.remove_done_callback(kept));
    run_passes(1);
    EXPECT_EQ(calls, 1);
}

TEST_P(FutureCallback, RunsInTheContextItWasAddedIn) {
    context_var<int> v("v", 0);
    auto f = loop().create_future<>();
    int seen = 0;
    {
        auto token = v.set(1);
        f.add_done_callback([&] { seen = v.get(); });
    }
    f.set_result();
    run_passes(1);
    EXPECT_EQ(seen, 1);
}

TEST_P(FutureCallback, RunsInTheContextThatIsGiven) {
    context_var<int> number{"number", 0};
    run([&]() -> coro<> {
        context given;
        given.run([&] { number.assign(7); });
        auto f = create_future<>();
        int seen = -1;
        f.add_done_callback(
            [&] {
                seen = number.get();
                number.assign(8);
            },
            {.context = given});
        f.set_result();
        co_await test::pass_by(2);
        EXPECT_EQ(seen, 7);
        EXPECT_EQ(given.run([&] { return number.get(); }), 8) << "the context itself, not a copy";
        EXPECT_EQ(number.get(), 0);
    });
}

TEST_P(FutureCallback, MayAddAndRemoveOthersWhileTheyAreBeingCalled) {
    run([&]() -> coro<> {
        std::vector<int> called;
        auto f = create_future<>();
        callback_id second = 0;
        f.add_done_callback([&] {
            called.push_back(1);
            EXPECT_FALSE(f.remove_done_callback(second)) << "it is scheduled already";
            f.add_done_callback([&] { called.push_back(4); });
        });
        second = f.add_done_callback([&] { called.push_back(2); });
        f.add_done_callback([&] { called.push_back(3); });
        f.set_result();
        f.add_done_callback([&] { called.push_back(0); });
        co_await test::pass_by(1);
        EXPECT_EQ(called, (std::vector<int>{1, 2, 3, 0}));
        co_await test::pass_by(1);
        EXPECT_EQ(called, (std::vector<int>{1, 2, 3, 0, 4}));
    });
}

TEST_P(FutureCallback, ThatThrowsGoesToTheExceptionHandlerAndTheOthersRun) {
    auto f = loop().create_future<>();
    bool second = false;
    f.add_done_callback([] { throw std::out_of_range("callback"); });
    f.add_done_callback([&] { second = true; });
    f.set_result();
    run_passes(1);
    EXPECT_TRUE(second);
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

TEST_P(FutureCallback, OfAFutureThatDiesPendingIsDroppedUncalled) {
    int living = 0;
    {
        auto f = loop().create_future<>();
        f.add_done_callback([t = test::tracked(living)] { ADD_FAILURE(); });
        EXPECT_EQ(living, 1);
    }
    EXPECT_EQ(living, 0);
    run_passes(1);
}

TEST_P(FutureCallback, OfAFutureThatIsSetAfterTheLoopWasClosedIsNotCalled) {
    int living = 0;
    auto f = loop().create_future<>();
    f.add_done_callback([t = test::tracked(living)] { ADD_FAILURE(); });
    loop().close();
    f.set_result();
    EXPECT_TRUE(f.done());
    end_loop();
    f = {};
    EXPECT_EQ(living, 0);
}

} // namespace
} // namespace rondo
