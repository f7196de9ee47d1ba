// gather() and gather_future().
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/gather.hpp>

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class Gather : public test::loop_test {};
RONDO_IN_EACH_WORLD(Gather);
class GatherFuture : public test::loop_test {};
RONDO_IN_EACH_WORLD(GatherFuture);

coro<int> after(int passes, int value) {
    co_await pass_by(passes);
    co_return value;
}
coro<int> fail_after_passes(int passes, std::string what) {
    co_await pass_by(passes);
    throw std::out_of_range(std::move(what));
}
coro<> nothing() { co_return; }

TEST_P(Gather, GivesWhatItsArgumentsYieldInTheirOrder) {
    run([]() -> coro<> {
        auto [a, b, c] = co_await gather(after(3, 1), after(1, 2), create_task(after(2, 3)));
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, 2);
        EXPECT_EQ(c, 3);
        auto mixed = co_await gather(nothing(), after(0, 1), sleep(duration::zero(), std::string("x")));
        static_assert(std::is_same_v<decltype(mixed), std::tuple<std::monostate, int, std::string>>);
        EXPECT_EQ(std::get<2>(mixed), "x");
        std::vector<coro<int>> many;
        for (int i = 0; i < 5; ++i) many.push_back(after(5 - i, i));
        EXPECT_EQ(co_await gather(std::move(many)), (std::vector<int>{0, 1, 2, 3, 4}));
        std::vector<coro<>> voids;
        voids.push_back(nothing());
        co_await gather(std::move(voids));
        static_assert(std::is_void_v<gather_vector_t<coro<>>>);
    });
}

TEST_P(Gather, OfNothingIsDone) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        const std::tuple<> none = co_await gather();
        static_cast<void>(none);
        EXPECT_TRUE((co_await gather(std::vector<coro<int>>())).empty());
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Gather, StartsItsChildrenInTheOrderOfTheArgumentsWhenItIsAwaited) {
    run([]() -> coro<> {
        std::vector<int> order;
        const auto note = [&](int i) -> coro<> {
            order.push_back(i);
            co_return;
        };
        auto all = gather(note(1), note(2), note(3));
        co_await pass_by(2);
        EXPECT_TRUE(order.empty());
        co_await std::move(all);
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    });
}

TEST_P(Gather, AHandleThatIsGivenTwiceRunsOnceAndCountsTwice) {
    run([]() -> coro<> {
        int runs = 0;
        auto t = create_task([&]() -> coro<int> {
            ++runs;
            co_return 4;
        });
        const auto [a, b] = co_await gather(t, t);
        EXPECT_EQ(a + b, 8);
        EXPECT_EQ(runs, 1);
    });
}

TEST_P(Gather, TheFirstErrorEndsItAtOnceAndTheOthersGoOn) {
    run([&]() -> coro<> {
        auto slow = create_task(after(6, 1));
        const auto r = co_await as_result(gather(fail_after_passes(3, "second"), fail_after_passes(1, "first"), slow));
        EXPECT_TRUE(r.holds<std::out_of_range>());
        EXPECT_STREQ(detail::exception_cast<std::exception>(r.error())->what(), "first");
        EXPECT_FALSE(slow.done());
        EXPECT_EQ(co_await slow, 1); // what failed later was dropped without a report
    });
}

