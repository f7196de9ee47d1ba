// shield().
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/shield.hpp>

#include <memory>

namespace rondo {
namespace {

using test::pass_by;

class Shield : public test::loop_test {};
RONDO_IN_EACH_WORLD(Shield);

TEST_P(Shield, EndsAsTheInnerOneDoes) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await shield([]() -> coro<int> {
                      co_await yield();
                      co_return 1;
                  }()),
                  1);
        auto f = create_future<std::unique_ptr<int>>();
        auto outer = shield(f);
        f.set_result(std::make_unique<int>(2));
        EXPECT_EQ(*co_await outer, 2);
        EXPECT_TRUE((co_await as_result(shield([]() -> coro<> {
                        throw std::out_of_range("x");
                        co_return;
                    }())))
                        .holds<std::out_of_range>());
    });
}

TEST_P(Shield, OfADoneOneIsDoneAndCostsNoPass) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(1);
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await shield(f), 1);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Shield, CancellingTheWaitingTaskLeavesTheInnerOneRunning) {
    run([]() -> coro<> {
        auto inner = create_task([]() -> coro<int> {
            co_await pass_by(5);
            co_return 3;
        });
        auto waiter = create_task([&]() -> coro<> { co_await shield(inner); });
        co_await pass_by(2);
        waiter.cancel();
        EXPECT_TRUE((co_await as_result(waiter)).cancelled());
        EXPECT_EQ(inner.cancelling(), 0);
        EXPECT_EQ(co_await inner, 3);
    });
}

TEST_P(Shield, CancellingTheInnerOneCancelsTheOuter) {
    run([]() -> coro<> {
        auto inner = create_future<int>();
        auto outer = shield(inner);
        inner.cancel("inside");
        EXPECT_TRUE((co_await as_result(outer)).cancelled());
        EXPECT_TRUE(outer.cancelled());
    });
}

TEST_P(Shield, AnInnerFailureAfterTheOuterWasCancelledIsReportedOnce) {
    run([&]() -> coro<> {
        auto inner = create_future<int>();
        {
            auto outer = shield(inner);
            EXPECT_TRUE(outer.cancel());
        }
        inner.set_exception(std::out_of_range("behind the shield"));
        inner = {};
        EXPECT_EQ(reports.count(), 1u);
        co_return;
    });
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

TEST_P(Shield, AnInnerFailureThatNobodyAwaitsIsReportedOnce) {
    run([&]() -> coro<> {
        auto inner = create_future<int>();
        { auto dropped = shield(inner); }
        inner.set_exception(std::out_of_range("dropped"));
        inner = {};
        co_return;
    });
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(Shield, TheLoopKeepsACoroutineThatItMadeATaskOf) {
    bool ran = false;
    run([&]() -> coro<> {
        auto waiter = create_task([&]() -> coro<> {
            co_await shield([](bool& r) -> coro<> {
                co_await pass_by(4);
                r = true;
            }(ran));
        });
        co_await pass_by(2);
        waiter.cancel();
        static_cast<void>(co_await as_result(waiter));
        co_await pass_by(5);
    });
    EXPECT_TRUE(ran);
}

TEST_P(Shield, DoesNotHoldAgainstTheEndOfTheLoop) {
    bool cancelled = false;
    run([&]() -> coro<> {
        static_cast<void>(shield([](bool& c) -> coro<> {
            const auto r = co_await as_result(sleep_forever());
            c = r.cancelled();
            r.value();
        }(cancelled)));
        co_await yield();
    });
    end_loop();
    EXPECT_TRUE(cancelled);
}

TEST_P(Shield, OfANullHandleIsAnError) {
    run([]() -> coro<> {
        EXPECT_THROW(static_cast<void>(shield(future<int>())), type_error);
        co_return;
    });
}

} // namespace
} // namespace rondo
