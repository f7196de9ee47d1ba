// What handles look like to people: to_string() and operator<<.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>

#include <chrono>
#include <source_location>
#include <sstream>
#include <stdexcept>
#include <string>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class Text : public test::loop_test {};
RONDO_ON_EACH_BACKEND(Text);
class SlowStep : public test::loop_test {
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override { return test::make_loop(kind, true); }
};
RONDO_ON_EACH_BACKEND(SlowStep);

std::string place(unsigned line) {
    return std::string(std::source_location::current().file_name()) + ":" + std::to_string(line);
}
unsigned waits_at = 0;
coro<> waits_for(future<> f) {
    waits_at = std::source_location::current().line() + 1;
    co_await f;
}

TEST_P(Text, OfATaskIsItsStateItsNameItsCoroutineItsWaitAndItsPlace) {
    run([]() -> coro<> {
        auto f = create_future<>();
        const unsigned line = std::source_location::current().line() + 1;
        auto t = create_task({.name = "writer"}, waits_for, f);
        co_await yield();
        const std::string coroutine = " coro=<rondo::(anonymous namespace)::waits_for() at " + place(waits_at) + ">";
        const std::string rest =
            coroutine + " wait_for=<waiting for future " + std::to_string(f.id()) + "> created at " + place(line) + ">";
        EXPECT_EQ(to_string(t), "<Task pending name='writer'" + rest);
        std::ostringstream out;
        out << t;
        EXPECT_EQ(out.str(), to_string(t));
        t.cancel();
        EXPECT_EQ(to_string(t), "<Task cancelling name='writer'" + coroutine + " created at " + place(line) + ">");
        static_cast<void>(co_await as_result(t));
        EXPECT_EQ(to_string(t), "<Task cancelled name='writer' created at " + place(line) + ">");
    });
}

TEST_P(Text, OfWhatIsDoneTellsTheErrorAndDoesNotCountAsLookingAtIt) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        EXPECT_TRUE(to_string(f).starts_with("<Future pending id=" + std::to_string(f.id()) + " created at "));
        f.set_result(1);
        EXPECT_TRUE(to_string(f).starts_with("<Future finished id="));
        {
            auto failed = create_future<>();
            failed.set_exception(std::out_of_range("too far"));
            EXPECT_NE(to_string(failed).find("error=<"), std::string::npos);
            EXPECT_NE(to_string(failed).find("too far"), std::string::npos);
        }
        EXPECT_EQ(reports.take().size(), 1U);
        EXPECT_EQ(to_string(future<int>()), "<Future null>");
        auto t = create_task([]() -> coro<> { co_return; });
        EXPECT_TRUE(to_string(t).starts_with("<Task pending name='Task-" + std::to_string(t.id()) + "' "));
        co_await t;
    });
}

TEST_P(Text, OfAHandleIsItsStateAndItsPlace) {
    const unsigned line = std::source_location::current().line() + 1;
    handle soon = loop().call_soon([] {});
    const auto expected = [&](const std::string& state) {
        return "<Handle " + state + " created at " + place(line) + ">";
    };
    EXPECT_EQ(to_string(soon), expected("scheduled"));
    std::ostringstream out;
    out << soon;
    EXPECT_EQ(out.str(), expected("scheduled"));
    run_passes(1);
    EXPECT_EQ(to_string(soon), expected("finished"));
    handle never = loop().call_soon([] {});
    never.cancel();
    EXPECT_TRUE(to_string(never).starts_with("<Handle cancelled "));
    timer_handle later = loop().call_at(time_point(12345ms), [] {});
    EXPECT_TRUE(to_string(later).starts_with("<TimerHandle when=12.345 scheduled created at ")) << to_string(later);
    later.cancel();
    EXPECT_EQ(to_string(handle()), "<Handle null>");
}

TEST_P(SlowStep, IsNamedWithItsTaskAndItsPlaceWhenItIsOver) {
    loop().set_slow_callback_duration(duration::zero());
    const unsigned line = std::source_location::current().line() + 1;
    auto t = loop().create_task({.name = "worker"}, []() -> coro<> { co_return; });
    testing::internal::CaptureStderr();
    run_passes(1);
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(told.starts_with("rondo: Executing <Task finished name='worker' created at " + place(line) + "> took "))
        << told;
    EXPECT_TRUE(told.ends_with(" seconds\n")) << told;
    loop().set_slow_callback_duration(1h);
}

TEST_P(SlowStep, ACallbackIsNamedWithItsPlace) {
    loop().set_slow_callback_duration(duration::zero());
    const unsigned line = std::source_location::current().line() + 1;
    loop().call_soon([] {});
    testing::internal::CaptureStderr();
    run_passes(1);
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(told.starts_with("rondo: Executing <Handle finished created at " + place(line) + "> took ")) << told;
    loop().set_slow_callback_duration(1h);
}

TEST_P(SlowStep, ACoroutineThatNobodyAwaitedIsNamedWithItsPlaceWhereALoopIsInDebugMode) {
    testing::internal::CaptureStderr();
    { auto never = waits_for({}); }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("coroutine was never awaited: "), std::string::npos);
    loop().set_debug(false);
    testing::internal::CaptureStderr();
    { auto never = waits_for({}); }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace rondo
