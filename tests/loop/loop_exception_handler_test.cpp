// Where the errors go that nobody else sees: the loop's exception handler.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/create_task.hpp>

#include <gmock/gmock.h>

#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace rondo {
namespace {

using testing::HasSubstr;

class ExceptionHandler : public test::loop_test {
protected:
    /// What is written to stderr while fn() runs.
    template <class F> static std::string stderr_of(F&& fn) {
        testing::internal::CaptureStderr();
        fn();
        return testing::internal::GetCapturedStderr();
    }
    void fail_in_a_callback() {
        loop().call_soon([] { throw value_error("broken"); });
        run_passes(1);
    }
};
RONDO_IN_EACH_WORLD(ExceptionHandler);

TEST_P(ExceptionHandler, IsToldWhatACallbackThrowsAndTheOthersRun) {
    int ran = 0;
    const auto line = std::source_location::current().line() + 1;
    loop().call_soon([] { throw value_error("first"); });
    loop().call_soon([&] { ++ran; });
    loop().call_later(-std::chrono::seconds(1), [] { throw lookup_error("second"); });
    loop().call_soon_threadsafe([] { throw 3; });
    run_passes(1);
    EXPECT_EQ(ran, 1);
    const std::vector<test::report> told = reports.take();
    ASSERT_EQ(told.size(), 3u);
    EXPECT_TRUE(told[0].holds<value_error>());
    EXPECT_TRUE(told[0].about_handle);
    ASSERT_TRUE(told[0].created_at);
    EXPECT_EQ(told[0].created_at->line(), line) << "where the callback was scheduled";
    EXPECT_TRUE(told[1].exception); // an int
    EXPECT_TRUE(told[2].holds<lookup_error>());
    EXPECT_EQ(told[2].created_at->line(), line + 2);
}

TEST_P(ExceptionHandler, RunsInTheContextOfTheOneThatFailed) {
    context_var<std::string> who("who", "nobody");
    std::string seen;
    loop().set_exception_handler([&](event_loop&, const error_context&) { seen += who.get() + " "; });
    {
        auto token = who.set("callback");
        loop().call_soon([&] {
            who.assign("changed");
            throw value_error("x");
        });
    }
    run_passes(1);
    {
        auto token = who.set("task");
        static_cast<void>(loop().create_task([]() -> coro<> {
            throw value_error("y");
            co_return;
        }));
    }
    run_passes(1);
    EXPECT_EQ(seen, "changed task ");
}

TEST_P(ExceptionHandler, GetsTheLoopAndTheHandle) {
    handle failing = loop().call_soon([] { throw value_error("x"); });
    handle told_of;
    loop().set_exception_handler([&](event_loop& l, const error_context& what) {
        EXPECT_EQ(&l, &loop());
        told_of = what.handle;
    });
    run_passes(1);
    EXPECT_EQ(told_of, failing);
}

TEST_P(ExceptionHandler, MayBeCalledByTheProgram) {
    loop().call_exception_handler({.message = "mine", .exception = std::make_exception_ptr(value_error("x"))});
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].message, "mine");
    EXPECT_TRUE(told[0].holds<value_error>());
}

TEST_P(ExceptionHandler, TheDefaultWritesALineToStderr) {
    loop().set_exception_handler(nullptr);
    EXPECT_THAT(stderr_of([&] { fail_in_a_callback(); }),
                AllOf(HasSubstr("rondo: "), HasSubstr("exception in callback"), HasSubstr("value_error"),
                      HasSubstr("broken"), HasSubstr("loop_exception_handler_test.cpp")));
    EXPECT_THAT(stderr_of([&] { loop().default_exception_handler({.message = "told"}); }), HasSubstr("told"));
}

TEST_P(ExceptionHandler, MayPassOnToTheDefault) {
    loop().set_exception_handler([](event_loop& l, const error_context& what) { l.default_exception_handler(what); });
    EXPECT_THAT(stderr_of([&] { fail_in_a_callback(); }), HasSubstr("broken"));
}

TEST_P(ExceptionHandler, OneThatThrowsIsToldOfByTheDefaultBesideWhatItWasToldOf) {
    loop().set_exception_handler([](event_loop&, const error_context&) { throw lookup_error("handler broken"); });
    const std::string told = stderr_of([&] { fail_in_a_callback(); });
    EXPECT_THAT(told, AllOf(HasSubstr("broken"), HasSubstr("handler broken"), HasSubstr("exception handler itself")));
    bool ran = false;
    loop().call_soon([&] { ran = true; });
    run_passes(1);
    EXPECT_TRUE(ran) << "the loop goes on";
}

TEST_P(ExceptionHandler, AnExitRequestInItEndsTheLoop) {
    loop().set_exception_handler([](event_loop&, const error_context&) { throw system_exit(4); });
    loop().call_soon([] { throw value_error("x"); });
    EXPECT_THROW(loop().run_forever(), system_exit);
}

TEST_P(ExceptionHandler, MayReplaceItselfWhileItRuns) {
    int living = 0;
    std::vector<std::string> told;
    loop().set_exception_handler([&, t = test::tracked(living)](event_loop& l, const error_context& what) {
        l.set_exception_handler([&](event_loop&, const error_context& next) { told.push_back("new " + next.message); });
        EXPECT_GE(living, 1) << "it lives while it runs";
        told.push_back("old " + what.message);
    });
    loop().call_exception_handler({.message = "1"});
    loop().call_exception_handler({.message = "2"});
    EXPECT_EQ(told, (std::vector<std::string>{"old 1", "new 2"}));
    EXPECT_EQ(living, 0);
}

TEST_P(ExceptionHandler, AnExitRequestIsNotAnErrorAndNotItsAffair) {
    loop().call_soon([] { throw keyboard_interrupt("^C"); });
    EXPECT_THROW(loop().run_forever(), keyboard_interrupt);
    EXPECT_EQ(reports.count(), 0u);
}

TEST_P(ExceptionHandler, ALoopThatHasSeenNoTaskWritesToStderr) {
    auto bare = test::make_loop(GetParam());
    bare->call_soon([] { throw value_error("early"); });
    EXPECT_THAT(stderr_of([&] { bare->run_once(duration::zero()); }),
                AllOf(HasSubstr("exception in callback"), HasSubstr("early")));
    bare->close();
}

} // namespace
} // namespace rondo
