// select(): whoever is first.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/select.hpp>
#include <rondo/task/shield.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace rondo {
namespace {

class Select : public test::loop_test {};
RONDO_IN_EACH_WORLD(Select);

template <class T> coro<T> after(int passes, T value) {
    co_await test::pass_by(passes);
    co_return value;
}
coro<> fail_after_passes(int passes) {
    co_await test::pass_by(passes);
    throw std::out_of_range("x");
}

TEST_P(Select, GivesTheValueOfTheFirstWhoeverItIs) {
    run([&]() -> coro<> {
        auto first = co_await select(after(3, 1), after(1, std::string("quick")), sleep_forever());
        EXPECT_EQ(first.index(), 1U);
        EXPECT_EQ(std::get<1>(first), "quick");
        auto only = co_await select(after(0, std::make_unique<int>(5)));
        EXPECT_EQ(*std::get<0>(only), 5);
        auto nothing = co_await select(sleep_forever(), yield());
        static_assert(std::is_same_v<decltype(nothing), std::variant<std::monostate, std::monostate>>);
        EXPECT_EQ(nothing.index(), 1U);
    });
}

TEST_P(Select, TheOthersHaveEndedWhenItReturns) {
    run([&]() -> coro<> {
        bool cleaned_up = false;
        const auto slow = [&]() -> coro<int> {
            auto interrupted = co_await as_result(sleep_forever());
            co_await test::pass_by(5);
            cleaned_up = interrupted.cancelled();
            interrupted.value();
            co_return 0;
        };
        auto first = co_await select(slow(), after(1, 2));
        EXPECT_EQ(first.index(), 1U);
        EXPECT_TRUE(cleaned_up);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST_P(Select, ThrowsTheErrorOfTheFirstAsItIs) {
    run([&]() -> coro<> {
        auto outcome = co_await as_result(select(sleep_forever(), fail_after_passes(1)));
        EXPECT_TRUE(outcome.holds<std::out_of_range>());
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST_P(Select, OfThoseThatAreDoneAlreadyTheFirstInOrderWins) {
    run([&]() -> coro<> {
        auto a = create_future<int>();
        auto b = create_future<int>();
        b.set_result(2);
        a.set_result(1);
        auto first = co_await select(sleep_forever(), a, b);
        EXPECT_EQ(first.index(), 1U);
        EXPECT_EQ(std::get<1>(first), 1);
    });
}

TEST_P(Select, AHandleThatLosesIsCancelledAShieldedOneIsNot) {
    run([&]() -> coro<> {
        auto loser = create_task(sleep_forever());
        auto safe = create_task(sleep_forever());
        static_cast<void>(co_await select(loser, shield(safe), yield()));
        EXPECT_TRUE(loser.cancelled());
        EXPECT_FALSE(safe.done());
        safe.cancel();
        static_cast<void>(co_await as_result(safe));
    });
}

TEST_P(Select, AHandleThatWasCancelledEndsItWithThat) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        f.cancel();
        auto outcome = co_await as_result(select(sleep_forever(), f));
        EXPECT_TRUE(outcome.cancelled());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(Select, ALoserThatFailsWhileItEndsIsReported) {
    run([&]() -> coro<> {
        const auto sore = []() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("sore");
        };
        auto first = co_await select(sore(), after(1, 2));
        EXPECT_EQ(std::get<1>(first), 2);
    });
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

TEST_P(Select, CancelledItCancelsAllAndWaitsForThem) {
    run([&]() -> coro<> {
        int ended = 0;
        const auto one = [&]() -> coro<> {
            auto interrupted = co_await as_result(sleep_forever());
            co_await yield();
            ++ended;
            interrupted.value();
        };
        auto t = create_task([&]() -> coro<> { static_cast<void>(co_await select(one(), one())); });
        co_await test::pass_by(3);
        t.cancel("enough");
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(ended, 2);
    });
}

TEST_P(Select, AScopeAroundItReachesTheCompetitors) {
    run([&]() -> coro<> {
        auto outcome = co_await move_on_after(duration::zero(), select(sleep_forever(), sleep_forever()));
        EXPECT_FALSE(outcome.has_value());
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

} // namespace
} // namespace rondo
