// map_concurrent(): a coroutine for each item of a range, so many at a time.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/map_concurrent.hpp>

#include <algorithm>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <vector>

namespace rondo {
namespace {

class MapConcurrent : public test::loop_test {};
RONDO_IN_EACH_WORLD(MapConcurrent);

TEST_P(MapConcurrent, GivesTheValuesInTheOrderOfTheItems) {
    run([&]() -> coro<> {
        const std::vector<int> items{5, 1, 4, 2, 3};
        const auto tenfold = [](int x) -> coro<int> {
            co_await test::pass_by(x);
            co_return 10 * x;
        };
        EXPECT_EQ(co_await map_concurrent(items, tenfold, 3), (std::vector{50, 10, 40, 20, 30}));
        EXPECT_EQ(co_await map_concurrent(std::vector<int>{7}, tenfold, 100), std::vector{70});
        EXPECT_EQ(co_await map_concurrent(std::vector<int>(), tenfold, 1), std::vector<int>());
    });
}

TEST_P(MapConcurrent, RunsAsManyAsTheLimitAndNotMore) {
    run([&]() -> coro<> {
        int now = 0;
        int most = 0;
        const auto count = [&](int) -> coro<> {
            most = std::max(most, ++now);
            co_await test::pass_by(3);
            --now;
        };
        co_await map_concurrent(std::views::iota(0, 20), count, 4);
        EXPECT_EQ(most, 4);
        most = 0;
        co_await map_concurrent(std::views::iota(0, 20), count, 1);
        EXPECT_EQ(most, 1);
    });
}

TEST_P(MapConcurrent, TheFirstFailureCancelsTheOthersAndTakesNoMoreItems) {
    run([&]() -> coro<> {
        int started = 0;
        int cancelled = 0;
        const auto work = [&](int item) -> coro<> {
            ++started;
            if (item == 0) {
                auto interrupted = co_await as_result(sleep_forever());
                ++cancelled;
                interrupted.value();
            }
            co_await yield();
            if (item == 5) throw std::out_of_range("five");
        };
        auto outcome = co_await as_result(map_concurrent(std::views::iota(0), work, 2)); // endless
        EXPECT_TRUE(outcome.holds<exception_group>());
        EXPECT_EQ(started, 6);
        EXPECT_EQ(cancelled, 1);
        EXPECT_EQ(all_tasks().size(), 1U);
    });
}

TEST_P(MapConcurrent, CancelledItCancelsThoseThatRun) {
    run([&]() -> coro<> {
        int cancelled = 0;
        auto t = create_task([&]() -> coro<> {
            co_await map_concurrent(
                std::views::iota(0),
                [&](int) -> coro<> {
                    auto interrupted = co_await as_result(sleep_forever());
                    ++cancelled;
                    interrupted.value();
                },
                3);
        });
        co_await test::pass_by(4);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(cancelled, 3);
    });
}

TEST_P(MapConcurrent, ValuesMayOnlyMove) {
    run([&]() -> coro<> {
        auto values = co_await map_concurrent(
            std::views::iota(1, 4), [](int x) -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(x); }, 2);
        EXPECT_EQ(values.size(), 3U);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(*values[static_cast<std::size_t>(i)], i + 1);
    });
}

TEST_P(MapConcurrent, NeedsALimit) {
    run([&]() -> coro<> {
        auto outcome =
            co_await as_result(map_concurrent(std::vector{1}, [](int) -> coro<> { co_return; }, std::size_t(0)));
        EXPECT_TRUE(outcome.holds<value_error>());
    });
}

} // namespace
} // namespace rondo