TEST_P(Gather, AChildThatWasCancelledCountsAsFailedButTheGatherIsNotCancelled) {
    run([]() -> coro<> {
        auto victim = create_task(sleep_forever());
        auto f = gather_future(victim, after(5, 1));
        co_await pass_by(2);
        victim.cancel("you");
        const auto r = co_await as_result(f);
        EXPECT_TRUE(r.cancelled());
        EXPECT_FALSE(f.cancelled());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(Gather, WithReturnExceptionsItWaitsForAllAndGivesResults) {
    run([]() -> coro<> {
        auto victim = create_task(sleep_forever());
        victim.cancel();
        auto [a, b, c] = co_await gather(return_exceptions, after(4, 1), fail_after_passes(1, "x"), victim);
        EXPECT_EQ(a.value(), 1);
        EXPECT_TRUE(b.holds<std::out_of_range>());
        EXPECT_TRUE(c.cancelled());
        std::vector<coro<int>> many;
        many.push_back(after(2, 1));
        many.push_back(fail_after_passes(1, "y"));
        const auto all = co_await gather(return_exceptions, std::move(many));
        EXPECT_EQ(all[0].value(), 1);
        EXPECT_TRUE(all[1].holds<std::out_of_range>());
    });
}

TEST_P(Gather, CancelledItCancelsAllChildrenAndEndsWhenAllHaveEnded) {
    for (const bool exceptions : {false, true}) {
        run([exceptions]() -> coro<> {
            int ended = 0;
            const auto stubborn = [&](int passes) -> coro<> {
                const auto r = co_await as_result(sleep_forever());
                co_await pass_by(passes);
                ++ended;
                r.value();
            };
            auto t = create_task([&]() -> coro<> {
                if (exceptions) static_cast<void>(co_await gather(return_exceptions, stubborn(1), stubborn(5)));
                else static_cast<void>(co_await gather(stubborn(1), stubborn(5)));
            });
            co_await pass_by(2);
            t.cancel();
            co_await pass_by(4);
            EXPECT_EQ(ended, 1);
            EXPECT_FALSE(t.done());
            EXPECT_TRUE((co_await as_result(t)).cancelled());
            EXPECT_EQ(ended, 2);
        });
    }
}

TEST_P(Gather, CancelledItIsCancelledThoughItsChildrenReturn) {
    run([&]() -> coro<> {
        const auto stubborn = []() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_return 1;
        };
        for (const bool exceptions : {false, true}) {
            auto t = create_task([&]() -> coro<> {
                if (exceptions) static_cast<void>(co_await gather(return_exceptions, stubborn(), stubborn()));
                else static_cast<void>(co_await gather(stubborn(), stubborn()));
                ADD_FAILURE() << "it has no values to give";
            });
            co_await test::pass_by(2);
            t.cancel();
            EXPECT_TRUE((co_await as_result(t)).cancelled());
        }
        auto outer = gather_future(stubborn(), stubborn());
        co_await test::pass_by(2);
        EXPECT_TRUE(outer.cancel());
        EXPECT_TRUE((co_await as_result(outer)).cancelled());
        EXPECT_TRUE(outer.cancelled());
        EXPECT_FALSE(outer.cancel());
    });
}

TEST_P(Gather, AnErrorOfAChildWhileItIsBeingCancelledIsReported) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<> {
            static_cast<void>(co_await gather(
                []() -> coro<> {
                    static_cast<void>(co_await as_result(sleep_forever()));
                    throw std::out_of_range("in cleanup");
                }(),
                sleep_forever()));
        });
        co_await pass_by(2);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

TEST_P(Gather, MovesWhatOnlyMoves) {
    run([]() -> coro<> {
        const auto make = [](int x) -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(x); };
        auto [a, b] = co_await gather(make(1), create_task(make(2)));
        EXPECT_EQ(*a + *b, 3);
        auto taken = create_task(make(3));
        static_cast<void>(co_await taken);
        EXPECT_TRUE((co_await as_result(gather(taken))).holds<invalid_state_error>());
        const auto [r] = co_await gather(return_exceptions, taken);
        EXPECT_TRUE(r.holds<invalid_state_error>());
    });
}

TEST_P(Gather, KeepsNoMoreThanTheHandlesDo) {
    run([]() -> coro<> {
        int living = 0;
        {
            const auto make = [&]() -> coro<test::tracked> { co_return test::tracked(living); };
            auto both = co_await gather(make(), make());
            EXPECT_EQ(living, 2);
        }
        EXPECT_EQ(living, 0);
    });
}

TEST_P(Gather, OfFuturesOfAnotherLoopOrOfNullIsAnError) {
    const auto other = test::make_loop(GetParam());
    run([&]() -> coro<> {
        auto f = other->create_future<int>();
        EXPECT_THROW(static_cast<void>(gather_future(f)), value_error);
        EXPECT_THROW(static_cast<void>(gather_future(future<int>())), type_error);
        const auto r = co_await as_result([&]() -> coro<> { co_await gather(f); }());
        EXPECT_TRUE(r.holds<value_error>());
    });
    other->close();
}

TEST_P(GatherFuture, StartsAtOnce) {
    run([]() -> coro<> {
        bool ran = false;
        auto f = gather_future([](bool& r) -> coro<> {
            r = true;
            co_return;
        }(ran));
        EXPECT_FALSE(f.done());
        co_await pass_by(3);
        EXPECT_TRUE(ran);
        EXPECT_TRUE(f.done());
    });
}

TEST_P(GatherFuture, IsDoneAtOnceWhenAllItsChildrenAre) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(3);
        auto all = gather_future(f, f);
        EXPECT_TRUE(all.done());
        EXPECT_EQ(all.result(), (std::tuple(3, 3)));
        EXPECT_FALSE(all.cancel());
        co_return;
    });
}

TEST_P(GatherFuture, CancelAsksTheChildrenAndSaysWhetherOneAccepted) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        auto g = create_future<int>();
        auto all = gather_future(f, g);
        f.set_result(1);
        EXPECT_TRUE(all.cancel("both"));
        EXPECT_TRUE(g.cancelled());
        EXPECT_TRUE(all.cancelled());
        EXPECT_EQ(f.result(), 1);
        EXPECT_FALSE(all.cancel());
        co_return;
    });
}

TEST_P(GatherFuture, ADroppedHandleDoesNotStopTheChildren) {
    run([]() -> coro<> {
        int ended = 0;
        {
            auto all = gather_future([](int& e) -> coro<> {
                co_await pass_by(3);
                ++e;
            }(ended));
        }
        co_await pass_by(6);
        EXPECT_EQ(ended, 1);
    });
}

TEST_P(GatherFuture, AFailureThatNobodyLooksAtIsReported) {
    run([]() -> coro<> {
        { auto all = gather_future(fail_after_passes(1, "x")); }
        co_await pass_by(4);
    });
    EXPECT_EQ(reports.take().size(), 1u);
}

} // namespace
} // namespace rondo
