// The finer rules of async generators: what is used once, what may not overlap, whose context they run in, and their end.
#include "support/loop_test.hpp"

#include <rondo/loop/context.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/call_graph.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_handler.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/move_on_after.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class AsyncGeneratorRules : public test::loop_test {};
RONDO_ON_EACH_BACKEND(AsyncGeneratorRules);
class ShutdownAsyncgens : public test::loop_test {};
RONDO_ON_EACH_BACKEND(ShutdownAsyncgens);

async_generator<int, int> slow_echo() {
    for (int next = 0;;) {
        const auto sent = co_yield next;
        co_await yield();
        next = sent ? *sent : next + 1;
    }
}

template <class E, class A> coro<bool> throws(A&& aw) { co_return (co_await as_result(aw)).template holds<E>(); }

TEST_P(AsyncGeneratorRules, EachKindOfStepIsUsedOnce) {
    run([]() -> coro<> {
        auto g = slow_echo();
        co_await g.next();
        auto sending = g.asend(5);
        EXPECT_EQ(co_await sending, 5);
        EXPECT_TRUE(co_await throws<runtime_error>(sending));
        auto throwing = g.athrow(std::out_of_range("x"));
        EXPECT_TRUE(co_await throws<std::out_of_range>(throwing));
        EXPECT_TRUE(co_await throws<runtime_error>(throwing));
        auto closing = g.aclose();
        co_await closing;
        EXPECT_TRUE(co_await throws<runtime_error>(closing));
    });
}

TEST_P(AsyncGeneratorRules, WhileOneStepGoesOnNoOtherOfAnyKindBegins) {
    run([]() -> coro<> {
        auto g = slow_echo();
        co_await g.next();
        auto going_on = create_task([&]() -> coro<std::optional<int>> { co_return co_await g.asend(3); });
        co_await yield();
        EXPECT_TRUE(co_await throws<runtime_error>(g.next()));
        EXPECT_TRUE(co_await throws<runtime_error>(g.asend(1)));
        EXPECT_TRUE(co_await throws<runtime_error>(g.athrow(std::out_of_range("x"))));
        EXPECT_TRUE(co_await throws<runtime_error>(g.aclose()));
        EXPECT_EQ(co_await going_on, 3);
        EXPECT_EQ(co_await g.asend(4), 4);
    });
}

TEST_P(AsyncGeneratorRules, AthrowIntoOneThatHasNotStartedRunsNothingAndEndsIt) {
    bool ran = false;
    const auto make = [&]() -> async_generator<int> {
        ran = true;
        co_yield 1;
    };
    run([&]() -> coro<> {
        auto g = make();
        EXPECT_TRUE(co_await throws<std::out_of_range>(g.athrow(std::out_of_range("x"))));
        EXPECT_EQ(co_await g.next(), std::nullopt);
        EXPECT_FALSE(ran);
    });
}

