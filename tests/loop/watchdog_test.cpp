// The watchdog: what it tells of a loop that is stuck, while it is stuck.
//
// A test that is to be stuck reads from a pipe until the stall handler, in the watchdog's thread, writes to it. Any pass may
// be slow on a busy machine, so reports of others are left aside, and a stall that was found too early is tried again.
#include "support/blocked_thread.hpp"
#include "support/loop_test.hpp"

#include <rondo/loop/stall_report.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>

#include "loop/watchdog.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

/// Of the kernel: threads that are stuck, by the machine's clock.
class Watchdog : public test::loop_test {
protected:
    void SetUp() override {
        loop_test::SetUp();
        if (IsSkipped()) return;
        ASSERT_EQ(::pipe(ends_), 0);
        loop().set_slow_callback_duration(20ms);
        loop().set_stall_handler([this](const stall_report& stall) {
            const std::lock_guard<std::mutex> hold(mutex_);
            all_.push_back(stall);
            if (stall.task_name == expected_) {
                const char token = '!';
                EXPECT_EQ(::write(ends_[1], &token, 1), 1);
            }
        });
    }
    void TearDown() override {
        end_loop();
        if (ends_[0] >= 0) {
            ::close(ends_[0]);
            ::close(ends_[1]);
        }
        loop_test::TearDown();
    }

    std::vector<stall_report> told() {
        const std::lock_guard<std::mutex> hold(mutex_);
        return all_;
    }
    std::vector<stall_report> told_of(const std::string& task) {
        std::vector<stall_report> some = told();
        std::erase_if(some, [&](const stall_report& stall) { return stall.task_name != task; });
        return some;
    }
    void expect(const std::string& task) {
        const std::lock_guard<std::mutex> hold(mutex_);
        expected_ = task;
    }
    detail::watchdog& dog() { return *detail::loop_access::watching(loop()); }
    /// Without a system call, until it has looked that often once more.
    void let_it_look(std::uint64_t times) {
        for (const std::uint64_t until = dog().looks() + times; dog().looks() < until;) std::this_thread::yield();
    }

    int ends_[2] = {-1, -1};

private:
    std::mutex mutex_;
    std::string expected_ = "stuck";
    std::vector<stall_report> all_;
};
RONDO_ON_EACH_BACKEND(Watchdog);

[[gnu::noinline]] void read_in_the_way(int fd) {
    char token = 0;
    while (::read(fd, &token, 1) != 1) {}
}
coro<> innermost_part(int fd) {
    read_in_the_way(fd);
    co_return;
}
bool mentions(const std::vector<std::string>& lines, std::string_view what) {
    return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

TEST_P(Watchdog, TellsDuringTheStallWhichTaskRunsItsStacksAndItsSystemCall) {
    loop().set_watchdog(true);
    EXPECT_TRUE(loop().watchdog());
    stall_report found;
    std::uint64_t id = 0;
    unsigned made_at = 0;
    unsigned awaits_at = 0;
    run([&]() -> coro<> {
        for (int attempt = 0; attempt < 100 && found.system_call != "read"; ++attempt) {
            made_at = std::source_location::current().line() + 1;
            auto t = create_task({.name = "stuck"}, [&]() -> coro<> {
                co_await yield();
                awaits_at = std::source_location::current().line() + 1;
                co_await innermost_part(ends_[0]);
            });
            id = t.id();
            co_await t;
            found = told_of("stuck").back();
        }
    });
    EXPECT_EQ(found.system_call, "read");
    EXPECT_GE(found.lasting, 20ms);
    EXPECT_EQ(found.task_id, id);
    ASSERT_TRUE(found.created_at);
    EXPECT_TRUE(std::string_view(found.created_at->file_name()).ends_with("watchdog_test.cpp"));
    EXPECT_EQ(found.created_at->line(), made_at);
    ASSERT_EQ(found.async_stack.size(), 2U);
    EXPECT_NE(found.async_stack[0].function.find("innermost_part"), std::string::npos);
    EXPECT_EQ(found.async_stack[1].where.line(), awaits_at);
    EXPECT_TRUE(mentions(found.native_stack, "read_in_the_way(int)+0x")) << to_string(found);
    EXPECT_TRUE(mentions(found.native_stack, "rondo::event_loop::")) << to_string(found);
    EXPECT_TRUE(mentions(found.native_stack, " in ") && mentions(found.native_stack, " (+0x"));
}

TEST_P(Watchdog, TellsOfAStallOnceAndOfTheNextOneAgain) {
    loop().set_watchdog(true);
    const auto get_stuck = [&]() -> coro<> {
        read_in_the_way(ends_[0]);
        let_it_look(8); // twice the time that makes a stall
        co_return;
    };
    run([&]() -> coro<> {
        co_await create_task({.name = "stuck"}, get_stuck);
        EXPECT_EQ(told_of("stuck").size(), 1U);
        co_await create_task({.name = "stuck"}, get_stuck);
        EXPECT_EQ(told_of("stuck").size(), 2U);
    });
}

TEST_P(Watchdog, ACallbackHasNoTask) {
    loop().set_watchdog(true);
    expect("");
    loop().call_soon([&] { read_in_the_way(ends_[0]); });
    run_passes(1);
    const std::vector<stall_report> all = told();
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back().task_id, 0U);
    EXPECT_FALSE(all.back().created_at);
    EXPECT_TRUE(all.back().async_stack.empty());
}

