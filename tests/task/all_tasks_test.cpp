// all_tasks() of a loop that runs in another thread.
#include "support/blocked_thread.hpp"
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/errors.hpp>
#include <rondo/task/to_thread.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class AllTasks : public test::loop_test {
protected:
    /// The pictures, and not the thread that was given to them.
    static const any_task* named(const std::vector<any_task>& all, const std::string& name) {
        const auto found = std::ranges::find(all, name, [](const any_task& t) { return t.name(); });
        return found == all.end() ? nullptr : &*found;
    }
    /// Runs fn in a thread while the loop runs, and the loop until it has ended.
    template <class F> void beside_the_loop(F fn) {
        run([&]() -> coro<> { co_await to_thread(std::move(fn)); });
    }
};
RONDO_ON_EACH_BACKEND(AllTasks);

coro<> inner() { co_await sleep_forever(); }
coro<> outer() { co_await inner(); }

TEST_P(AllTasks, FromAnotherThreadArePicturesWithNamesIdsAndPlaces) {
    auto real = loop().create_task({.name = "worker"}, outer);
    auto unnamed = loop().create_task(outer);
    const std::uint64_t id = real.id();
    const std::string default_name = "Task-" + std::to_string(unnamed.id());
    const auto created = real.created_at().line();
    beside_the_loop([&] {
        const std::vector<any_task> all = all_tasks(loop());
        EXPECT_EQ(all.size(), 3U);
        EXPECT_EQ(all.at(0).name(), "worker");
        const any_task& t = all.at(0);
        EXPECT_EQ(t.id(), id);
        EXPECT_FALSE(t.done());
        EXPECT_EQ(t.cancelling(), 0);
        EXPECT_EQ(t.created_at().line(), created);
        EXPECT_EQ(all.at(1).name(), default_name);
        const std::vector<stack_entry> stack = t.async_stack();
        ASSERT_EQ(stack.size(), 2U);
        EXPECT_NE(stack.at(0).function.find("inner"), std::string::npos);
        EXPECT_NE(stack.at(1).function.find("outer"), std::string::npos);
        EXPECT_EQ(stack.at(1).where.line(), stack.at(0).where.line() + 1);
        EXPECT_THROW(t.exception(), invalid_state_error);
    });
    EXPECT_FALSE(real.done());
}

TEST_P(AllTasks, APictureStaysWhenTheTaskHasEndedAndTheLoopToo) {
    std::vector<any_task> kept;
    auto real = loop().create_task({.name = "worker"}, outer);
    beside_the_loop([&] { kept = all_tasks(loop()); });
    end_loop();
    EXPECT_TRUE(real.cancelled());
    ASSERT_NE(named(kept, "worker"), nullptr);
    EXPECT_FALSE(named(kept, "worker")->done()) << "it shows a moment";
    EXPECT_EQ(named(kept, "worker")->async_stack().size(), 2U);
    EXPECT_FALSE(named(kept, "worker")->record().done());
    EXPECT_FALSE(any_task(*named(kept, "worker")).cancel()) << "there is nobody to pass it on to";
}

TEST_P(AllTasks, CancellingAPictureIsPassedOnToTheTask) {
    auto real = loop().create_task({.name = "worker"}, outer);
    std::string message;
    real.add_done_callback([&](const task<>& t) {
        try {
            t.result();
        } catch (const cancelled_error& e) {
            message = e.message();
        }
    });
    beside_the_loop([&] {
        std::vector<any_task> all = all_tasks(loop());
        EXPECT_TRUE(any_task(*named(all, "worker")).cancel("from outside"));
    });
    run([&]() -> coro<> { static_cast<void>(co_await as_result(real)); });
    run_passes(1);
    EXPECT_TRUE(real.cancelled());
    EXPECT_EQ(message, "from outside");
}

TEST_P(AllTasks, WakesALoopThatSleeps) {
    std::atomic<pid_t> loops_thread{0};
    std::thread other([&] {
        while (loops_thread.load() == 0) std::this_thread::yield();
        test::wait_until_blocked(loops_thread.load());
        EXPECT_EQ(all_tasks(loop()).size(), 1U);
        loop().call_soon_threadsafe([&] { loop().stop(); });
    });
    auto t = loop().create_task(outer);
    loop().call_soon([&] { loops_thread.store(::gettid()); });
    loop().run_forever();
    other.join();
    t.cancel();
}

TEST_P(AllTasks, OfALoopThatDoesNotComeRoundAreATimeoutError) {
    std::binary_semaphore stuck{0};
    std::binary_semaphore go_on{0};
    std::thread other([&] {
        stuck.acquire();
        EXPECT_THROW(static_cast<void>(all_tasks(loop(), 1ms)), timeout_error);
        go_on.release();
    });
    run([&]() -> coro<> {
        stuck.release();
        go_on.acquire(); // a callback that blocks
        co_return;
    });
    other.join();
}

