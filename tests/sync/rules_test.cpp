// What everything on this floor promises alike: threads, allocations, the end of the loop.

#include <rondo/sync/barrier.hpp>
#include <rondo/sync/capacity_limiter.hpp>
#include <rondo/sync/channel.hpp>
#include <rondo/sync/condition.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/queue.hpp>
#include <rondo/sync/semaphore.hpp>

#include <rondo/coro/awaitable.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/to_thread.hpp>

#include "support/loop_test.hpp"
#include "support/operator_new.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::coro;
using rondo::create_task;
using rondo::task;
using rondo::test::pass_by;

// `co_await mutex` could mean acquire() or a wait for its release: it is refused. So is a copy.
template <class... P> constexpr bool are_neither_awaitable_nor_copyable =
    ((!rondo::awaitable<P&> && !std::copyable<P>) && ...);
static_assert(are_neither_awaitable_nor_copyable<
              rondo::lock, rondo::event, rondo::condition, rondo::semaphore, rondo::bounded_semaphore, rondo::barrier,
              rondo::capacity_limiter, rondo::queue<int>, rondo::send_channel<int>, rondo::receive_channel<int>>);
static_assert(!std::is_move_constructible_v<rondo::lock> && !std::is_move_constructible_v<rondo::queue<int>>,
              "those who wait know it by its address");

class SyncRules : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(SyncRules);

// ---------------------------------------------------------------------------------------------------------------
// Threads
// ---------------------------------------------------------------------------------------------------------------

/// Calls `misuse` in another thread while a task waits with `wait`, which ends when the test does.
template <class W, class F> coro<> expect_refusal_elsewhere(W wait, F misuse) {
    auto waiting = create_task(std::move(wait));
    co_await pass_by(2);
    EXPECT_FALSE(waiting.done());
    EXPECT_TRUE((co_await as_result(rondo::to_thread(misuse))).template holds<rondo::runtime_error>());
    waiting.cancel();
    EXPECT_TRUE((co_await as_result(waiting)).cancelled());
}

TEST_P(SyncRules, InDebugModeAnotherThreadThanThatOfTheTasksThatWaitIsRefused) {
    if (GetParam() == rondo::test::simulated) GTEST_SKIP() << "a simulated world has one thread";
    loop().set_debug(true);
    run([&]() -> coro<> {
        rondo::lock lock;
        co_await lock.acquire();
        co_await expect_refusal_elsewhere(lock.acquire(), [&] { lock.release(); });

        rondo::event event;
        co_await expect_refusal_elsewhere(event.wait(), [&] { event.set(); });

        rondo::condition condition;
        const auto wait = [](rondo::condition& c) -> coro<> {
            auto held = co_await c.scoped_lock();
            co_await c.wait();
        };
        auto waiting = create_task(wait, std::ref(condition));
        co_await pass_by(2);
        co_await condition.acquire();
        EXPECT_TRUE((co_await as_result(rondo::to_thread([&] { condition.notify(); }))).holds<rondo::runtime_error>());
        condition.notify();
        condition.release();
        co_await waiting;

        rondo::semaphore semaphore(0);
        co_await expect_refusal_elsewhere(semaphore.acquire(), [&] { semaphore.release(); });

        rondo::barrier barrier(2);
        co_await expect_refusal_elsewhere(barrier.wait(),
                                          [&] { rondo::run([&]() -> coro<> { co_await barrier.reset(); }); });

        rondo::capacity_limiter limiter(0);
        co_await expect_refusal_elsewhere(limiter.acquire(), [&] { limiter.set_total_tokens(1); });
        const int job = 0;
        co_await expect_refusal_elsewhere(limiter.acquire(), [&] { limiter.release_on_behalf_of(&job); });

        rondo::queue<int> queue(1);
        co_await expect_refusal_elsewhere(queue.get(), [&] { queue.put_nowait(1); });
        co_await expect_refusal_elsewhere(queue.get(), [&] { queue.shutdown(); });
        queue.put_nowait(1);
        co_await expect_refusal_elsewhere(queue.put(2), [&] { static_cast<void>(queue.get_nowait()); });
        co_await expect_refusal_elsewhere(queue.join(), [&] { queue.task_done(); });
        EXPECT_EQ(queue.qsize(), 1u);

        auto [tx, rx] = rondo::channel<int>(0);
        co_await expect_refusal_elsewhere(rx.receive(), [&] { tx.send_nowait(1); });
        co_await expect_refusal_elsewhere(tx.send(1), [&] { static_cast<void>(rx.receive_nowait()); });
        EXPECT_EQ(rx.statistics().buffered, 0u);
    });
}

