#include <rondo/sync/lock.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run.hpp>

#include "support/loop_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using rondo::coro;
using rondo::create_task;
using rondo::guard;
using rondo::lock;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;
using testing::HasSubstr;

class Lock : public rondo::test::loop_test {};
class Guard : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Lock);
RONDO_IN_EACH_WORLD(Guard);

/// Takes the lock, notes its name, gives the lock back after one pass.
coro<> note_in_turn(lock& l, std::vector<int>& order, int name) {
    auto held = co_await l.scoped_lock();
    order.push_back(name);
    co_await rondo::yield();
}

TEST_P(Lock, AFreeLockIsAcquiredWithoutSuspending) {
    run([&]() -> coro<> {
        lock l;
        const auto before = passes();
        co_await l.acquire();
        EXPECT_EQ(passes(), before);
        EXPECT_TRUE(l.locked());
        l.release();
        EXPECT_FALSE(l.locked());
    });
}

TEST_P(Lock, AcquiringCountsAgainstTheBudget) {
    run([&]() -> coro<> {
        lock l;
        co_await rondo::yield();
        const auto before = passes();
        for (int i = 0; i < 128; ++i) {
            co_await l.acquire();
            l.release();
        }
        EXPECT_EQ(passes(), before);
        co_await l.acquire();
        EXPECT_EQ(passes(), before + 1);
        l.release();
    });
}

TEST_P(Lock, GoesToTheTaskThatHasWaitedLongest) {
    run([&]() -> coro<> {
        lock l;
        std::vector<int> order;
        co_await l.acquire();
        std::vector<task<>> tasks;
        for (int i = 0; i < 5; ++i) tasks.push_back(create_task(note_in_turn, std::ref(l), std::ref(order), i));
        co_await pass_by(3);
        EXPECT_TRUE(order.empty());
        l.release();
        for (auto& t : tasks) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
    });
}

TEST_P(Lock, ReleaseWakesExactlyTheFirstWaiter) {
    run([&]() -> coro<> {
        lock l;
        co_await l.acquire();
        auto first = create_task(l.acquire());
        auto second = create_task(l.acquire());
        co_await rondo::yield();
        l.release();
        EXPECT_FALSE(l.locked()) << "it is on its way";
        co_await pass_by(3);
        EXPECT_TRUE(first.done());
        EXPECT_FALSE(second.done());
        EXPECT_TRUE(l.locked());
        l.release();
        co_await second;
    });
}

TEST_P(Lock, NobodyOvertakesTheTaskThatItIsOnTheWayTo) {
    run([&]() -> coro<> {
        lock l;
        std::vector<int> order;
        co_await l.acquire();
        auto first = create_task(note_in_turn, std::ref(l), std::ref(order), 1);
        co_await rondo::yield();
        l.release();
        EXPECT_FALSE(l.try_lock());
        co_await l.acquire();
        order.push_back(2);
        l.release();
        co_await first;
        EXPECT_THAT(order, ElementsAre(1, 2));
    });
}

TEST_P(Lock, ReleasingAnUnlockedLockThrows) {
    lock l("db");
    EXPECT_THROW(l.release(), rondo::runtime_error);
    try {
        l.release();
    } catch (const rondo::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("lock 'db' is not held"));
    }
}

TEST_P(Lock, ReleasingTwiceThrowsEvenWhenItIsOnTheWayToAWaiter) {
    run([&]() -> coro<> {
        lock l;
        std::vector<int> order;
        co_await l.acquire();
        auto waiting = create_task(note_in_turn, std::ref(l), std::ref(order), 1);
        co_await rondo::yield();
        l.release();
        EXPECT_THROW(l.release(), rondo::runtime_error);
        co_await waiting;
        EXPECT_THAT(order, ElementsAre(1));
        EXPECT_TRUE(l.try_lock());
    });
}

TEST_P(Lock, AnyTaskMayRelease) {
    run([&]() -> coro<> {
        lock l;
        co_await l.acquire();
        co_await create_task([&]() -> coro<> {
            l.release();
            co_return;
        });
        EXPECT_TRUE(l.try_lock());
    });
}

