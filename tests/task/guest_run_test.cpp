// guest_run(): a coroutine inside a host loop that has nothing but a function which other threads may call.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/guest_run.hpp>
#include <rondo/task/run.hpp>
#include <rondo/task/to_thread.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;

/// A main loop.
class host {
public:
    void post(std::function<void()> fn) {
        const std::lock_guard<std::mutex> hold(mutex_);
        queue_.push_back(std::move(fn));
        changed_.notify_one();
    }
    void run() {
        for (over_ = false; !over_;) next()();
    }
    void quit() { over_ = true; }
    int events = 0;

private:
    std::function<void()> next() {
        ++events;
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return !queue_.empty(); });
        std::function<void()> fn = std::move(queue_.front());
        queue_.pop_front();
        return fn;
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    bool over_ = false;
};

class GuestRun : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        if (!test::make_loop(GetParam())) GTEST_SKIP() << "this kernel has no io_uring";
    }
    template <class T> guest_options<T> options(std::optional<result<T>>* outcome = nullptr) {
        return {.run_in_host = [this](std::function<void()> fn) { here.post(std::move(fn)); },
                .done =
                    [this, outcome](result<T> r) {
                        EXPECT_EQ(running_loop_or_null(), nullptr);
                        if (outcome) outcome->emplace(std::move(r));
                        here.quit();
                    },
                .loop_factory = [] { return test::make_loop(GetParam()); }};
    }
    host here;
};
RONDO_ON_EACH_BACKEND(GuestRun);

TEST_P(GuestRun, RunsMainInTheHostsThreadAndGivesItsValue) {
    std::optional<result<int>> outcome;
    const auto thread = std::this_thread::get_id();
    bool begun = false;
    const guest g = guest_run(
        [&]() -> coro<int> {
            begun = true;
            EXPECT_EQ(std::this_thread::get_id(), thread);
            co_await sleep(1ms);
            co_await yield();
            const int n = co_await to_thread([] { return 20; });
            EXPECT_EQ(std::this_thread::get_id(), thread);
            co_return n + 1;
        },
        options<int>(&outcome));
    EXPECT_FALSE(begun) << "the first step is made from the host";
    EXPECT_FALSE(g.done());
    here.run();
    EXPECT_EQ(outcome->value(), 21);
    EXPECT_TRUE(g.done());
    EXPECT_TRUE(g.loop().is_closed());
    EXPECT_FALSE(g.cancel());
}

TEST_P(GuestRun, HostAndGuestTakeTurns) {
    std::string order;
    const guest g = guest_run(
        [&]() -> coro<> {
            for (int i = 0; i < 3; ++i) {
                order.push_back('g');
                here.post([&] { order.push_back('h'); });
                co_await yield();
            }
        },
        options<void>());
    here.run();
    EXPECT_EQ(order, "ghghgh");
}

TEST_P(GuestRun, AHostThatSleepsIsNotWokenForNothing) {
    const guest g = guest_run([&]() -> coro<> { co_await sleep(3ms); }, options<void>());
    here.run();
    EXPECT_LE(here.events, 8) << "some passes at the beginning and at the end, none while the guest waits";
}

TEST_P(GuestRun, GivesTheErrorOfMain) {
    std::optional<result<void>> outcome;
    const guest g = guest_run(
        []() -> coro<> {
            co_await yield();
            throw std::out_of_range("no");
        },
        options<void>(&outcome));
    here.run();
    EXPECT_TRUE(outcome->holds<std::out_of_range>());
}

TEST_P(GuestRun, TheHostMayCancelIt) {
    std::optional<result<void>> outcome;
    bool cleaned = false;
    const guest g = guest_run(
        [&]() -> coro<> {
            const auto r = co_await as_result(sleep_forever());
            co_await sleep(1ms); // the host goes on meanwhile
            cleaned = true;
            r.value();
        },
        options<void>(&outcome));
    here.post([&] { here.post([&] { EXPECT_TRUE(g.cancel("that is all")); }); });
    here.run();
    EXPECT_TRUE(outcome->cancelled());
    EXPECT_TRUE(cleaned);
}

