// staggered_race(): attempts that start one after the other, until one succeeds.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/staggered_race.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class StaggeredRace : public test::loop_test {
protected:
    using attempts = std::vector<std::function<coro<int>()>>;

    std::function<coro<int>()> winning(int value) {
        return [this, value]() -> coro<int> {
            ++started;
            co_await yield();
            co_return value;
        };
    }
    std::function<coro<int>()> failing() {
        return [this]() -> coro<int> {
            ++started;
            co_await yield();
            throw std::out_of_range("x");
        };
    }
    std::function<coro<int>()> endless() {
        return [this]() -> coro<int> {
            ++started;
            auto interrupted = co_await as_result(sleep_forever());
            co_await yield();
            ++cancelled;
            interrupted.value();
            co_return 0;
        };
    }
    int started = 0;
    int cancelled = 0;
};
RONDO_IN_EACH_WORLD(StaggeredRace);

TEST_P(StaggeredRace, TheFirstSuccessEndsItAndLaterAttemptsAreNotStarted) {
    run([&]() -> coro<> {
        auto race = co_await staggered_race<int>(attempts{winning(1), winning(2)}, no_timeout);
        EXPECT_EQ(race.value, 1);
        EXPECT_EQ(race.winner, 0U);
        EXPECT_EQ(race.errors.size(), 1U);
        EXPECT_FALSE(race.errors[0]);
        EXPECT_EQ(started, 1);
    });
}

TEST_P(StaggeredRace, AFailureStartsTheNextOneAtOnce) {
    run([&]() -> coro<> {
        auto race = co_await staggered_race<int>(attempts{failing(), winning(2)}, 1h);
        EXPECT_EQ(race.value, 2);
        EXPECT_EQ(race.winner, 1U);
        EXPECT_EQ(race.errors.size(), 2U);
        EXPECT_TRUE(detail::exception_cast<std::out_of_range>(race.errors[0]));
        EXPECT_FALSE(race.errors[1]);
    });
}

TEST_P(StaggeredRace, SoDoesTimeAndTheLoserHasEndedWhenItReturns) {
    run([&]() -> coro<> {
        auto race = co_await staggered_race<int>(attempts{endless(), winning(2)}, duration::zero());
        EXPECT_EQ(race.value, 2);
        EXPECT_EQ(race.winner, 1U);
        EXPECT_TRUE(detail::is_cancellation(race.errors[0]));
        EXPECT_EQ(cancelled, 1);
        EXPECT_EQ(all_tasks().size(), 1U);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(StaggeredRace, WhenAllFailNobodyWins) {
    run([&]() -> coro<> {
        auto race = co_await staggered_race<int>(attempts{failing(), failing(), failing()}, no_timeout);
        EXPECT_FALSE(race.value);
        EXPECT_FALSE(race.winner);
        EXPECT_EQ(race.errors.size(), 3U);
        for (const auto& error : race.errors) EXPECT_TRUE(detail::exception_cast<std::out_of_range>(error));
        auto nobody = co_await staggered_race<int>(attempts{}, no_timeout);
        EXPECT_FALSE(nobody.value);
        EXPECT_TRUE(nobody.errors.empty());
    });
}

TEST_P(StaggeredRace, AnAttemptThatThrowsBeforeItIsACoroutineHasFailed) {
    run([&]() -> coro<> {
        const auto throwing = []() -> coro<int> { throw std::out_of_range("plain"); };
        auto race = co_await staggered_race<int>(attempts{throwing, winning(2)}, no_timeout);
        EXPECT_EQ(race.value, 2);
        EXPECT_TRUE(detail::exception_cast<std::out_of_range>(race.errors[0]));
    });
}

TEST_P(StaggeredRace, OfVoidSaysWhoWon) {
    run([&]() -> coro<> {
        auto race = co_await staggered_race<void>({[]() -> coro<> { co_await yield(); }}, no_timeout);
        EXPECT_TRUE(race.value.has_value());
        EXPECT_EQ(race.winner, 0U);
    });
}

TEST_P(StaggeredRace, CancelledItCancelsThoseThatRunAndWaitsForThem) {
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<> {
            static_cast<void>(co_await staggered_race<int>(attempts{endless(), endless()}, duration::zero()));
        });
        for (int i = 0; i < 100 && started < 2; ++i) co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(started, 2);
        EXPECT_EQ(cancelled, 2);
    });
}

} // namespace
} // namespace rondo
