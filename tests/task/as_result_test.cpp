// as_result(): whatever comes of an await, as a value.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rondo {
namespace {

class AsResult : public test::loop_test {};
RONDO_IN_EACH_WORLD(AsResult);

coro<int> seven() { co_return 7; }
coro<int> fail() {
    throw std::out_of_range("x");
    co_return 0;
}

TEST_P(AsResult, HoldsTheValueOrTheErrorOfACoroutine) {
    run([]() -> coro<> {
        auto good = co_await as_result(seven());
        EXPECT_TRUE(good.has_value());
        EXPECT_EQ(*good, 7);
        auto bad = co_await as_result(fail());
        EXPECT_FALSE(bad);
        EXPECT_TRUE(bad.holds<std::out_of_range>());
        EXPECT_FALSE(bad.cancelled());
        EXPECT_THROW(bad.value(), std::out_of_range);
        static_assert(std::same_as<await_result_t<decltype(as_result(yield()))>, result<void>>);
    });
}

TEST_P(AsResult, CostsNoPassOfItsOwn) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        static_cast<void>(co_await as_result(seven()));
        EXPECT_EQ(passes(), before);
        static_cast<void>(co_await as_result(yield()));
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(AsResult, HoldsTheCancellationOfTheAwaitingTask) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<std::string> {
            auto r = co_await as_result(sleep_forever());
            EXPECT_TRUE(r.cancelled());
            co_return "went on";
        });
        co_await yield();
        t.cancel();
        EXPECT_EQ(co_await t, "went on"); // swallowed: that is what its documentation warns of
        auto u = create_task([]() -> coro<> {
            auto r = co_await as_result(sleep_forever());
            std::move(r).value();
        });
        co_await yield();
        u.cancel();
        EXPECT_TRUE((co_await as_result(u)).cancelled());
        EXPECT_TRUE(u.cancelled());
    });
}

TEST_P(AsResult, OfACoroutineThatIsEmptyHoldsTheError) {
    run([]() -> coro<> {
        coro<int> c = seven();
        coro<int> moved = std::move(c);
        auto r = co_await as_result(std::move(c)); // NOLINT(bugprone-use-after-move)
        EXPECT_TRUE(r.holds<invalid_state_error>());
        EXPECT_EQ(co_await std::move(moved), 7);
        auto twice = co_await as_result(std::move(moved)); // NOLINT(bugprone-use-after-move)
        EXPECT_TRUE(twice.holds<invalid_state_error>());
    });
}

struct refusing {
    std::unique_ptr<int> given = std::make_unique<int>(0);
    struct waiting {
        bool await_ready() const noexcept { return true; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        int await_resume() const noexcept { return 1; }
    };
    waiting operator co_await() && { throw std::out_of_range("refused"); }
};

TEST_P(AsResult, HoldsWhatMakingTheAwaiterThrows) {
    run([]() -> coro<> {
        EXPECT_TRUE((co_await as_result(refusing())).holds<std::out_of_range>());
        EXPECT_TRUE((co_await as_result(gather(future<int>()))).holds<type_error>());
        EXPECT_TRUE((co_await as_result(future<int>())).holds<invalid_state_error>());
    });
}

TEST_P(AsResult, AwaitsAnLvalueHandleWhereItIs) {
    run([]() -> coro<> {
        auto t = create_task(seven);
        EXPECT_EQ(*co_await as_result(t), 7);
        EXPECT_EQ(*co_await as_result(t), 7);
        EXPECT_TRUE(t);
    });
}

TEST_P(AsResult, MovesWhatOnlyMoves) {
    run([]() -> coro<> {
        auto r = co_await as_result([]() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); }());
        EXPECT_EQ(**r, 3);
        const std::unique_ptr<int> out = std::move(r).value();
        EXPECT_EQ(*out, 3);
    });
}

TEST_P(AsResult, WorksForTheStepsOfAnAsyncGenerator) {
    run([]() -> coro<> {
        auto numbers = []() -> async_generator<int> {
            co_yield 1;
            throw std::out_of_range("x");
        }();
        EXPECT_EQ((co_await as_result(numbers.next())).value(), 1);
        EXPECT_TRUE((co_await as_result(numbers.next())).holds<std::out_of_range>());
    });
}

TEST_P(AsResult, CanBeNested) {
    run([]() -> coro<> {
        result<result<int>> r = co_await as_result(as_result(fail()));
        EXPECT_TRUE(r.has_value());
        EXPECT_TRUE((*r).holds<std::out_of_range>());
    });
}

TEST_P(AsResult, PassesACancelledScopeOn) {
    run([]() -> coro<> {
        cancel_scope scope;
        auto left = co_await scope.run([&]() -> coro<> {
            scope.cancel("enough");
            auto r = co_await as_result(sleep_forever());
            EXPECT_TRUE(r.cancelled());
            r.value();
        });
        EXPECT_FALSE(left);
        EXPECT_TRUE(scope.cancelled_caught());
    });
}

} // namespace
} // namespace rondo
