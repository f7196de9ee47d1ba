// The exception handler: what nobody else will see.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_handler.hpp>
#include <rondo/task/gather.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace rondo {
namespace {

using testing::HasSubstr;

class ExceptionHandler : public test::loop_test {
protected:
    /// What the default handler writes.
    template <class F> std::string stderr_of(F&& fn) {
        testing::internal::CaptureStderr();
        fn();
        return testing::internal::GetCapturedStderr();
    }
};
RONDO_IN_EACH_WORLD(ExceptionHandler);

coro<> fail() {
    throw std::out_of_range("lost");
    co_return;
}

TEST_P(ExceptionHandler, IsToldTheTaskItsErrorAndWhereItWasMade) {
    error_context told;
    loop().set_exception_handler([&](event_loop& l, const error_context& what) {
        EXPECT_EQ(&l, &loop());
        told = what;
    });
    unsigned line = 0;
    run([&]() -> coro<> {
        line = std::source_location::current().line() + 1;
        spawn({.name = "worker"}, fail);
        co_await yield();
    });
    EXPECT_THAT(told.message, HasSubstr("worker"));
    EXPECT_TRUE(detail::exception_cast<std::out_of_range>(told.exception));
    EXPECT_EQ(told.task.name(), "worker");
    EXPECT_EQ(told.transport, nullptr);
    ASSERT_TRUE(told.created_at);
    EXPECT_EQ(told.created_at->line(), line);
    told = {};
}

TEST_P(ExceptionHandler, IsToldOfACallbackWithItsHandle) {
    error_context told;
    loop().set_exception_handler([&](event_loop&, const error_context& what) { told = what; });
    const unsigned line = std::source_location::current().line() + 1;
    const handle h = loop().call_soon([] { throw std::out_of_range("callback"); });
    run_passes(1);
    EXPECT_TRUE(detail::exception_cast<std::out_of_range>(told.exception));
    EXPECT_EQ(told.handle, h);
    EXPECT_FALSE(told.task);
    ASSERT_TRUE(told.created_at);
    EXPECT_EQ(told.created_at->line(), line);
    told = {};
}

TEST_P(ExceptionHandler, IsToldOfAFutureThatNobodyLookedAt) {
    error_context told;
    loop().set_exception_handler([&](event_loop&, const error_context& what) { told = what; });
    unsigned line = 0;
    run([&]() -> coro<> {
        {
            line = std::source_location::current().line() + 1;
            auto f = create_future<int>();
            f.set_exception(std::out_of_range("never retrieved"));
        }
        EXPECT_TRUE(told.future);
        co_return;
    });
    EXPECT_TRUE(detail::exception_cast<std::out_of_range>(told.exception));
    EXPECT_FALSE(told.task);
    ASSERT_TRUE(told.created_at);
    EXPECT_EQ(told.created_at->line(), line);
    told = {};
}

TEST_P(ExceptionHandler, LookingInAnyWayCountsAsObserving) {
    run([]() -> coro<> {
        const auto failed = []() {
            auto f = create_future<int>();
            f.set_exception(std::out_of_range("x"));
            return f;
        };
        EXPECT_THROW(static_cast<void>(failed().result()), std::out_of_range);
        EXPECT_THROW(failed().take(), std::out_of_range);
        EXPECT_NE(failed().exception(), nullptr);
        EXPECT_TRUE((co_await as_result(failed())).holds<std::out_of_range>());
        EXPECT_TRUE((co_await as_result(any_future(failed()))).holds<std::out_of_range>());
        EXPECT_TRUE((co_await as_result(gather(failed()))).holds<std::out_of_range>());
        auto all = co_await gather(return_exceptions, failed(), failed());
        EXPECT_FALSE(std::get<0>(all));
    });
}

TEST_P(ExceptionHandler, AFailureThatIsReportedLateIsReportedOnce) {
    run([&]() -> coro<> {
        {
            auto t = create_task(fail);
            const auto copy = t;
            co_await yield();
            EXPECT_EQ(reports.count(), 0U);
        }
        EXPECT_EQ(reports.take().size(), 1U);
        co_await yield();
    });
}

TEST_P(ExceptionHandler, MayKeepTheHandleItIsGiven) {
    any_task kept;
    int calls = 0;
    loop().set_exception_handler([&](event_loop&, const error_context& what) {
        kept = what.task;
        ++calls;
    });
    run([]() -> coro<> {
        static_cast<void>(create_task(fail));
        co_await yield();
    });
    ASSERT_TRUE(kept);
    EXPECT_TRUE(detail::exception_cast<std::out_of_range>(kept.exception()));
    kept = {};
    EXPECT_EQ(calls, 1);
}

TEST_P(ExceptionHandler, RunsInTheContextOfTheOneThatFailed) {
    context_var<std::string> request("request", "none");
    std::vector<std::string> seen;
    loop().set_exception_handler([&](event_loop&, const error_context&) { seen.push_back(request.get()); });
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            request.assign("task's");
            co_await yield();
            throw std::out_of_range("x");
        });
        request.assign("callback's");
        loop().call_soon([] { throw std::out_of_range("x"); });
        request.assign("main's");
        co_await test::pass_by(3);
        loop().call_exception_handler({.message = "by hand"});
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"callback's", "task's", "main's"}));
}

TEST_P(ExceptionHandler, OneThatThrowsIsToldToTheDefaultHandlerTogetherWithTheError) {
    loop().set_exception_handler([](event_loop&, const error_context&) { throw std::length_error("handler"); });
    const std::string text = stderr_of([&] { loop().call_exception_handler({.message = "the matter itself"}); });
    EXPECT_THAT(text, HasSubstr("the matter itself"));
    EXPECT_THAT(text, HasSubstr("the exception handler itself failed: std::length_error: handler"));
}

TEST_P(ExceptionHandler, OneThatAsksToExitEndsTheRun) {
    loop().set_exception_handler([](event_loop&, const error_context&) { throw system_exit(4); });
    EXPECT_THROW(run([]() -> coro<> {
                     spawn(fail);
                     co_await sleep_forever();
                 }),
                 system_exit);
    reports.listen(loop());
}

TEST_P(ExceptionHandler, NullptrBringsTheDefaultBackWhichWritesALineWithThePlace) {
    loop().set_exception_handler(nullptr);
    const std::string text = stderr_of([&] {
        run([]() -> coro<> {
            spawn({.name = "worker"}, fail);
            co_await yield();
        });
    });
    EXPECT_THAT(text, HasSubstr("rondo: task 'worker' failed: std::out_of_range: lost"));
    EXPECT_THAT(text, HasSubstr("made at tests/task/exception_handler_test.cpp:"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST_P(ExceptionHandler, MayReplaceItself) {
    int first = 0;
    int second = 0;
    loop().set_exception_handler([&](event_loop& l, const error_context&) {
        ++first;
        l.set_exception_handler([&](event_loop&, const error_context&) { ++second; });
    });
    loop().call_exception_handler({.message = "1"});
    loop().call_exception_handler({.message = "2"});
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
}

TEST_P(ExceptionHandler, WhatOutlivesItsLoopIsWrittenToStderr) {
    auto f = std::make_unique<future<int>>(loop().create_future<int>());
    f->set_exception(std::out_of_range("late"));
    end_loop();
    const std::string text = stderr_of([&] { f.reset(); });
    EXPECT_THAT(text, HasSubstr("failed and nobody looked at its exception (made at tests/task/exception_handler"));
    EXPECT_THAT(text, HasSubstr("std::out_of_range: late"));
}

} // namespace
} // namespace rondo
