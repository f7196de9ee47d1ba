// async_exit_stack: cleanup that is found out step by step.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_exit_stack.hpp>
#include <rondo/task/create_task.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using log = std::vector<std::string>;

struct numbered {
    log* out;
    int number;
    coro<int> aenter() {
        co_await yield();
        out->push_back("enter " + std::to_string(number));
        co_return number;
    }
    coro<> aexit(std::exception_ptr) {
        co_await test::pass_by(2);
        out->push_back("leave " + std::to_string(number));
    }
};

class AsyncExitStack : public test::loop_test {
protected:
    log said;
};
RONDO_IN_EACH_WORLD(AsyncExitStack);

TEST_P(AsyncExitStack, LeavesInReverseOrderAndGivesTheValueOfTheBody) {
    run([&]() -> coro<> {
        numbered one{&said, 1};
        numbered two{&said, 2};
        const int sum = co_await async_exit_stack::run([&](async_exit_stack& stack) -> coro<int> {
            const int first = co_await stack.enter(one);
            stack.push_callback([&] { said.push_back("callback"); });
            stack.push_callback([&]() -> coro<> {
                co_await yield();
                said.push_back("async callback");
            });
            co_return first + co_await stack.enter(two);
        });
        EXPECT_EQ(sum, 3);
        EXPECT_EQ(said, (log{"enter 1", "enter 2", "leave 2", "async callback", "callback", "leave 1"}));
    });
}

TEST_P(AsyncExitStack, AnExitIsToldTheErrorAndMaySwallowItForThoseBelow) {
    run([&]() -> coro<> {
        co_await async_exit_stack::run([&](async_exit_stack& stack) -> coro<> {
            stack.push_exit([&](std::exception_ptr e) { said.push_back(e ? "error" : "none"); });
            stack.push_exit([&](std::exception_ptr e) { return e != nullptr; });
            stack.push_exit([&](std::exception_ptr e) -> coro<> {
                said.push_back(e ? "error" : "none");
                co_return;
            });
            throw std::out_of_range("x");
            co_return;
        });
        EXPECT_EQ(said, (log{"error", "none"}));
        auto outcome = co_await as_result(async_exit_stack::run([](async_exit_stack& stack) -> coro<int> {
            stack.push_exit([](std::exception_ptr) { return true; });
            throw std::out_of_range("x");
            co_return 1;
        }));
        EXPECT_TRUE(outcome.holds<invalid_state_error>());
    });
}

TEST_P(AsyncExitStack, WhatAnExitThrowsReplacesTheErrorAndTheRestIsStillLeft) {
    run([&]() -> coro<> {
        numbered one{&said, 1};
        auto outcome = co_await as_result(async_exit_stack::run([&](async_exit_stack& stack) -> coro<> {
            co_await stack.enter(one);
            stack.push_callback([] { throw std::logic_error("exit"); });
            throw std::out_of_range("x");
        }));
        EXPECT_TRUE(outcome.holds<std::logic_error>());
        EXPECT_TRUE(detail::exception_cast<std::out_of_range>(cause_of(outcome.error())));
        EXPECT_EQ(said, (log{"enter 1", "leave 1"}));
    });
}

TEST_P(AsyncExitStack, LeavesWholeWhenItIsCancelledMeanwhile) {
    run([&]() -> coro<> {
        numbered one{&said, 1};
        numbered two{&said, 2};
        auto t = create_task([&]() -> coro<> {
            co_await async_exit_stack::run([&](async_exit_stack& stack) -> coro<> {
                co_await stack.enter(one);
                co_await stack.enter(two);
                co_await sleep_forever();
            });
        });
        co_await test::pass_by(5);
        t.cancel();
        co_await test::pass_by(2);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(said, (log{"enter 1", "enter 2", "leave 2", "leave 1"}));
    });
}

TEST_P(AsyncExitStack, PopAllHandsEverythingOn) {
    run([&]() -> coro<> {
        numbered one{&said, 1};
        async_exit_stack kept;
        co_await async_exit_stack::run([&](async_exit_stack& stack) -> coro<> {
            co_await stack.enter(one);
            kept = stack.pop_all();
        });
        EXPECT_EQ(said, log{"enter 1"});
        co_await kept.aclose();
        EXPECT_EQ(said, (log{"enter 1", "leave 1"}));
        co_await kept.aclose(); // nothing is left
        EXPECT_EQ(said.size(), 2U);
    });
}

TEST_P(AsyncExitStack, WhatFailsToEnterIsNotLeft) {
    struct closed {
        log* out;
        coro<> aenter() {
            throw std::out_of_range("closed");
            co_return;
        }
        coro<> aexit(std::exception_ptr) {
            out->push_back("left");
            co_return;
        }
    };
    run([&]() -> coro<> {
        closed resource{&said};
        auto outcome = co_await as_result(
            async_exit_stack::run([&](async_exit_stack& stack) -> coro<> { co_await stack.enter(resource); }));
        EXPECT_TRUE(outcome.holds<std::out_of_range>());
        EXPECT_TRUE(said.empty());
    });
}

TEST_P(AsyncExitStack, OneThatDiesWithStepsLeftIsToldOfInDebugMode) {
    const auto told_when_one_dies = [&](bool debug, bool closed) {
        loop().set_debug(debug);
        testing::internal::CaptureStderr();
        run([&]() -> coro<> {
            async_exit_stack stack;
            stack.push_callback([] {});
            stack.push_callback([] {});
            if (closed) co_await stack.aclose();
        });
        return testing::internal::GetCapturedStderr();
    };
    EXPECT_NE(
        told_when_one_dies(true, false).find("an async_exit_stack was destroyed with 2 steps left, without aclose()"),
        std::string::npos);
    EXPECT_EQ(told_when_one_dies(true, true), "");
    EXPECT_EQ(told_when_one_dies(false, false), "");
    loop().set_debug(true);
    testing::internal::CaptureStderr();
    run([&]() -> coro<> { // what was moved away is somebody else's
        async_exit_stack stack;
        stack.push_callback([] {});
        async_exit_stack other = std::move(stack);
        co_await other.aclose();
    });
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace rondo
