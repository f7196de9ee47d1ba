// The call graph: who waits for whom, and where.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/call_graph.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/shield.hpp>
#include <rondo/task/task_group.hpp>

#include <cstddef>
#include <string>

namespace rondo {
namespace {

class CallGraph : public test::loop_test {};
RONDO_ON_EACH_BACKEND(CallGraph);

coro<> waiting(future<> f) { co_await f; }
coro<> deeper(future<> f) { co_await waiting(f); }

TEST_P(CallGraph, ShowsWhoWaitsForATaskAndWhereTheyWait) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        auto inner = create_task({.name = "inner"}, deeper, f);
        auto outer = create_task({.name = "outer"}, [&]() -> coro<> { co_await inner; });
        co_await test::pass_by(2);
        const auto graph = capture_call_graph(f);
        EXPECT_TRUE(graph->future == f);
        EXPECT_TRUE(graph->call_stack.empty());
        EXPECT_EQ(graph->awaited_by.size(), 1U);
        const future_call_graph& in = graph->awaited_by.at(0);
        EXPECT_TRUE(in.future == inner);
        EXPECT_EQ(in.call_stack.size(), 2U);
        EXPECT_EQ(in.awaited_by.size(), 1U);
        const future_call_graph& out = in.awaited_by.at(0);
        EXPECT_TRUE(out.future == outer);
        EXPECT_EQ(out.call_stack.size(), 1U);
        EXPECT_TRUE(out.awaited_by.empty());
        f.set_result();
        co_await outer;
    });
}

TEST_P(CallGraph, SeesThroughGathersAndShieldsAndKnowsGroups) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        auto gathered = create_task(waiting(f));
        auto shielded = create_task(waiting(f));
        task<> child;
        auto gatherer = create_task([&]() -> coro<> { co_await gather(gathered); });
        auto shielder = create_task([&]() -> coro<> { co_await shield(shielded); });
        auto grouped = create_task([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                child = group.create_task(waiting(f));
                co_return;
            });
        });
        co_await test::pass_by(3);
        const auto waits_for = [](const task<>& one) {
            const auto graph = capture_call_graph(one);
            EXPECT_EQ(graph->awaited_by.size(), 1U);
            return graph->awaited_by.at(0).future;
        };
        EXPECT_TRUE(waits_for(gathered) == gatherer);
        EXPECT_TRUE(waits_for(shielded) == shielder);
        EXPECT_TRUE(waits_for(child) == grouped);
        f.set_result();
        co_await gather(gatherer, shielder, grouped);
    });
}

TEST_P(CallGraph, TheLimitTakesInnermostOrOutermostFrames) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        auto t = create_task(deeper, f);
        co_await test::pass_by(2);
        const auto all = capture_call_graph(t)->call_stack;
        EXPECT_EQ(all.size(), 2U);
        const auto innermost = capture_call_graph(t, {.limit = 1})->call_stack;
        EXPECT_EQ(innermost.size(), 1U);
        EXPECT_EQ(innermost.at(0).where.line(), all.at(0).where.line());
        const auto outermost = capture_call_graph(t, {.limit = -1})->call_stack;
        EXPECT_EQ(outermost.size(), 1U);
        EXPECT_EQ(outermost.at(0).where.line(), all.at(1).where.line());
        EXPECT_TRUE(capture_call_graph(t, {.limit = 0})->call_stack.empty());
        EXPECT_EQ(capture_call_graph(t, {.limit = 9})->call_stack.size(), 2U);
        f.set_result();
        co_await t;
    });
}

TEST_P(CallGraph, OfTheCurrentTaskIsNamedInTheText) {
    run([&]() -> coro<> {
        co_await create_task({.name = "asker"}, []() -> coro<> {
            EXPECT_TRUE(capture_call_graph()->future == current_task());
            const std::string text = format_call_graph();
            EXPECT_EQ(text.rfind("* Task(name='asker', id=0x", 0), 0U) << text;
            EXPECT_NE(text.find("  + Awaited by:\n    * Task(name='"), std::string::npos) << text;
            co_return;
        });
    });
}

TEST_P(CallGraph, AnEdgeOfOnesOwnIsThereUntilItIsTakenBack) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        lowlevel::add_awaited_by(f, current_task());
        lowlevel::add_awaited_by(f, current_task());
        EXPECT_EQ(capture_call_graph(f)->awaited_by.size(), 1U);
        lowlevel::discard_awaited_by(f, current_task());
        EXPECT_TRUE(capture_call_graph(f)->awaited_by.empty());
        EXPECT_THROW(lowlevel::add_awaited_by(f, any_future()), type_error);
        EXPECT_THROW(capture_call_graph(any_future()), type_error);
        f.cancel();
        co_return;
    });
}

TEST_P(CallGraph, ACircleEndsWhereItCloses) {
    run([&]() -> coro<> {
        task<> a;
        task<> b;
        a = create_task([&]() -> coro<> { co_await b; });
        b = create_task([&]() -> coro<> { co_await a; });
        co_await test::pass_by(2);
        const auto graph = capture_call_graph(a);
        EXPECT_TRUE(graph->awaited_by.at(0).future == b);
        EXPECT_TRUE(graph->awaited_by.at(0).awaited_by.empty());
        lowlevel::add_awaited_by(a, a); // and of itself
        EXPECT_EQ(capture_call_graph(a)->awaited_by.size(), 1U);
        lowlevel::discard_awaited_by(a, a);
        a.cancel();
        static_cast<void>(co_await as_result(b));
    });
}

} // namespace
} // namespace rondo