TEST_P(Watchdog, ALoopThatSleepsOrDoesNotRunIsNotStuck) {
    loop().set_watchdog(true);
    let_it_look(12);
    std::thread waker;
    run([&]() -> coro<> {
        auto woken = create_future<>();
        waker = std::thread([&] {
            let_it_look(12);
            loop().call_soon_threadsafe([&] { woken.set_result(); });
        });
        co_await woken;
    });
    waker.join();
    let_it_look(12);
    for (const stall_report& stall : told()) // of a slow pass, if any
        EXPECT_TRUE(stall.task_id != 0 || stall.system_call.empty()) << to_string(stall);
}

TEST_P(Watchdog, WhereTheProgramHasTheSignalForItselfOnlyTheSystemCallIsTold) {
    struct ::sigaction own{};
    struct ::sigaction before{};
    own.sa_handler = [](int) {};
    own.sa_flags = SA_RESTART;
    ::sigaction(SIGURG, &own, &before);
    loop().set_watchdog(true);
    expect("");
    std::vector<stall_report> in_reading;
    for (int attempt = 0; attempt < 100 && in_reading.empty(); ++attempt) {
        loop().call_soon([&] { read_in_the_way(ends_[0]); });
        run_passes(1);
        in_reading = told();
        std::erase_if(in_reading, [](const stall_report& stall) { return stall.system_call != "read"; });
    }
    ASSERT_FALSE(in_reading.empty());
    EXPECT_TRUE(in_reading[0].native_stack.empty());
    struct ::sigaction after{};
    ::sigaction(SIGURG, &before, &after);
    EXPECT_EQ(after.sa_handler, own.sa_handler);
}

TEST_P(Watchdog, OnSigquitAllTasksAreWrittenOfALoopThatIsStuckAndOfOneThatSleeps) {
    loop().set_watchdog(true);
    const auto quit = [&] {
        testing::internal::CaptureStderr();
        ::raise(SIGQUIT);
        let_it_look(3);
        return testing::internal::GetCapturedStderr();
    };
    const pid_t loops_thread = ::gettid();
    std::string stuck;
    std::string asleep;
    unsigned waits_at = 0;
    std::thread looking;
    run([&]() -> coro<> {
        auto waiting = create_task({.name = "waiting"}, [&]() -> coro<> {
            waits_at = std::source_location::current().line() + 1;
            co_await sleep_forever();
        });
        co_await yield();
        stuck = quit();
        auto over = create_future<>();
        looking = std::thread([&] {
            test::wait_until_blocked(loops_thread);
            asleep = quit();
            loop().call_soon_threadsafe([&] { over.set_result(); });
        });
        co_await over;
        waiting.cancel();
        static_cast<void>(co_await as_result(waiting));
    });
    looking.join();
    for (const std::string& text : {stuck, asleep}) {
        EXPECT_NE(text.find("SIGQUIT: an event loop with 2 tasks"), std::string::npos) << text;
        EXPECT_NE(text.find("task 'waiting' (made at "), std::string::npos) << text;
        EXPECT_NE(text.find("watchdog_test.cpp:" + std::to_string(waits_at) + " in "), std::string::npos) << text;
    }
    EXPECT_NE(stuck.find(" runs\n"), std::string::npos) << stuck;
    EXPECT_EQ(asleep.find(" runs\n"), std::string::npos) << asleep;
    loop().set_watchdog(false);
    struct ::sigaction after{};
    ::sigaction(SIGQUIT, nullptr, &after);
    EXPECT_EQ(after.sa_handler, SIG_DFL);
}

