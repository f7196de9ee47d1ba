// task::cancel(): edge-triggered, counted, delivered once (asyncio's Task.cancel, Python 3.14).
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/gather.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class Cancellation : public test::loop_test {};
RONDO_IN_EACH_WORLD(Cancellation);

/// The message of the cancellation that `outcome` holds.
template <class T> std::string message_of(const result<T>& outcome) {
    const std::exception_ptr error = outcome.error();
    const auto* cancelled = detail::exception_cast<cancelled_error>(error);
    return cancelled ? cancelled->message() : "not cancelled";
}

TEST_P(Cancellation, BeforeTheStartTheBodyNeverRunsAndItsArgumentsDie) {
    int living = 0;
    bool ran = false;
    run([&]() -> coro<> {
        auto t = create_task(
            [&](test::tracked) -> coro<> {
                ran = true;
                co_return;
            },
            test::tracked(living));
        EXPECT_EQ(living, 2); // the task's copy, and the frame's parameter
        EXPECT_TRUE(t.cancel("not today"));
        EXPECT_FALSE(t.done());
        const auto outcome = co_await as_result(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(message_of(outcome), "not today");
        t = {};
        EXPECT_EQ(living, 0);
    });
    EXPECT_FALSE(ran);
}

TEST_P(Cancellation, OfADoneTaskIsRefused) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<int> { co_return 1; });
        co_await t;
        EXPECT_FALSE(t.cancel());
        EXPECT_EQ(t.cancelling(), 0);
        EXPECT_FALSE(t.cancelled());
        EXPECT_EQ(t.result(), 1);
    });
}

TEST_P(Cancellation, OfABlockedTaskIsThrownWhereItWaits) {
    run([&]() -> coro<> {
        std::string seen;
        auto t = create_task([&]() -> coro<> {
            try {
                co_await sleep_forever();
            } catch (const cancelled_error& e) {
                seen = e.message();
                throw;
            }
        });
        co_await yield();
        EXPECT_TRUE(t.cancel("enough"));
        EXPECT_EQ(seen, ""); // never inline
        const auto outcome = co_await as_result(t);
        EXPECT_EQ(seen, "enough");
        EXPECT_EQ(message_of(outcome), "enough");
        EXPECT_EQ(t.cancelling(), 1);
    });
}

TEST_P(Cancellation, TwiceBeforeDeliveryIsCountedTwiceAndDeliveredOnceWithTheFirstMessage) {
    run([&]() -> coro<> {
        std::vector<std::string> seen;
        auto t = create_task([&]() -> coro<int> {
            for (int i = 0; i < 2; ++i) {
                const auto r = co_await as_result(sleep(duration::zero()));
                if (r.cancelled()) seen.push_back(message_of(r));
            }
            const auto r = co_await as_result(sleep_forever());
            seen.push_back(message_of(r));
            for (int i = 0; i < 3; ++i) co_await yield(); // nothing more is delivered
            co_return 7;
        });
        co_await pass_by(4);
        EXPECT_TRUE(t.cancel("first"));
        EXPECT_TRUE(t.cancel("second"));
        EXPECT_EQ(t.cancelling(), 2);
        EXPECT_EQ(co_await t, 7);
        EXPECT_EQ(seen, std::vector<std::string>{"first"});
    });
}

TEST_P(Cancellation, TheMessageOfACancellationThatWasSwallowedByAChildIsNotGivenToTheNextOne) {
    run([&]() -> coro<> {
        auto child = create_task([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_return 1;
        });
        auto t = create_task([&]() -> coro<std::string> {
            EXPECT_EQ(co_await child, 1);
            co_return message_of(co_await as_result(sleep_forever()));
        });
        co_await pass_by(2);
        t.cancel("old");
        co_await pass_by(4);
        t.cancel();
        EXPECT_EQ(co_await t, "");
    });
}

TEST_P(Cancellation, SwallowedItIsGone) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<int> {
            EXPECT_TRUE((co_await as_result(sleep_forever())).cancelled());
            co_await pass_by(3);
            co_await sleep(std::chrono::microseconds(1));
            co_return 5;
        });
        co_await yield();
        t.cancel();
        EXPECT_EQ(co_await t, 5);
        EXPECT_EQ(t.cancelling(), 1); // it was never taken back
    });
}