// ---------------------------------------------------------------------------------------------------------------
// Allocations. Queues, channels, barriers and limiters have tests of their own.
// ---------------------------------------------------------------------------------------------------------------

/// Runs `rounds(n)` until everything has its size, then counts.
template <class F> coro<> expect_no_allocation(F rounds) {
    co_await rounds(64);
    const auto calls = rondo::test::operator_new_calls();
    const auto refills = rondo::detail::block_refills();
    co_await rounds(500);
    EXPECT_EQ(rondo::test::operator_new_calls(), calls);
    EXPECT_EQ(rondo::detail::block_refills(), refills);
}

TEST_P(SyncRules, ALockThatGoesFromTaskToTaskAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        rondo::lock lock;
        bool over = false;
        const auto rounds = [&](int n) -> coro<> {
            while (n-- > 0) {
                auto held = co_await lock.scoped_lock();
                co_await rondo::yield();
            }
        };
        auto other = create_task([&]() -> coro<> {
            while (!over) co_await rounds(1);
        });
        co_await expect_no_allocation(rounds);
        over = true;
        co_await other;
    });
}

TEST_P(SyncRules, APermitThatGoesFromTaskToTaskAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        rondo::semaphore ping(0);
        rondo::semaphore pong(0);
        bool over = false;
        auto other = create_task([&]() -> coro<> {
            while (!over) {
                co_await ping.acquire();
                pong.release();
            }
        });
        co_await expect_no_allocation([&](int n) -> coro<> {
            while (n-- > 0) {
                ping.release();
                co_await pong.acquire();
            }
        });
        over = true;
        ping.release();
        co_await other;
    });
}

TEST_P(SyncRules, AnEventThatIsSetAndClearedAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        rondo::event event;
        bool over = false;
        std::vector<task<>> waiters;
        for (int i = 0; i < 3; ++i) {
            waiters.push_back(create_task([&]() -> coro<> {
                while (!over) co_await event.wait();
            }));
        }
        co_await expect_no_allocation([&](int n) -> coro<> {
            while (n-- > 0) {
                co_await rondo::yield();
                event.set();
                event.clear();
            }
        });
        over = true;
        co_await rondo::yield();
        event.set();
        for (auto& w : waiters) co_await w;
    });
}

TEST_P(SyncRules, ANotificationAllocatesNothingButAFrameOfTheFreeList) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        rondo::condition changed;
        int turn = 0;
        bool over = false;
        const auto take_turns = [&](int mine, int n) -> coro<> {
            auto held = co_await changed.scoped_lock();
            for (; n > 0 && !over; --n) {
                co_await changed.wait_for([&] { return turn == mine || over; });
                turn = 1 - mine;
                changed.notify();
            }
        };
        auto other = create_task(take_turns, 1, 1 << 20);
        co_await expect_no_allocation([&](int n) -> coro<> { co_await take_turns(0, n); });
        co_await changed.acquire();
        over = true;
        changed.notify_all();
        changed.release();
        co_await other;
    });
}

TEST_P(SyncRules, APriorityQueueInSteadyStateAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        rondo::priority_queue<int> q(8);
        rondo::lifo_queue<int> stack(8);
        co_await expect_no_allocation([&](int n) -> coro<> {
            for (int i = 0; i < n; ++i) {
                co_await q.put(i % 7);
                co_await stack.put(i);
                if (q.full()) {
                    while (!q.empty()) co_await q.get();
                    while (!stack.empty()) co_await stack.get();
                }
            }
        });
    });
}

// ---------------------------------------------------------------------------------------------------------------
// The end of the loop: frames are destroyed with what they hold and where they wait, in any order.
// ---------------------------------------------------------------------------------------------------------------

/// Does not end when it is cancelled, so that its frame has to be destroyed.
coro<> never_end() {
    for (;;) static_cast<void>(co_await as_result(rondo::sleep(1h)));
}

coro<> hold_for_ever(rondo::lock& l) {
    auto held = co_await l.scoped_lock();
    co_await never_end();
}

coro<> wait_then_want_it_back(rondo::condition& c) {
    auto held = co_await c.scoped_lock();
    co_await c.wait();
}

/// Swallows its cancellation and waits again.
coro<> never_end_in(rondo::condition& c) {
    auto held = co_await c.scoped_lock();
    for (;;) static_cast<void>(co_await as_result(c.wait()));
}

TEST_P(SyncRules, AFrameThatIsDestroyedWhileItWaitsToBeNotifiedReleasesNothing) {
    rondo::condition c;
    {
        auto own = rondo::test::make_loop(GetParam());
        rondo::test::reports told;
        told.listen(*own);
        rondo::detail::loop_access::state(*own).patience = 1ms;
        auto waiter = own->create_task(never_end_in, std::ref(c));
        for (int i = 0; i < 3; ++i) own->run_once(0ms);
        EXPECT_FALSE(c.locked());
        own->close();
        EXPECT_TRUE(waiter.cancelled());
        EXPECT_EQ(told.take().size(), 1u);
    }
    EXPECT_FALSE(c.locked());
}