TEST_P(AsyncGeneratorRules, AcloseOfAnExhaustedOneDoesNothingAndCostsNoPass) {
    run([&]() -> coro<> {
        const auto make = []() -> async_generator<int> { co_yield 1; };
        auto g = make();
        EXPECT_EQ(co_await g.next(), 1);
        EXPECT_EQ(co_await g.next(), std::nullopt);
        const auto before = passes();
        co_await g.aclose();
        co_await g.aclose();
        EXPECT_EQ(passes(), before);
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

context_var<int> number{"number", 0};

TEST_P(AsyncGeneratorRules, EachStepRunsInTheContextOfWhoAsksForIt) {
    run([]() -> coro<> {
        const auto make = []() -> async_generator<int> {
            for (;;) {
                co_yield number.get();
                co_await yield();
            }
        };
        auto g = make();
        const auto ask_with = [&](int value) -> coro<int> {
            const auto token = number.set(value);
            co_return *co_await g.next();
        };
        EXPECT_EQ(co_await create_task(ask_with, 1), 1);
        EXPECT_EQ(co_await create_task(ask_with, 2), 2);
        EXPECT_EQ(co_await g.next(), 0);
    });
}

TEST_P(AsyncGeneratorRules, WhatTheBodySetsIsSeenByWhoAsked) {
    run([]() -> coro<> {
        const auto make = []() -> async_generator<int> {
            number.assign(7);
            co_yield 1;
        };
        auto g = make();
        co_await create_task([&]() -> coro<> {
            co_await g.next();
            EXPECT_EQ(number.get(), 7);
        });
        EXPECT_EQ(number.get(), 0);
    });
}

/// Cleans up for three passes, and says so.
async_generator<int> with_long_cleanup(bool& cleaned_up) {
    bool closing = false;
    try {
        co_yield 1;
    } catch (const generator_exit&) {
        closing = true;
    }
    co_await test::pass_by(3);
    cleaned_up = closing;
}

TEST_P(AsyncGeneratorRules, AclosingRunsTheWholeCleanupWhenItsTaskOrAScopeIsCancelled) {
    run([&]() -> coro<> {
        const auto use = [](async_generator<int>& g) -> coro<> {
            co_await g.next();
            co_await sleep_forever();
        };
        bool first = false;
        auto t = create_task([&]() -> coro<> { co_await aclosing(with_long_cleanup(first), use); });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_TRUE(first);
        bool second = false;
        EXPECT_FALSE(co_await move_on_after(1ms, aclosing(with_long_cleanup(second), use)));
        EXPECT_TRUE(second);
    });
}

TEST_P(AsyncGeneratorRules, WhoWaitsInAStepWaitsForWhatItsBodyWaitsFor) {
    run([]() -> coro<> {
        auto f = create_future<>();
        const auto make = [](future<> awaited) -> async_generator<int> {
            co_await awaited;
            co_yield 1;
        };
        auto g = make(f);
        auto asking = create_task({.name = "asking"}, [&]() -> coro<> { co_await g.next(); });
        co_await yield();
        const auto graph = capture_call_graph(f);
        EXPECT_EQ(graph->awaited_by.size(), 1U);
        if (!graph->awaited_by.empty()) {
            EXPECT_TRUE(graph->awaited_by[0].future == asking);
            EXPECT_EQ(graph->awaited_by[0].call_stack.size(), 2U); // the generator, and who asks it
        }
        f.set_result();
        co_await asking;
    });
}

TEST_P(ShutdownAsyncgens, ClosesBesideEachOther) {
    run([&]() -> coro<> {
        bool first = false;
        bool second = false;
        auto a = with_long_cleanup(first);
        auto b = with_long_cleanup(second);
        co_await a.next();
        co_await b.next();
        const auto before = passes();
        co_await loop().shutdown_asyncgens();
        EXPECT_TRUE(first && second);
        EXPECT_EQ(passes() - before, 5U); // a task for each, three of cleanup, and back: as for one
    });
}

TEST_P(ShutdownAsyncgens, TwiceAtTheSameTimeClosesEachOnce) {
    run([&]() -> coro<> {
        bool cleaned_up = false;
        auto g = with_long_cleanup(cleaned_up);
        co_await g.next();
        co_await gather(loop().shutdown_asyncgens(), loop().shutdown_asyncgens());
        EXPECT_TRUE(cleaned_up);
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

TEST_P(ShutdownAsyncgens, LeavesAloneTheOneThatASomebodyIsAsking) {
    run([&]() -> coro<> {
        auto g = slow_echo();
        auto asking = create_task([&]() -> coro<std::optional<int>> {
            co_await g.next();
            co_return co_await g.asend(2);
        });
        co_await yield();
        co_await loop().shutdown_asyncgens();
        EXPECT_EQ(co_await asking, 2);
        co_await g.aclose();
    });
}

TEST_P(ShutdownAsyncgens, WhatIsStartedLaterIsToldWithItsFunction) {
    std::optional<std::source_location> told_of;
    loop().set_exception_handler([&](event_loop&, const error_context& what) {
        EXPECT_NE(what.message.find("after shutdown_asyncgens()"), std::string::npos);
        EXPECT_FALSE(what.exception);
        told_of = what.asyncgen;
    });
    run([&]() -> coro<> {
        auto before = slow_echo();
        co_await before.next();
        co_await loop().shutdown_asyncgens();
        EXPECT_FALSE(told_of);
        auto late = slow_echo();
        EXPECT_EQ(co_await late.next(), 0); // it works all the same
        EXPECT_TRUE(told_of);
        if (told_of) {
            EXPECT_NE(std::string_view(told_of->function_name()).find("slow_echo"), std::string_view::npos);
        }
        told_of.reset();
        co_await late.next();
        EXPECT_FALSE(told_of) << "once for each";
        co_await late.aclose();
    });
}

TEST_P(ShutdownAsyncgens, AnErrorWhileClosingIsToldWithTheFunction) {
    std::optional<std::source_location> told_of;
    std::exception_ptr error;
    loop().set_exception_handler([&](event_loop&, const error_context& what) {
        told_of = what.asyncgen;
        error = what.exception;
    });
    run([&]() -> coro<> {
        const auto make = []() -> async_generator<int> {
            try {
                co_yield 1;
            } catch (const generator_exit&) {
                throw std::out_of_range("on closing");
            }
        };
        auto g = make();
        co_await g.next();
        co_await loop().shutdown_asyncgens();
    });
    EXPECT_TRUE(detail::exception_cast<std::out_of_range>(error));
    ASSERT_TRUE(told_of);
    EXPECT_TRUE(std::string_view(told_of->file_name()).ends_with("async_generator_rules_test.cpp"));
}

TEST_P(ShutdownAsyncgens, OfAClosedLoopIsARuntimeErrorAtTheCall) {
    event_loop closed(loop_options{.backend = GetParam()});
    closed.close();
    EXPECT_THROW(static_cast<void>(closed.shutdown_asyncgens()), runtime_error);
}

} // namespace
} // namespace rondo