TEST_P(Lock, ACancelledWaiterLeavesTheLine) {
    run([&]() -> coro<> {
        lock l;
        std::vector<int> order;
        co_await l.acquire();
        auto a = create_task(note_in_turn, std::ref(l), std::ref(order), 1);
        auto b = create_task(note_in_turn, std::ref(l), std::ref(order), 2);
        co_await rondo::yield();
        a.cancel();
        co_await rondo::yield();
        EXPECT_TRUE(a.cancelled());
        l.release();
        co_await b;
        EXPECT_THAT(order, ElementsAre(2));
        EXPECT_FALSE(l.locked());
    });
}

TEST_P(Lock, AWaiterCancelledAfterWakeupPassesItOn) {
    run([&]() -> coro<> {
        lock l;
        std::vector<int> order;
        co_await l.acquire();
        auto a = create_task(note_in_turn, std::ref(l), std::ref(order), 1);
        auto b = create_task(note_in_turn, std::ref(l), std::ref(order), 2);
        co_await rondo::yield();
        l.release();
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(order, ElementsAre(2));
    });
}

TEST_P(Lock, ATaskCancelledWhileItsBudgetLetsItWaitGivesTheLockBack) {
    run([&]() -> coro<> {
        lock free;
        lock l;
        auto spender = create_task([&]() -> coro<> {
            for (int i = 0; i < 128; ++i) {
                co_await free.acquire();
                free.release();
            }
            co_await l.acquire();
            ADD_FAILURE() << "the cancellation was lost";
        });
        co_await rondo::yield();
        EXPECT_FALSE(l.try_lock()) << "it is on its way to the spender";
        spender.cancel();
        EXPECT_TRUE((co_await rondo::as_result(spender)).cancelled());
        EXPECT_TRUE(l.try_lock());
    });
}

TEST_P(Lock, AScopeDoesNotTakeAwayALockThatWasGiven) {
    run([&]() -> coro<> {
        lock l;
        rondo::cancel_scope scope;
        bool held = false;
        co_await l.acquire();
        auto t = create_task([&]() -> coro<> {
            co_await scope.run([&]() -> coro<> {
                co_await l.acquire();
                held = true;
                co_await rondo::yield();
                ADD_FAILURE() << "the next suspension ends the scope";
            });
            l.release();
        });
        co_await rondo::yield();
        l.release();
        scope.cancel();
        co_await t;
        EXPECT_TRUE(held);
        EXPECT_TRUE(scope.cancelled_caught());
        EXPECT_FALSE(l.locked());
    });
}

TEST_P(Lock, AScopeEndsTheWait) {
    run([&]() -> coro<> {
        lock l;
        co_await l.acquire();
        rondo::cancel_scope scope;
        auto t = create_task([&]() -> coro<bool> {
            auto got = co_await scope.run([&]() -> coro<> { co_await l.acquire(); });
            co_return got.has_value();
        });
        co_await rondo::yield();
        scope.cancel();
        EXPECT_FALSE(co_await t);
        l.release();
        EXPECT_TRUE(l.try_lock());
    });
}

std::string description_of(const rondo::task_base& t) {
    return t.record().blocked_on ? t.record().blocked_on->describe() : std::string("is not waiting");
}

std::vector<const rondo::detail::future_state*> edges_of(const rondo::task_base& t) {
    std::vector<const rondo::detail::future_state*> who;
    if (t.record().blocked_on) t.record().blocked_on->waits_for(who);
    return who;
}

coro<> lock_it(lock& l) { co_await l.acquire(); }

TEST_P(Lock, AWaiterNamesTheLockAndItsHolder) {
    run([&]() -> coro<> {
        lock db("db");
        rondo::event_loop& loop = rondo::running_loop();
        auto never = loop.create_future<void>();
        auto writer = create_task({.name = "writer"}, [&]() -> coro<> {
            auto held = co_await db.scoped_lock();
            co_await never;
        });
        auto reader = create_task({.name = "reader"}, lock_it, std::ref(db));
        co_await pass_by(2);
        EXPECT_EQ(description_of(reader), "waiting for lock 'db' held by task 'writer'");
        EXPECT_THAT(edges_of(reader), ElementsAre(writer.state()));
        never.set_result();
        co_await reader;
    });
}