TEST_P(SyncRules, FramesThatAreDestroyedWithALockLeaveItFree) {
    for (const bool holder_is_older : {true, false}) {
        rondo::lock l;
        rondo::condition c(l);
        {
            auto own = rondo::test::make_loop(GetParam());
            rondo::test::reports told;
            told.listen(*own);
            rondo::detail::loop_access::state(*own).patience = 1ms;
            std::vector<task<>> tasks;
            const auto hold = [&] { tasks.push_back(own->create_task(hold_for_ever, std::ref(l))); };
            const auto wait = [&] { tasks.push_back(own->create_task(wait_then_want_it_back, std::ref(c))); };
            if (holder_is_older) {
                // It has the lock when the other one, created first in line but run second, has begun to wait.
                tasks.push_back(own->create_task(
                    [](rondo::lock& lock) -> coro<> {
                        co_await rondo::yield();
                        co_await hold_for_ever(lock);
                    },
                    std::ref(l)));
                wait();
            } else {
                wait();
                own->run_once(0ms);
                hold();
            }
            for (int i = 0; i < 4; ++i) own->run_once(0ms);
            EXPECT_TRUE(l.locked());
            own->close();
            for (auto& t : tasks) EXPECT_TRUE(t.cancelled());
            EXPECT_FALSE(told.take().empty()) << "they did not end by themselves";
        }
        EXPECT_TRUE(l.try_lock()) << holder_is_older;
    }
}

TEST_P(SyncRules, AChildIsDestroyedBeforeTheLockOfItsParentThatItHolds) {
    auto own = rondo::test::make_loop(GetParam());
    rondo::test::reports told;
    told.listen(*own);
    rondo::detail::loop_access::state(*own).patience = 1ms;
    auto parent = own->create_task([]() -> coro<> {
        rondo::lock l;
        rondo::condition changed(l);
        auto waiter = create_task([&]() -> coro<> { co_await never_end_in(changed); });
        auto holder = create_task(hold_for_ever, std::ref(l));
        co_await never_end();
    });
    for (int i = 0; i < 4; ++i) own->run_once(0ms);
    own->close();
    EXPECT_TRUE(parent.cancelled());
    EXPECT_EQ(told.take().size(), 3u);
}

coro<> hold_some(rondo::bounded_semaphore& s, rondo::capacity_limiter& l) {
    auto permit = co_await s.scoped_acquire();
    auto token = co_await l.scoped_acquire();
    co_await never_end();
}

TEST_P(SyncRules, FramesThatAreDestroyedWithPermitsGiveThemBack) {
    rondo::bounded_semaphore s(2);
    rondo::capacity_limiter l(2);
    {
        auto own = rondo::test::make_loop(GetParam());
        rondo::test::reports told;
        told.listen(*own);
        rondo::detail::loop_access::state(*own).patience = 1ms;
        std::vector<task<>> tasks;
        for (int i = 0; i < 4; ++i) tasks.push_back(own->create_task(hold_some, std::ref(s), std::ref(l)));
        for (int i = 0; i < 3; ++i) own->run_once(0ms);
        EXPECT_TRUE(s.locked());
        EXPECT_EQ(l.available_tokens(), 0u);
        own->close();
        EXPECT_FALSE(told.take().empty());
    }
    EXPECT_EQ(s.value(), 2u);
    EXPECT_EQ(l.available_tokens(), 2u);
}

TEST_P(SyncRules, FramesThatAreDestroyedWithEndsCloseThem) {
    auto [tx, rx] = rondo::channel<int>(1);
    auto tx2 = tx.clone();
    {
        auto own = rondo::test::make_loop(GetParam());
        rondo::test::reports told;
        told.listen(*own);
        rondo::detail::loop_access::state(*own).patience = 1ms;
        auto sender = own->create_task(
            [](rondo::send_channel<int> to) -> coro<> {
                co_await to.send(1);
                co_await never_end();
            },
            std::move(tx));
        for (int i = 0; i < 3; ++i) own->run_once(0ms);
        EXPECT_EQ(rx.statistics().open_senders, 2u);
        own->close();
        EXPECT_FALSE(told.take().empty());
    }
    EXPECT_EQ(rx.statistics().open_senders, 1u);
    tx2.close();
    EXPECT_EQ(rx.receive_nowait(), 1);
    EXPECT_THROW(static_cast<void>(rx.receive_nowait()), rondo::end_of_channel);
}

} // namespace
