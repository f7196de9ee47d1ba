// run_sharded(): one loop per thread, and what they say to each other.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/run_sharded.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class RunSharded : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        if (!test::make_loop(GetParam())) GTEST_SKIP() << "this kernel has no io_uring";
    }
    static sharded_options options() {
        return {.loop_factory = [] { return test::make_loop(GetParam()); }, .handle_sigint = false};
    }
    /// A place where shard 0's tasks and those of others meet.
    struct meeting {
        explicit meeting(std::size_t n) : left(n) {}
        std::atomic<std::size_t> left;
    };
    /// Suspends until all shards have come here.
    static coro<> meet(meeting& m) {
        --m.left;
        while (m.left.load() != 0) co_await yield();
    }
};
RONDO_ON_EACH_BACKEND(RunSharded);

TEST_P(RunSharded, RunsMainInAThreadAndLoopOfItsOwnAndGivesTheValuesInOrder) {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::set<const event_loop*> loops;
    const std::vector<std::size_t> values = run_sharded(
        4,
        [&](shard& self) -> coro<std::size_t> {
            EXPECT_EQ(self.count(), 4U);
            EXPECT_EQ(&self.loop(), &running_loop());
            EXPECT_EQ(&this_shard(), &self);
            EXPECT_EQ(current_task().name(), "shard " + std::to_string(self.index()));
            co_await yield();
            const std::lock_guard<std::mutex> hold(mutex);
            threads.insert(std::this_thread::get_id());
            loops.insert(&running_loop());
            co_return 10 * self.index();
        },
        options());
    EXPECT_EQ(values, (std::vector<std::size_t>{0, 10, 20, 30}));
    EXPECT_EQ(threads.size(), 4U);
    EXPECT_TRUE(threads.contains(std::this_thread::get_id())) << "shard 0 runs here";
    EXPECT_EQ(loops.size(), 4U);
    EXPECT_THROW(this_shard(), runtime_error);
}

TEST_P(RunSharded, EachHasACopyOfMainWhichMayTakeNoShardAndGiveNothing) {
    std::atomic<int> ran{0};
    auto state = std::make_shared<int>(0);
    static_assert(std::is_void_v<decltype(run_sharded(1, [state]() -> coro<> { co_return; }))>);
    run_sharded(
        3,
        [&ran, own = 0]() mutable -> coro<> {
            EXPECT_EQ(++own, 1);
            co_await yield();
            EXPECT_EQ(own, 1);
            ++ran;
        },
        options());
    EXPECT_EQ(ran.load(), 3);
    const auto moved =
        run_sharded(2, []() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }, options());
    EXPECT_EQ(*moved.at(1), 7);
}

TEST_P(RunSharded, PostCallsInTheOtherThreadInOrder) {
    run_sharded(
        2,
        [](shard& self) -> coro<> {
            if (self.index() == 0) co_return;
            std::vector<int> order;
            auto arrived = create_future<>();
            co_await self.peer(1).call([] {}); // itself, too
            const auto here = std::this_thread::get_id();
            for (int i = 0; i < 100; ++i) {
                EXPECT_TRUE(self.post([&order, i, here] {
                    EXPECT_EQ(std::this_thread::get_id(), here);
                    order.push_back(i);
                }));
            }
            self.post([arrived]() mutable -> coro<> { // a coroutine runs as a task
                co_await yield();
                arrived.set_result();
            });
            co_await arrived;
            EXPECT_EQ(order.size(), 100U);
            for (int i = 0; i < 100; ++i) EXPECT_EQ(order.at(static_cast<std::size_t>(i)), i);
        },
        options());
}