TEST_P(Cancellation, DuringCleanupInterruptsTheCleanupToo) {
    run([&]() -> coro<> {
        std::vector<int> steps;
        auto t = create_task([&]() -> coro<> {
            std::exception_ptr first;
            try {
                co_await sleep_forever();
            } catch (const cancelled_error&) {
                first = std::current_exception();
            }
            steps.push_back(1);
            try {
                co_await sleep_forever(); // the cleanup
                steps.push_back(2);
            } catch (const cancelled_error& e) {
                EXPECT_EQ(e.message(), "again");
                steps.push_back(3);
            }
            std::rethrow_exception(first);
        });
        co_await yield();
        t.cancel("once");
        co_await pass_by(2);
        t.cancel("again");
        EXPECT_EQ(message_of(co_await as_result(t)), "once");
        EXPECT_EQ(t.cancelling(), 2);
        EXPECT_EQ(steps, (std::vector<int>{1, 3}));
    });
}

TEST_P(Cancellation, OfTheRunningTaskTakesEffectAtItsNextSuspension) {
    run([&]() -> coro<> {
        bool after_ready_await = false;
        auto t = create_task([&]() -> coro<> {
            auto done = create_future<int>();
            done.set_result(1);
            current_task().cancel("myself");
            EXPECT_EQ(co_await done, 1); // does not suspend
            after_ready_await = true;
            co_await yield();
            ADD_FAILURE() << "the suspension was to throw";
        });
        EXPECT_EQ(message_of(co_await as_result(t)), "myself");
        EXPECT_TRUE(after_ready_await);
    });
}

TEST_P(Cancellation, OfTheRunningTaskTurnsAReturnIntoCancelled) {
    run([&]() -> coro<> {
        int living = 0;
        auto t = create_task([&]() -> coro<test::tracked> {
            current_task().cancel("too late to return");
            co_return test::tracked(living);
        });
        EXPECT_EQ(message_of(co_await as_result(t)), "too late to return");
        EXPECT_EQ(living, 0); // the value was dropped
    });
}

TEST_P(Cancellation, OfTheRunningTaskDoesNotHideItsError) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> {
            current_task().cancel();
            throw std::out_of_range("mine");
            co_return;
        });
        EXPECT_TRUE((co_await as_result(t)).holds<std::out_of_range>());
        EXPECT_FALSE(t.cancelled());
    });
}

TEST_P(Cancellation, InThePassInWhichTheAwaitedFutureWasSetLosesTheValueToTheTaskNotToTheFuture) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        auto t = create_task([&]() -> coro<> { co_await f; });
        co_await yield();
        f.set_result(3);
        EXPECT_TRUE(t.cancel());
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_FALSE(f.cancelled());
        EXPECT_EQ(f.result(), 3);
    });
}

TEST_P(Cancellation, RunsDownAChainOfTasksToTheFutureAndUpAgain) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        std::vector<char> order;
        auto c = create_task([&]() -> coro<> {
            test::at_exit note([&] { order.push_back('c'); });
            co_await f;
        });
        auto b = create_task([&]() -> coro<> {
            test::at_exit note([&] { order.push_back('b'); });
            co_await c;
        });
        auto a = create_task([&]() -> coro<> {
            test::at_exit note([&] { order.push_back('a'); });
            co_await b;
        });
        co_await yield();
        a.cancel("down");
        EXPECT_TRUE(f.cancelled());
        EXPECT_EQ(message_of(co_await as_result(a)), "down");
        EXPECT_TRUE(b.cancelled());
        EXPECT_TRUE(c.cancelled());
        EXPECT_EQ(a.cancelling() + b.cancelling() + c.cancelling(), 3);
        EXPECT_EQ(order, (std::vector<char>{'c', 'b', 'a'}));
    });
}

TEST_P(Cancellation, AnAwaitedTaskThatSwallowsItGivesItsValue) {
    run([&]() -> coro<> {
        auto inner = create_task([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_return 9;
        });
        auto outer = create_task([&]() -> coro<int> {
            const int x = co_await inner;
            co_await pass_by(2); // the request was answered by the value: nothing is left of it
            co_return x;
        });
        co_await pass_by(2);
        outer.cancel();
        EXPECT_EQ(co_await outer, 9);
        EXPECT_EQ(outer.cancelling(), 1);
    });
}

TEST_P(Cancellation, AnAwaitedTaskThatFailsInsteadGivesItsError) {
    run([&]() -> coro<> {
        auto inner = create_task([]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("in cleanup");
        });
        auto outer = create_task([&]() -> coro<> { co_await inner; });
        co_await pass_by(2);
        outer.cancel();
        EXPECT_TRUE((co_await as_result(outer)).holds<std::out_of_range>());
    });
}