TEST_P(Lock, AnUnnamedLockIsDescribedToo) {
    run([&]() -> coro<> {
        lock l;
        auto holder = create_task({.name = "h"}, lock_it, std::ref(l));
        co_await holder;
        auto waiter = create_task(lock_it, std::ref(l));
        co_await rondo::yield();
        EXPECT_EQ(description_of(waiter), "waiting for a lock held by task 'h'");
        l.release();
        co_await waiter;
    });
}

TEST_P(Lock, KeepsTheNameOfAHolderThatHasEndedWithoutReleasing) {
    run([&]() -> coro<> {
        lock l("left");
        {
            auto careless = create_task({.name = "careless"}, lock_it, std::ref(l));
            co_await careless;
        }
        auto waiter = create_task(lock_it, std::ref(l));
        co_await rondo::yield();
        EXPECT_EQ(description_of(waiter), "waiting for lock 'left' held by task 'careless'");
        l.release();
        co_await waiter;
    });
}

TEST_P(Lock, NamesTheTaskThatItIsOnTheWayToAsItsHolder) {
    run([&]() -> coro<> {
        lock l("hot");
        co_await l.acquire();
        auto next = create_task({.name = "next"}, lock_it, std::ref(l));
        auto after = create_task({.name = "after"}, lock_it, std::ref(l));
        co_await rondo::yield();
        l.release();
        EXPECT_EQ(description_of(after), "waiting for lock 'hot' held by task 'next'");
        co_await next;
        l.release();
        co_await after;
    });
}

TEST_P(Lock, IsNotReentrantAndAWaitForOneselfIsSeen) {
    run([&]() -> coro<> {
        lock l;
        auto twice = create_task([&]() -> coro<> {
            co_await l.acquire();
            co_await l.acquire();
        });
        co_await pass_by(3);
        EXPECT_FALSE(twice.done());
        EXPECT_THAT(edges_of(twice), ElementsAre(twice.state()));
        twice.cancel();
        EXPECT_TRUE((co_await rondo::as_result(twice)).cancelled());
    });
}

TEST_P(Lock, TakenOutsideOfTasksHasNoOwner) {
    lock l;
    EXPECT_TRUE(l.try_lock());
    run([&]() -> coro<> {
        auto waiter = create_task(lock_it, std::ref(l));
        co_await rondo::yield();
        EXPECT_EQ(description_of(waiter), "waiting for a lock held from outside of tasks");
        EXPECT_TRUE(edges_of(waiter).empty());
        l.release();
        co_await waiter;
    });
}

TEST_P(Lock, WaitingInAnotherLoopThanTheFirstThrows) {
    lock l("shared");
    run([&]() -> coro<> {
        co_await l.acquire();
        auto waiter = create_task(lock_it, std::ref(l));
        co_await rondo::yield();
        l.release();
        co_await waiter;
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            co_await l.acquire();
        } catch (const rondo::runtime_error& e) {
            message = e.what();
        }
        EXPECT_EQ(message, "lock 'shared' is bound to a different event loop");
        l.release();
        co_await l.acquire(); // who need not wait need not belong to it
        l.release();
    });
}

TEST_P(Lock, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto l = std::make_unique<lock>();
        co_await l->acquire();
        auto waiting = create_task(lock_it, std::ref(*l));
        auto given = create_task([&]() -> coro<> { co_await rondo::yield(); });
        co_await rondo::yield();
        l.reset();
        co_await given;
        auto outcome = co_await rondo::as_result(waiting);
        EXPECT_TRUE(outcome.holds<rondo::runtime_error>());
    });
}

TEST_P(Lock, DestroyedOnItsWayToATaskFailsThatTask) {
    run([&]() -> coro<> {
        auto l = std::make_unique<lock>();
        co_await l->acquire();
        auto waiting = create_task(lock_it, std::ref(*l));
        auto cancelled = create_task(lock_it, std::ref(*l));
        co_await rondo::yield();
        l->release();
        l.reset();
        cancelled.cancel();
        EXPECT_TRUE((co_await rondo::as_result(waiting)).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await rondo::as_result(cancelled)).cancelled());
    });
}

