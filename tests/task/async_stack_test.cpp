// The async stack of a task that runs: the frames that live at that moment.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/task.hpp>

#include "task/call_graph_text.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {
namespace {

class AsyncStack : public test::loop_test {};
RONDO_ON_EACH_BACKEND(AsyncStack);

/// The names of the running task's frames, innermost first.
std::vector<std::string> functions() {
    std::vector<std::string> names;
    for (const stack_entry& frame : current_task().async_stack()) {
        const std::string_view name = detail::qualified_name(frame.function);
        names.emplace_back(name.ends_with("operator()") ? "lambda" : name.substr(name.rfind(':') + 1));
    }
    return names;
}
using names = std::vector<std::string>;

names seen_inside;

coro<> looks_at_once() {
    seen_inside = functions();
    co_return;
}
coro<> looks_after_a_wait() {
    co_await yield();
    seen_inside = functions();
}
coro<> between() {
    co_await looks_at_once();
    EXPECT_EQ(seen_inside, (names{"looks_at_once", "between", "lambda"}));
    EXPECT_EQ(functions(), (names{"between", "lambda"}));
    co_await looks_after_a_wait();
    EXPECT_EQ(seen_inside, (names{"looks_after_a_wait", "between", "lambda"}));
    EXPECT_EQ(functions(), (names{"between", "lambda"}));
}
coro<> fails_after_a_wait() {
    co_await yield();
    throw std::out_of_range("x");
}

TEST_P(AsyncStack, OfTheRunningTaskBeginsWithTheFrameThatRunsWhateverHasEndedBefore) {
    run([]() -> coro<> {
        co_await between();
        EXPECT_EQ(functions(), (names{"lambda"}));
        static_cast<void>(co_await as_result(fails_after_a_wait()));
        EXPECT_EQ(functions(), (names{"lambda"}));
    });
}

async_generator<int> two_items() {
    co_await yield();
    seen_inside = functions();
    co_yield 1;
    seen_inside = functions();
    co_yield 2;
}

TEST_P(AsyncStack, AnAsyncGeneratorIsOnItWhileAStepOfItRuns) {
    run([]() -> coro<> {
        auto g = two_items();
        for (int i = 0; i < 2; ++i) {
            co_await g.next();
            EXPECT_EQ(seen_inside, (names{"two_items", "lambda"}));
            EXPECT_EQ(functions(), (names{"lambda"}));
        }
        EXPECT_FALSE(co_await g.next());
        EXPECT_EQ(functions(), (names{"lambda"}));
    });
}

TEST_P(AsyncStack, AnEagerTaskHasItsOwnAndItsMakerKeepsIts) {
    run([]() -> coro<> {
        auto t = create_task({.eager_start = true}, []() -> coro<> {
            co_await looks_at_once();
            EXPECT_EQ(seen_inside, (names{"looks_at_once", "lambda"}));
            co_await yield();
        });
        EXPECT_EQ(functions(), (names{"lambda"}));
        co_await t;
    });
}

TEST_P(AsyncStack, TheFrameOfADoneTaskIsGone) {
    run([]() -> coro<> {
        auto t = create_task(looks_after_a_wait);
        EXPECT_TRUE(t.coro_handle());
        EXPECT_FALSE(t.coro_handle().done());
        co_await t;
        EXPECT_FALSE(t.coro_handle());
    });
}

} // namespace
} // namespace rondo