// region stall
/// Every stall of the loop goes to the log, while it lasts.
void watch(event_loop& loop, std::function<void(const std::string&)> log) {
    loop.set_stall_handler([log = std::move(log)](const stall_report& stall) { log(to_string(stall)); });
    loop.set_slow_callback_duration(250ms);
    loop.set_watchdog(true);
}
// endregion

TEST_P(Watchdog, MayWriteToALog) {
    std::mutex mutex;
    std::string logged;
    watch(loop(), [&](const std::string& line) {
        const std::lock_guard<std::mutex> hold(mutex);
        logged += line;
    });
    loop().set_slow_callback_duration(20ms);
    loop().call_soon([&] {
        for (bool done = false; !done; std::this_thread::yield()) {
            const std::lock_guard<std::mutex> hold(mutex);
            done = !logged.empty();
        }
    });
    run_passes(1);
    const std::lock_guard<std::mutex> hold(mutex);
    EXPECT_TRUE(logged.starts_with("the event loop has not come round for ")) << logged;
}

TEST_P(Watchdog, IsOffUntilItIsAskedForAndMayBeSwitched) {
    EXPECT_FALSE(loop().watchdog());
    loop().set_watchdog(true);
    loop().set_watchdog(true);
    EXPECT_TRUE(loop().watchdog());
    let_it_look(1);
    loop().set_watchdog(false);
    EXPECT_FALSE(loop().watchdog());
    run([]() -> coro<> { co_await yield(); });
    loop().set_watchdog(true);
    let_it_look(1);
}

TEST_P(Watchdog, ComesWithTheOptionsOrTheEnvironment) {
    EXPECT_TRUE(event_loop(loop_options{.backend = GetParam(), .watchdog = true}).watchdog());
    ::setenv("RONDO_WATCHDOG", "1", 1);
    EXPECT_TRUE(event_loop(loop_options{.backend = GetParam()}).watchdog());
    EXPECT_FALSE(event_loop(loop_options{.backend = GetParam(), .watchdog = false}).watchdog());
    ::setenv("RONDO_WATCHDOG", "0", 1);
    EXPECT_FALSE(event_loop(loop_options{.backend = GetParam()}).watchdog());
    ::unsetenv("RONDO_WATCHDOG");
    EXPECT_FALSE(event_loop(loop_options{.backend = GetParam()}).watchdog());
    run_options on;
    on.watchdog = true;
    rondo::run(std::move(on), []() -> coro<> {
        EXPECT_TRUE(running_loop().watchdog());
        co_return;
    });
}

TEST_P(Watchdog, AHandlerThatThrowsOrIsTakenAwayDoesNoHarm) {
    loop().set_watchdog(true);
    const auto stuck_until_told_on_stderr = [&] {
        testing::internal::CaptureStderr();
        loop().call_soon([&] { let_it_look(10); });
        run_passes(1);
        return testing::internal::GetCapturedStderr();
    };
    loop().set_stall_handler([](const stall_report&) { throw value_error("no"); });
    EXPECT_NE(stuck_until_told_on_stderr().find("the stall handler itself failed"), std::string::npos);
    loop().set_stall_handler(nullptr);
    EXPECT_NE(stuck_until_told_on_stderr().find("rondo: the event loop has not come round for "), std::string::npos);
}

TEST(StallReport, AsTextNamesTheTaskItsPlaceAndTheStacks) {
    const auto here = std::source_location::current();
    const std::string line = std::to_string(here.line());
    const stall_report stall{.lasting = 104ms,
                             .task_id = 7,
                             .task_name = "worker",
                             .created_at = here,
                             .async_stack = {{here, "coro<> work()"}},
                             .native_stack = {"read+0x1c in libc.so.6 (+0x1234)"},
                             .system_call = "read"};
    const std::string file = here.file_name();
    EXPECT_EQ(to_string(stall), "the event loop has not come round for 104 ms: task 'worker' runs (made at " + file +
                                    ":" + line + "), in read\n    at " + file + ":" + line +
                                    " in coro<> work()\n  native stack:\n    read+0x1c in libc.so.6 (+0x1234)");
    EXPECT_EQ(to_string(stall_report{.lasting = 1s}), "the event loop has not come round for 1000 ms");
}

} // namespace
} // namespace rondo
