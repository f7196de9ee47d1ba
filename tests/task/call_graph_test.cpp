// The call graph: who waits for whom, and where.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/call_graph.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/select.hpp>
#include <rondo/task/shield.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>
#include <rondo/task/wait.hpp>

#include "task/call_graph_text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo {
namespace {

class CallGraph : public test::loop_test {};
RONDO_IN_EACH_WORLD(CallGraph);

std::string hexadecimal(std::uint64_t n) {
    char text[20];
    std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(n));
    return text;
}

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

TEST_P(CallGraph, KnowsWhoSitsInAWaitATimeoutAndASelect) {
    run([&]() -> coro<> {
        const auto waiters_of = [](const any_future& f) {
            std::vector<std::string> names;
            const auto graph = capture_call_graph(f);
            for (const future_call_graph& one : graph->awaited_by)
                names.push_back(any_task(one.future.as_task<void>()).name());
            return names;
        };
        using names = std::vector<std::string>;
        auto f = create_future<>();
        auto waits = create_task({.name = "wait"}, [&]() -> coro<> { static_cast<void>(co_await wait({f})); });
        co_await test::pass_by(1);
        EXPECT_EQ(waiters_of(f), names{"wait"});
        auto timed = create_task({.name = "timeout"}, [&]() -> coro<> { co_await timeout(std::chrono::hours(1), f); });
        co_await test::pass_by(1);
        EXPECT_EQ(waiters_of(f), (names{"wait", "timeout"}));
        timed.cancel(); // and f with it
        static_cast<void>(co_await as_result(timed));
        co_await waits;

        auto g = create_future<>();
        auto selects = create_task(
            {.name = "select"}, [&]() -> coro<> { static_cast<void>(co_await as_result(select(g, sleep_forever()))); });
        co_await test::pass_by(2);
        const auto graph = capture_call_graph(g);
        EXPECT_EQ(graph->awaited_by.size(), 1U); // the competitor, which the selecting task waits for
        if (!graph->awaited_by.empty()) {
            const auto& competitor = graph->awaited_by[0];
            EXPECT_EQ(competitor.awaited_by.size(), 1U);
            if (!competitor.awaited_by.empty()) {
                EXPECT_TRUE(competitor.awaited_by[0].future == selects);
            }
        }
        g.set_result();
        co_await selects;
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
        const future_call_graph& other = graph->awaited_by.at(0);
        EXPECT_TRUE(other.future == b);
        EXPECT_FALSE(other.repeated);
        const future_call_graph& closes = other.awaited_by.at(0);
        EXPECT_TRUE(closes.future == a);
        EXPECT_TRUE(closes.repeated);
        EXPECT_TRUE(closes.call_stack.empty());
        EXPECT_TRUE(closes.awaited_by.empty());
        lowlevel::add_awaited_by(a, a); // and of itself
        EXPECT_EQ(capture_call_graph(a)->awaited_by.size(), 2U);
        EXPECT_TRUE(capture_call_graph(a)->awaited_by.at(1).repeated);
        lowlevel::discard_awaited_by(a, a);
        a.cancel();
        static_cast<void>(co_await as_result(b));
    });
}

std::size_t size_of(const future_call_graph& graph) {
    std::size_t n = 0;
    std::vector<const future_call_graph*> left{&graph};
    while (!left.empty()) {
        const future_call_graph& node = *left.back();
        left.pop_back();
        ++n;
        for (const future_call_graph& waiter : node.awaited_by) left.push_back(&waiter);
    }
    return n;
}

TEST_P(CallGraph, SixtyFourStackedDiamondsAreAsManyNodesAsThereAreWaits) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        any_future below = f;
        std::vector<task<>> all;
        constexpr std::size_t diamonds = 64;
        for (std::size_t i = 0; i < diamonds; ++i) {
            auto left = create_task([](any_future b) -> coro<> { co_await b; }, below);
            auto right = create_task([](any_future b) -> coro<> { co_await b; }, below);
            auto join = create_task([](task<> l, task<> r) -> coro<> { co_await gather(l, r); }, left, right);
            all.insert(all.end(), {left, right, join});
            below = join;
        }
        co_await test::pass_by(3);
        const auto graph = capture_call_graph(f);
        // Each join is waited for by two, each left and right by one: its second mention is the end of a way.
        EXPECT_EQ(size_of(*graph), 1 + 4 * diamonds);
        const std::string text = format_call_graph(f);
        std::size_t tasks = 0;
        std::size_t mentions = 0;
        for (std::size_t at = text.find("* Task("); at != std::string::npos; at = text.find("* Task(", at + 1)) ++tasks;
        for (std::size_t at = text.find("(see above)"); at != std::string::npos; at = text.find("(see above)", at + 1))
            ++mentions;
        EXPECT_EQ(tasks, 4 * diamonds);
        EXPECT_EQ(mentions, diamonds);
        f.set_result();
        co_await all.back();
    });
}