TEST_P(GuestRun, WhatMainLeavesBehindIsCancelledAndAwaitedWhileTheHostGoesOn) {
    std::vector<std::string> steps;
    std::atomic<bool> in_thread{false};
    std::atomic<bool> let_go{false};
    bool thread_ended = false;
    const guest g = guest_run(
        [&]() -> coro<> {
            spawn([&]() -> coro<> {
                const auto r = co_await as_result(sleep_forever());
                here.post([&] { steps.emplace_back("host"); });
                co_await sleep(2ms);
                steps.emplace_back("cleaned up");
                let_go.store(true);
                r.value();
            });
            spawn([&]() -> coro<> {
                co_await to_thread([&] { // runs on when this task is cancelled
                    in_thread.store(true);
                    while (!let_go.load()) std::this_thread::yield();
                    thread_ended = true;
                });
            });
            while (!in_thread.load()) co_await yield();
        },
        options<void>());
    here.run();
    EXPECT_EQ(steps, (std::vector<std::string>{"host", "cleaned up"}));
    EXPECT_TRUE(thread_ended);
}

TEST_P(GuestRun, AnExitRequestOfATaskEndsItAndIsTheOutcome) {
    std::optional<result<void>> outcome;
    bool main_cancelled = false;
    const guest g = guest_run(
        [&]() -> coro<> {
            spawn([]() -> coro<> {
                co_await yield();
                throw system_exit(4);
            });
            const auto r = co_await as_result(sleep_forever());
            main_cancelled = r.cancelled();
            r.value();
        },
        options<void>(&outcome));
    here.run();
    EXPECT_TRUE(main_cancelled);
    EXPECT_TRUE(outcome->holds<system_exit>());
}

TEST_P(GuestRun, DestroyedBeforeItIsDoneItIsCancelledAndAwaitedThereAndThen) {
    bool cleaned = false;
    bool told = false;
    auto o = options<void>();
    o.done = [&](result<void>) { told = true; };
    {
        const guest g = guest_run(
            [&]() -> coro<> {
                const auto r = co_await as_result(sleep_forever());
                co_await sleep(1ms);
                cleaned = true;
                r.value();
            },
            std::move(o));
        here.post([&] { here.quit(); });
        here.run();
    }
    EXPECT_TRUE(cleaned);
    EXPECT_FALSE(told);
    here.post([&] { here.quit(); });
    here.run(); // what it had posted finds nobody
}

TEST_P(GuestRun, ItsOwnTaskMayDestroyIt) {
    std::optional<guest> g;
    bool cleaned = false;
    g.emplace(guest_run(
        [&]() -> coro<> {
            g.reset();
            here.post([&] { here.quit(); });
            const auto r = co_await as_result(sleep_forever());
            cleaned = r.cancelled();
            r.value();
        },
        options<void>()));
    here.run();
    EXPECT_TRUE(cleaned);
}

TEST_P(GuestRun, DoneMayDestroyIt) {
    std::optional<guest> g;
    auto o = options<void>();
    o.done = [&](result<void>) {
        g.reset();
        here.quit();
    };
    g.emplace(guest_run([]() -> coro<> { co_await yield(); }, std::move(o)));
    here.run();
    EXPECT_FALSE(g.has_value());
}

TEST_P(GuestRun, TwoGuestsShareAHost) {
    int sum = 0;
    int running = 2;
    const auto start = [&](int n) {
        auto o = options<int>();
        o.done = [&](result<int> r) {
            sum += r.value();
            if (--running == 0) here.quit();
        };
        return guest_run(
            [n]() -> coro<int> {
                co_await sleep(1ms);
                co_return n;
            },
            std::move(o));
    };
    const guest a = start(1);
    const guest b = start(2);
    here.run();
    EXPECT_EQ(sum, 3);
}

TEST_P(GuestRun, RefusesALoopThatRunsHereAndAHostThatCannotBeReached) {
    EXPECT_THROW(static_cast<void>(guest_run([]() -> coro<> { co_return; }, {})), value_error);
    rondo::run([&]() -> coro<> {
        EXPECT_THROW(static_cast<void>(guest_run([]() -> coro<> { co_return; }, options<void>())), runtime_error);
        co_return;
    });
}

} // namespace
} // namespace rondo