TEST_P(RunSharded, CallGivesTheValueOfAFunctionOrCoroutineOfAnother) {
    meeting all(3);
    const auto sums = run_sharded(
        3,
        [&](shard& self) -> coro<std::size_t> {
            shard& next = self.peer((self.index() + 1) % 3);
            const auto there = co_await next.call([] { return std::this_thread::get_id(); });
            EXPECT_NE(there, std::this_thread::get_id());
            EXPECT_EQ(co_await next.call([](shard* s) { return &this_shard() == s; }, &next), true);
            const std::string text = co_await next.call(
                [](std::string a, int n) -> coro<std::string> {
                    co_await yield();
                    co_return a + std::to_string(n);
                },
                "x", 3);
            EXPECT_EQ(text, "x3");
            auto only_moved = co_await next.call([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(5));
            EXPECT_EQ(*only_moved, 5);
            co_await next.call([]() -> coro<> { co_return; });
            const auto [a, b] =
                co_await gather(next.call([] { return this_shard().index(); }),
                                self.call([]() -> coro<std::size_t> { co_return this_shard().index(); }));
            co_await meet(all); // a shard that has ended takes no calls
            co_return a + 10 * b;
        },
        options());
    EXPECT_EQ(sums, (std::vector<std::size_t>{1, 12, 20}));
}

TEST_P(RunSharded, AnErrorOfACallIsThrownHereAndOfAPostToldToItsLoop) {
    meeting all(2);
    run_sharded(
        2,
        [&](shard& self) -> coro<> {
            if (self.index() == 1) {
                test::reports told;
                told.listen(self.loop());
                co_await meet(all);
                while (told.count() == 0) co_await yield();
                EXPECT_TRUE(told.take().at(0).holds<std::out_of_range>());
                self.loop().set_exception_handler(nullptr);
                co_return;
            }
            co_await meet(all);
            shard& other = self.peer(1);
            const auto plain = co_await as_result(other.call([]() -> int { throw value_error("plain"); }));
            EXPECT_TRUE(plain.holds<value_error>());
            const auto async = co_await as_result(other.call([]() -> coro<int> {
                co_await yield();
                throw value_error("async");
            }));
            EXPECT_TRUE(async.holds<value_error>());
            EXPECT_THROW(self.peer(2), lookup_error);
            other.post([] { throw std::out_of_range("posted"); });
        },
        options());
}

TEST_P(RunSharded, ACancellationIsCarriedOverAndWaitedFor) {
    meeting over(2);
    run_sharded(
        2,
        [&](shard& self) -> coro<> {
            if (self.index() == 1) {
                co_await meet(over);
                co_return;
            }
            shard& other = self.peer(1);
            auto cleaned = std::make_shared<std::atomic<bool>>(false);
            auto begun = std::make_shared<std::atomic<bool>>(false);
            auto t = create_task([&]() -> coro<> {
                co_await other.call([cleaned, begun]() -> coro<> {
                    begun->store(true);
                    const auto r = co_await as_result(sleep_forever());
                    EXPECT_TRUE(r.cancelled());
                    for (int i = 0; i < 5; ++i) co_await yield();
                    cleaned->store(true);
                    r.value();
                });
            });
            while (!begun->load()) co_await yield();
            t.cancel("enough");
            const auto r = co_await as_result(t);
            EXPECT_TRUE(r.cancelled());
            EXPECT_TRUE(cleaned->load()) << "it had ended over there";

            // A scope does the same.
            EXPECT_FALSE(co_await move_on_after(1ms, other.call([]() -> coro<int> {
                co_await sleep_forever();
                co_return 1;
            })));

            // Swallowed over there: the value counts, and nobody is cancelled.
            auto stubborn = create_task([&]() -> coro<int> {
                const int v = co_await other.call([begun]() -> coro<int> {
                    begun->store(true);
                    static_cast<void>(co_await as_result(sleep_forever()));
                    co_return 6;
                });
                co_await yield();
                co_return v;
            });
            begun->store(false);
            while (!begun->load()) co_await yield();
            stubborn.cancel();
            EXPECT_EQ(co_await stubborn, 6);
            co_await meet(over);
        },
        options());
}

TEST_P(RunSharded, ACancellationThatCrossesTheAnswerComesAtTheNextWait) {
    run_sharded(
        1,
        [](shard& self) -> coro<> {
            bool got_value = false;
            auto t = create_task([&]() -> coro<> {
                EXPECT_EQ(co_await self.call([] { return 3; }),
                          3); // itself: the answer is on its way when it is cancelled
                got_value = true;
                co_await yield();
                ADD_FAILURE() << "the cancellation was lost";
            });
            co_await yield();
            t.cancel();
            EXPECT_TRUE((co_await as_result(t)).cancelled());
            EXPECT_TRUE(got_value);
        },
        options());
}

TEST_P(RunSharded, AShardThatHasEndedTakesNoMore) {
    std::atomic<bool> destroyed{false};
    struct note {
        std::atomic<bool>* at;
        explicit note(std::atomic<bool>* a) : at(a) {}
        note(note&& o) noexcept : at(std::exchange(o.at, nullptr)) {}
        ~note() {
            if (at) at->store(true);
        }
    };
    run_sharded(
        2,
        [&](shard& self) -> coro<> {
            if (self.index() == 1) co_return;
            shard& other = self.peer(1);
            while (other.post([] {})) co_await yield();
            EXPECT_FALSE(other.post([n = note(&destroyed)] { ADD_FAILURE(); }));
            EXPECT_TRUE(destroyed.load());
            const auto r = co_await as_result(other.call([] { return 1; }));
            EXPECT_TRUE(r.holds<runtime_error>());
            const auto c = co_await as_result(other.call([]() -> coro<> { co_return; }));
            EXPECT_TRUE(c.holds<runtime_error>());
        },
        options());
}

TEST_P(RunSharded, AShardThatEndsEndsTheCallsThatItWorksFor) {
    std::atomic<bool> begun{false};
    run_sharded(
        2,
        [&](shard& self) -> coro<> {
            if (self.index() == 1) {
                while (!begun.load()) co_await yield();
                co_return;
            }
            const auto r = co_await as_result(self.peer(1).call([&]() -> coro<> {
                begun.store(true);
                co_await sleep_forever();
            }));
            EXPECT_TRUE(r.holds<runtime_error>()) << "nobody cancelled this task";
            EXPECT_EQ(current_task().cancelling(), 0);
        },
        options());
}

TEST_P(RunSharded, TheFirstFailureCancelsTheOthersAndIsThrownWhenTheyHaveEnded) {
    std::atomic<int> cleaned{0};
    try {
        run_sharded(
            4,
            [&](shard& self) -> coro<int> {
                if (self.index() == 2) {
                    co_await yield();
                    throw std::out_of_range("two");
                }
                const auto r = co_await as_result(sleep_forever());
                EXPECT_TRUE(r.cancelled());
                co_await yield();
                ++cleaned;
                r.value();
                co_return 1;
            },
            options());
        ADD_FAILURE();
    } catch (const std::out_of_range& e) {
        EXPECT_STREQ(e.what(), "two");
    }
    EXPECT_EQ(cleaned.load(), 3);
}

TEST_P(RunSharded, SeveralFailuresAreAGroupInTheOrderOfTheirComing) {
    try {
        run_sharded(
            3,
            [&](shard& self) -> coro<> {
                if (self.index() == 1) throw std::out_of_range("first");
                static_cast<void>(co_await as_result(sleep_forever()));
                if (self.index() == 2) throw value_error("while it was being cancelled");
            },
            options());
        ADD_FAILURE();
    } catch (const exception_group& group) {
        EXPECT_EQ(group.message(), "several shards failed");
        ASSERT_EQ(group.size(), 2U);
        EXPECT_NE(detail::exception_cast<std::out_of_range>(group.exceptions()[0]), nullptr);
        EXPECT_NE(detail::exception_cast<value_error>(group.exceptions()[1]), nullptr);
    }
}

TEST_P(RunSharded, AnExitRequestIsThrownAlone) {
    EXPECT_THROW(run_sharded(
                     3,
                     [&](shard& self) -> coro<> {
                         if (self.index() == 1) throw system_exit(3);
                         static_cast<void>(co_await as_result(sleep_forever()));
                         throw value_error("beside it");
                     },
                     options()),
                 system_exit);
}

TEST_P(RunSharded, AMainThatIsCancelledByItselfHasNoValue) {
    EXPECT_THROW(run_sharded(
                     2,
                     [&](shard& self) -> coro<int> {
                         if (self.index() == 1) throw cancelled_error();
                         co_await sleep_forever();
                         co_return 1;
                     },
                     options()),
                 cancelled_error);
}

TEST_P(RunSharded, NestedUseIsRefused) {
    run_sharded(
        2,
        [&](shard&) -> coro<> {
            EXPECT_THROW(run_sharded(1, []() -> coro<> { co_return; }), runtime_error);
            co_return;
        },
        options());
    rondo::run([]() -> coro<> {
        EXPECT_THROW(run_sharded(1, []() -> coro<> { co_return; }), runtime_error);
        co_return;
    });
}

TEST_P(RunSharded, PinsEachThreadToAProcessorAndLetsTheCallersGoAgain) {
    const auto processors = [] {
        ::cpu_set_t set;
        CPU_ZERO(&set);
        EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
        return set;
    };
    const ::cpu_set_t before = processors();
    auto pinned = options();
    pinned.pin_threads = true;
    const auto used = run_sharded(
        2,
        [&](shard&) -> coro<int> {
            ::cpu_set_t set = processors();
            EXPECT_EQ(CPU_COUNT(&set), 1);
            int first = 0;
            while (!CPU_ISSET(static_cast<std::size_t>(first), &set)) ++first;
            co_return first;
        },
        pinned);
    const ::cpu_set_t after = processors();
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
    if (CPU_COUNT(&before) > 1) EXPECT_NE(used.at(0), used.at(1));
}

TEST_P(RunSharded, NoneIsOneForEachProcessor) {
    ::cpu_set_t set;
    CPU_ZERO(&set);
    ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    const auto counts = run_sharded(0, [](shard& self) -> coro<std::size_t> { co_return self.count(); }, options());
    EXPECT_EQ(counts.size(), static_cast<std::size_t>(CPU_COUNT(&set)));
}

class RunShardedInterrupt : public RunSharded {
protected:
    void SetUp() override {
        RunSharded::SetUp();
        struct sigaction action{};
        action.sa_handler = SIG_DFL;
        ASSERT_EQ(::sigaction(SIGINT, &action, &before_), 0);
    }
    void TearDown() override { ::sigaction(SIGINT, &before_, nullptr); }
    static sharded_options options() {
        return {.loop_factory = [] { return test::make_loop(GetParam()); }};
    }

private:
    struct sigaction before_{};
};
RONDO_ON_EACH_BACKEND(RunShardedInterrupt);

TEST_P(RunShardedInterrupt, TheFirstCancelsAllMains) {
    std::atomic<int> cancelled{0};
    meeting all(3);
    EXPECT_THROW(run_sharded(
                     3,
                     [&](shard& self) -> coro<> {
                         co_await meet(all);
                         if (self.index() == 2) self.peer(0).post([] { ::raise(SIGINT); });
                         const auto r = co_await as_result(sleep_forever());
                         if (r.cancelled()) ++cancelled;
                         r.value();
                     },
                     options()),
                 keyboard_interrupt);
    EXPECT_EQ(cancelled.load(), 3);
}

TEST_P(RunShardedInterrupt, MainsThatAllSwallowItEndNormally) {
    meeting all(2);
    const auto values = run_sharded(
        2,
        [&](shard& self) -> coro<int> {
            co_await meet(all);
            if (self.index() == 1) self.peer(0).post([] { ::raise(SIGINT); });
            EXPECT_TRUE((co_await as_result(sleep_forever())).cancelled());
            co_return 2;
        },
        options());
    EXPECT_EQ(values, (std::vector<int>{2, 2}));
}

TEST_P(RunShardedInterrupt, IsHeardWhenShardZeroHasEnded) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    GTEST_SKIP() << "TSan puts a signal off until the thread calls what it intercepts, which a sleeping ring does not";
#endif
#endif
    std::atomic<bool> cancelled{false};
    EXPECT_THROW(run_sharded(
                     2,
                     [&](shard& self) -> coro<> {
                         if (self.index() == 0) co_return;
                         while (self.peer(0).post([] {})) co_await yield();
                         struct sigaction now{};
                         do {
                             co_await yield();
                             ::sigaction(SIGINT, nullptr, &now);
                         } while (now.sa_handler == SIG_DFL);
                         ::kill(::getpid(), SIGINT);
                         const auto r = co_await as_result(sleep_forever());
                         cancelled = r.cancelled();
                         r.value();
                     },
                     options()),
                 keyboard_interrupt);
    EXPECT_TRUE(cancelled.load());
}

TEST_P(RunShardedInterrupt, TheSecondComesOutOfEveryLoop) {
    std::atomic<int> heard{0};
    meeting all(2);
    EXPECT_THROW(run_sharded(
                     2,
                     [&](shard& self) -> coro<> {
                         co_await meet(all);
                         if (self.index() == 1) self.peer(0).post([] { ::raise(SIGINT); });
                         static_cast<void>(co_await as_result(sleep_forever()));
                         if (++heard == 2) self.peer(0).post([] { ::raise(SIGINT); });
                         co_await sleep_forever(); // swallowed: only the second one ends it
                     },
                     options()),
                 keyboard_interrupt);
    EXPECT_EQ(heard.load(), 2);
}

} // namespace
} // namespace rondo