TEST_P(CallGraph, AChainOfAHundredThousandTasksIsCapturedCopiedWrittenAndDestroyed) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        any_future below = f;
        constexpr std::size_t depth = 100'000;
        std::vector<task<>> all;
        all.reserve(depth);
        for (std::size_t i = 0; i < depth; ++i) {
            all.push_back(create_task([](any_future b) -> coro<> { co_await b; }, below));
            below = all.back();
        }
        co_await test::pass_by(2);
        auto graph = capture_call_graph(f);
        EXPECT_EQ(size_of(*graph), depth + 1);
        future_call_graph copy = *graph;
        graph.reset();
        EXPECT_EQ(size_of(copy), depth + 1);
        copy = future_call_graph(f);
        EXPECT_EQ(size_of(copy), 1U);
        const std::string text = format_call_graph(f, {.limit = 0});
        EXPECT_NE(text.find("id=" + hexadecimal(all.back().id()) + ") (level 100000)"), std::string::npos);
        EXPECT_LT(text.size(), 400 * depth) << "the indentation does not grow with the depth";
        f.set_result();
        co_await all.back();
    });
}

TEST_P(CallGraph, ManyThatWaitForTheSameAreListedOnceEach) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        std::vector<task<>> all;
        for (int i = 0; i < 20'000; ++i)
            all.push_back(create_task([](future<> b) -> coro<> { co_await shield(b); }, f));
        co_await test::pass_by(2);
        EXPECT_EQ(capture_call_graph(f)->awaited_by.size(), 20'000U);
        f.set_result();
        co_await gather(std::move(all));
    });
}

/// Lines of places end in the names that the compiler gives; these are the parts that are the same everywhere.
TEST_P(CallGraph, TheTextIsAsyncios) {
    run([&]() -> coro<> {
        auto f = create_future<>();
        auto worker = create_task({.name = "worker"}, deeper, f);
        auto quoted = create_task({.name = "it's"}, [&]() -> coro<> { co_await worker; });
        co_await test::pass_by(2);
        const auto graph = capture_call_graph(f);
        const future_call_graph& w = graph->awaited_by.at(0);
        const auto id = [](const any_future& of) { return "id=" + hexadecimal(of.id()) + ")"; };
        const auto line = [](const stack_entry& e) { return std::to_string(e.where.line()); };
        const std::string file = std::string("  |   File '") + w.call_stack.at(0).where.file_name() + "', line ";
        const std::string text = format_call_graph(f);
        const std::string expected = "* Future(" + id(f) +
                                     "\n"
                                     "  + Awaited by:\n"
                                     "    * Task(name='worker', " +
                                     id(worker) +
                                     "\n"
                                     "      + Call stack:\n"
                                     "    " +
                                     file + line(w.call_stack.at(0)) +
                                     ", in async rondo::(anonymous namespace)::waiting()\n"
                                     "    " +
                                     file + line(w.call_stack.at(1)) +
                                     ", in async rondo::(anonymous namespace)::deeper()\n"
                                     "      + Awaited by:\n"
                                     "        * Task(name=\"it's\", " +
                                     id(quoted) +
                                     "\n"
                                     "          + Call stack:\n"
                                     "        " +
                                     file + line(w.awaited_by.at(0).call_stack.at(0)) + ", in async ";
        EXPECT_EQ(text.substr(0, expected.size()), expected);
        EXPECT_EQ(text.substr(text.size() - 2), "()") << "the last line has no end";
        testing::internal::CaptureStdout();
        print_call_graph(f);
        EXPECT_EQ(testing::internal::GetCapturedStdout(), text + "\n");
        f.set_result();
        co_await quoted;
    });
}

TEST_P(CallGraph, OfNobodyIsEmptyText) {
    loop().call_soon([] {
        EXPECT_EQ(format_call_graph(), "");
        EXPECT_FALSE(capture_call_graph().has_value());
    });
    run_passes(1);
}

TEST(CallGraphText, FindsTheNameInWhatTheCompilerSays) {
    const auto name = [](std::string_view pretty) { return std::string(detail::qualified_name(pretty)); };
    EXPECT_EQ(name("coro<int> app::middle(Q) [Q = long]"), "app::middle");
    EXPECT_EQ(name("coro<> fetch(int)"), "fetch");
    EXPECT_EQ(name("rondo::coro<std::map<int, long> > a::b<int (*)(char)>::c(int) const"), "a::b<int (*)(char)>::c");
    EXPECT_EQ(name("auto main()::(anonymous class)::operator()(int) const"), "main()::(anonymous class)::operator()");
    EXPECT_EQ(name("coro<> f(X) [X = (lambda at a.cpp:1:2)]"), "f");
    EXPECT_EQ(name("foo_operator bar(int)"), "bar");
    EXPECT_EQ(name("a::b::operator bool()"), "a::b::operator bool");
    EXPECT_EQ(name("main"), "main");
    EXPECT_EQ(name(""), "");
    EXPECT_EQ(name("]"), "]");
}

TEST(CallGraphText, QuotesAsPythonDoes) {
    EXPECT_EQ(detail::quoted("a"), "'a'");
    EXPECT_EQ(detail::quoted("it's"), "\"it's\"");
    EXPECT_EQ(detail::quoted("\"it's\""), "'\"it\\'s\"'");
    EXPECT_EQ(detail::quoted("a\\b\n\x01"), "'a\\\\b\\n\\x01'");
}

} // namespace
} // namespace rondo