TEST_P(Cancellation, OfAnAwaitedTaskByAnotherIsAnOrdinaryOutcomeToItsWaiter) {
    run([&]() -> coro<> {
        auto inner = create_task([]() -> coro<> { co_await sleep_forever(); });
        auto outer = create_task([&]() -> coro<int> {
            const auto r = co_await as_result(inner);
            EXPECT_TRUE(r.cancelled());
            co_await yield();
            co_return 1;
        });
        co_await pass_by(2);
        inner.cancel("you");
        EXPECT_EQ(co_await outer, 1);
        EXPECT_EQ(outer.cancelling(), 0);
    });
}

TEST_P(Cancellation, EscapingWithoutARequestMakesTheTaskCancelled) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> {
            throw cancelled_error("of my own accord");
            co_return;
        });
        EXPECT_EQ(message_of(co_await as_result(t)), "of my own accord");
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(t.cancelling(), 0);
        EXPECT_THROW(static_cast<void>(t.exception()), cancelled_error);
    });
}

TEST_P(Cancellation, UncancelTakesOneBackDownToNoneAndSaysHowManyAreLeft) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_await sleep_forever();
        });
        co_await yield();
        EXPECT_EQ(t.uncancel(), 0); // never below none
        t.cancel();
        t.cancel();
        EXPECT_EQ(t.uncancel(), 1);
        EXPECT_EQ(t.uncancel(), 0);
        EXPECT_EQ(t.uncancel(), 0);
        co_await yield(); // the first sleep was told already: that cannot be taken back
        EXPECT_FALSE(t.done());
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Cancellation, UncancelDropsARequestThatWasNotDelivered) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<int> {
            any_task self = current_task();
            self.cancel();
            EXPECT_EQ(self.uncancel(), 0);
            co_await yield();
            co_return 4;
        });
        EXPECT_EQ(co_await t, 4);
    });
}

TEST_P(Cancellation, UncancelOfOneOfTwoKeepsARequestThatWasNotDelivered) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<int> {
            any_task self = current_task();
            self.cancel("first");
            self.cancel("second");
            EXPECT_EQ(self.uncancel(), 1);
            co_await yield();
            co_return 4;
        });
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(t.cancelling(), 1);
        auto not_started = create_task([]() -> coro<int> { co_return 2; });
        not_started.cancel();
        not_started.cancel();
        EXPECT_EQ(not_started.uncancel(), 1);
        EXPECT_TRUE((co_await as_result(not_started)).cancelled());
    });
}

TEST_P(Cancellation, UncancelBeforeTheStartLetsTheTaskRun) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<int> { co_return 2; });
        t.cancel();
        t.uncancel();
        EXPECT_EQ(co_await t, 2);
    });
}

TEST_P(Cancellation, UncancelOfADoneTaskDoesNotBringItBack) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> { co_await sleep_forever(); });
        t.cancel();
        static_cast<void>(co_await as_result(t));
        t.uncancel();
        EXPECT_TRUE(t.cancelled());
    });
}

TEST_P(Cancellation, OfOneWaiterCancelsTheSharedFutureForAll) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        auto wait_for_it = [&]() -> coro<> { co_await f; };
        auto a = create_task(wait_for_it);
        auto b = create_task(wait_for_it);
        co_await yield();
        a.cancel();
        EXPECT_TRUE((co_await as_result(a)).cancelled());
        EXPECT_TRUE((co_await as_result(b)).cancelled());
        EXPECT_EQ(b.cancelling(), 0);
    });
}

TEST_P(Cancellation, IsNotSwallowedByAHandlerOfStdException) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> {
            try {
                co_await sleep_forever();
            } catch (const std::exception&) {
                ADD_FAILURE() << "a cancellation is not a std::exception";
            }
        });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Cancellation, BreaksACycleOfTasksThatAwaitEachOther) {
    run([&]() -> coro<> {
        std::vector<task<>> ring(3);
        for (std::size_t i = 0; i < ring.size(); ++i)
            ring[i] = create_task([&ring, i]() -> coro<> { co_await ring[(i + 1) % ring.size()]; });
        co_await yield();
        ring[0].cancel();
        for (const task<>& t : ring) EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Cancellation, DoesNotEndAYieldEarlierNorLater) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> { co_await yield(); });
        co_await yield();
        t.cancel();
        const std::uint64_t before = passes();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(passes() - before, 2u); // the task's step, then ours
    });
}

} // namespace
} // namespace rondo