TEST_P(AllTasks, WhoWaitsIsServedWhenTheRunEnds) {
    std::binary_semaphore running{0};
    std::atomic<pid_t> asking{0};
    std::size_t count = 0;
    std::thread other([&] {
        running.acquire();
        asking.store(::gettid());
        count = all_tasks(loop()).size();
    });
    auto t = loop().create_task([&]() -> coro<> {
        running.release();
        while (asking.load() == 0) std::this_thread::yield();
        test::wait_until_blocked(asking.load());
        loop().stop();
        co_await sleep_forever();
    });
    loop().run_forever();
    other.join(); // no pass of the loop comes any more
    EXPECT_EQ(count, 1U);
    t.cancel();
}

TEST_P(AllTasks, WhoWaitsForAClosedLoopSeesNothing) {
    std::binary_semaphore closing{0};
    std::atomic<pid_t> asking{0};
    std::size_t count = 99;
    std::thread other([&] {
        closing.acquire();
        asking.store(::gettid());
        count = all_tasks(loop()).size();
    });
    struct blocker {
        std::function<void()> at_end;
        ~blocker() { at_end(); }
    };
    detail::loop_access::state(loop()).patience = 0ms;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            const blocker last{[&] { // its frame is destroyed by close(), which makes no pass any more
                closing.release();
                while (asking.load() == 0) std::this_thread::yield();
                test::wait_until_blocked(asking.load());
            }};
            for (;;) static_cast<void>(co_await as_result(sleep_forever()));
        });
        co_await yield();
    });
    loop().close();
    other.join();
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(reports.take().size(), 1U);
    EXPECT_TRUE(all_tasks(loop()).empty());
}

TEST_P(AllTasks, WhereTheLoopIsAtHomeAreTheTasksThemselves) {
    auto real = loop().create_task(outer);
    EXPECT_TRUE(all_tasks(loop()).at(0) == real);
    run([&]() -> coro<> {
        EXPECT_TRUE(all_tasks(loop()).at(0) == real);
        co_return;
    });
    std::thread([&] { loop().run_once(0ms); }).join();
    EXPECT_TRUE(all_tasks(loop()).at(0) == real) << "the thread that ran it last has ended: it is whose it likes";
}

TEST_P(AllTasks, OfALoopThatDoesNotRunYetAreWaitedFor) {
    std::atomic<pid_t> asking{0};
    std::vector<any_task> seen;
    std::thread other([&] {
        asking.store(::gettid());
        seen = all_tasks(loop());
    });
    while (asking.load() == 0) std::this_thread::yield();
    test::wait_until_blocked(asking.load());
    auto t = loop().create_task({.name = "made meanwhile"}, outer);
    loop().run_once(0ms);
    other.join();
    EXPECT_NE(named(seen, "made meanwhile"), nullptr);
    EXPECT_FALSE(seen.at(0) == t);
}

TEST_P(AllTasks, InAThreadWhoseLoopWouldBeBlockedAreARuntimeError) {
    std::binary_semaphore running{0};
    std::thread other([&] {
        auto second = test::make_loop(GetParam());
        running.acquire();
        second->run_until_complete([&]() -> coro<> {
            EXPECT_THROW(static_cast<void>(all_tasks(loop())), runtime_error);
            EXPECT_EQ((co_await to_thread([&] { return all_tasks(loop()).size(); })), 1U);
        }());
        loop().call_soon_threadsafe([&] { loop().stop(); });
    });
    auto t = loop().create_task(outer);
    loop().call_soon([&] { running.release(); });
    loop().run_forever();
    other.join();
    t.cancel();
}

TEST_P(AllTasks, DefaultNamesAreUniqueInTheProcessAndRiseInEachThread) {
    constexpr int threads = 4;
    constexpr int tasks = 1500; // more than a thread takes at a time
    std::vector<std::vector<std::uint64_t>> numbers(threads);
    std::vector<std::thread> workers;
    for (auto& own : numbers) {
        workers.emplace_back([&own, kind = GetParam()] {
            auto loop = test::make_loop(kind);
            loop->run_until_complete([](std::vector<std::uint64_t>& into) -> coro<> {
                for (int i = 0; i < tasks; ++i) {
                    auto t = create_task([]() -> coro<> { co_return; });
                    EXPECT_EQ(t.name(), "Task-" + std::to_string(t.id()));
                    into.push_back(t.id());
                    co_await t;
                }
            }(own));
        });
    }
    for (std::thread& worker : workers) worker.join();
    std::set<std::uint64_t> all;
    for (const auto& own : numbers) {
        EXPECT_TRUE(std::ranges::is_sorted(own));
        all.insert(own.begin(), own.end());
    }
    EXPECT_EQ(all.size(), static_cast<std::size_t>(threads * tasks));
}

TEST_P(AllTasks, ManyThreadsMayAskWhileTasksComeAndGo) {
    std::vector<std::thread> threads;
    std::atomic<int> asked{0};
    std::atomic<bool> over{false};
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            while (!over.load()) {
                for (const any_task& t : all_tasks(loop())) EXPECT_FALSE(t.name().empty());
                ++asked;
            }
        });
    }
    run([&]() -> coro<> {
        while (asked.load() < 30) co_await create_task([]() -> coro<> { co_await yield(); });
        over.store(true);
        co_await to_thread([&] { // who asks now needs a loop that still runs
            for (std::thread& t : threads) t.join();
        });
    });
}

} // namespace
} // namespace rondo
