// cleanup_timeout: how long the leaving of with() and of an async_exit_stack may take.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_exit_stack.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/errors.hpp>
#include <rondo/task/with.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using log = std::vector<std::string>;

class CleanupTimeout : public test::loop_test {};
RONDO_ON_EACH_BACKEND(CleanupTimeout);

/// Leaving it takes for ever, or three passes.
struct resource {
    bool endless = true;
    bool cancelled = false;
    bool left = false;
    coro<> aenter() { co_return; }
    coro<> aexit(std::exception_ptr) {
        auto waited = co_await as_result(wait());
        cancelled = waited.cancelled();
        left = true;
        waited.value();
    }
    coro<> wait() {
        if (endless) co_await sleep_forever();
        else co_await test::pass_by(3);
    }
};
coro<> nothing() { co_return; }
coro<> fail() {
    throw std::out_of_range("body");
    co_return;
}

TEST_P(CleanupTimeout, ALeavingThatTakesTooLongIsCancelledAndATimeout) {
    run([]() -> coro<> {
        resource r;
        auto late = co_await as_result(with(r, nothing, {.cleanup_timeout = 1ms}));
        EXPECT_TRUE(late.holds<timeout_error>());
        EXPECT_TRUE(r.cancelled);
    });
}

TEST_P(CleanupTimeout, TheErrorOfTheBodyIsItsCause) {
    run([]() -> coro<> {
        resource r;
        auto late = co_await as_result(with(r, fail, {.cleanup_timeout = 1ms}));
        EXPECT_TRUE(late.holds<timeout_error>());
        EXPECT_TRUE(detail::exception_cast<std::out_of_range>(cause_of(late.error())));
    });
}

TEST_P(CleanupTimeout, ALeavingInTimeIsNotDisturbedNeitherByACancellation) {
    run([]() -> coro<> {
        resource r{.endless = false};
        co_await with(r, nothing, {.cleanup_timeout = 1h});
        EXPECT_TRUE(r.left && !r.cancelled);
        resource moved{.endless = false};
        co_await with(std::move(moved), nothing, {.cleanup_timeout = 1h});
        resource again{.endless = false};
        auto t = create_task(
            [&]() -> coro<> { co_await with(again, [] { return sleep_forever(); }, {.cleanup_timeout = 1h}); });
        co_await yield();
        t.cancel();
        co_await yield(); // it is leaving
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_TRUE(again.left && !again.cancelled);
    });
}

TEST_P(CleanupTimeout, OfAStackBoundsAllExitsTogetherAndEachIsStillCalled) {
    run([]() -> coro<> {
        log said;
        resource endless;
        auto late = co_await as_result(async_exit_stack::run(
            [&](async_exit_stack& stack) -> coro<> {
                stack.push_callback([&] { said.push_back("plain"); });
                stack.push_exit([&](std::exception_ptr error) -> coro<> {
                    said.push_back(detail::exception_cast<timeout_error>(error) ? "told of the timeout" : "not told");
                    auto waited = co_await as_result(sleep_forever());
                    said.push_back(waited.cancelled() ? "cancelled at once" : "waited");
                    waited.value();
                });
                co_await stack.enter(endless);
            },
            {.cleanup_timeout = 1ms}));
        EXPECT_TRUE(late.holds<timeout_error>());
        EXPECT_TRUE(endless.cancelled);
        EXPECT_EQ(said, (log{"told of the timeout", "cancelled at once", "plain"}));
    });
}

TEST_P(CleanupTimeout, OfAnAcloseToo) {
    run([]() -> coro<> {
        resource endless;
        async_exit_stack stack;
        co_await stack.enter(endless);
        EXPECT_TRUE((co_await as_result(stack.aclose({.cleanup_timeout = 1ms}))).holds<timeout_error>());
        resource quick{.endless = false};
        co_await stack.enter(quick);
        co_await stack.aclose({.cleanup_timeout = 1h});
        EXPECT_TRUE(quick.left);
    });
}

} // namespace
} // namespace rondo