TEST_P(Lock, IsFreeAgainWhenTheLoopEndsOnItsWayToATask) {
    lock l;
    EXPECT_TRUE(l.try_lock());
    auto waiting = loop().create_task(lock_it, std::ref(l));
    run_passes(1);
    l.release();
    EXPECT_FALSE(l.try_lock());
    loop().close();
    EXPECT_TRUE(waiting.cancelled());
    EXPECT_TRUE(l.try_lock());
}

TEST_P(Lock, CanBeAwaitedThroughAsResultAndAsATaskOfItsOwn) {
    run([&]() -> coro<> {
        lock l;
        EXPECT_TRUE((co_await rondo::as_result(l.acquire())).has_value());
        auto t = create_task(l.acquire());
        co_await pass_by(2);
        EXPECT_FALSE(t.done());
        l.release();
        co_await t;
        EXPECT_TRUE(l.locked());
    });
}

TEST_P(Guard, ReleasesAtTheEndOfItsBlock) {
    run([&]() -> coro<> {
        lock l;
        {
            auto held = co_await l.scoped_lock();
            EXPECT_TRUE(l.locked());
        }
        EXPECT_FALSE(l.locked());
    });
}

TEST_P(Guard, ReleasesWhenItsBlockThrows) {
    run([&]() -> coro<> {
        lock l;
        auto outcome = co_await rondo::as_result([](lock& l) -> coro<> {
            auto held = co_await l.scoped_lock();
            throw rondo::value_error("no");
        }(l));
        EXPECT_TRUE(outcome.holds<rondo::value_error>());
        EXPECT_FALSE(l.locked());
    });
}

TEST_P(Guard, UnlocksEarlyAndOnlyOnce) {
    run([&]() -> coro<> {
        lock l;
        auto held = co_await l.scoped_lock();
        held.unlock();
        EXPECT_FALSE(l.locked());
        EXPECT_THROW(held.unlock(), rondo::runtime_error);
    });
}

TEST_P(Guard, MovesWithWhatItHolds) {
    run([&]() -> coro<> {
        lock l;
        lock other;
        auto a = co_await l.scoped_lock();
        guard<lock> b(std::move(a));
        EXPECT_TRUE(l.locked());
        auto c = co_await other.scoped_lock();
        c = std::move(b);
        EXPECT_FALSE(other.locked()) << "assignment releases what was held before";
        EXPECT_TRUE(l.locked());
        c = guard<lock>(std::move(c));
        EXPECT_TRUE(l.locked());
        c.unlock();
        EXPECT_FALSE(l.locked());
    });
}

TEST_P(Guard, TakesOverWhatWasAcquiredByHand) {
    lock l;
    EXPECT_TRUE(l.try_lock());
    { guard<lock> held(l); }
    EXPECT_FALSE(l.locked());
}

// Tasks come, wait and are cancelled at any moment: never two inside, never one that waits for nothing.
TEST_P(Lock, MutualExclusionHoldsWhateverIsCancelled) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        run([&]() -> coro<> {
            std::mt19937 random(seed);
            const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
            lock l;
            int inside = 0;
            int entered = 0;
            std::vector<task<>> tasks;
            for (int i = 0; i < 60; ++i) {
                tasks.push_back(create_task(
                    [&](unsigned waits) -> coro<> {
                        auto held = co_await l.scoped_lock();
                        EXPECT_EQ(++inside, 1);
                        ++entered;
                        struct leave {
                            int& n;
                            ~leave() { --n; }
                        } at_end{inside};
                        co_await pass_by(static_cast<int>(waits));
                    },
                    pick(4)));
                if (pick(3) == 0) tasks[pick(static_cast<unsigned>(tasks.size()))].cancel();
                if (pick(2) == 0) co_await rondo::yield();
            }
            int left_alone = 0;
            for (auto& t : tasks) {
                auto outcome = co_await rondo::as_result(t);
                if (outcome) ++left_alone;
            }
            EXPECT_EQ(inside, 0);
            EXPECT_GE(entered, left_alone);
            EXPECT_FALSE(l.locked());
            EXPECT_TRUE(l.try_lock());
        });
    }
}

} // namespace
