#include <rondo/sync/condition.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using rondo::as_result;
using rondo::condition;
using rondo::coro;
using rondo::create_task;
using rondo::lock;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;

class Condition : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Condition);

coro<> note_when_notified(condition& c, std::vector<int>& order, int name) {
    auto held = co_await c.scoped_lock();
    co_await c.wait();
    EXPECT_TRUE(c.locked());
    order.push_back(name);
}

coro<> notify(condition& c, std::size_t n) {
    auto held = co_await c.scoped_lock();
    c.notify(n);
}

TEST_P(Condition, SharesAcquireReleaseAndLockedWithItsLock) {
    run([&]() -> coro<> {
        lock l;
        condition c(l);
        condition other(l);
        co_await c.acquire();
        EXPECT_TRUE(l.locked());
        EXPECT_TRUE(other.locked());
        l.release();
        EXPECT_FALSE(c.locked());
        condition own;
        EXPECT_FALSE(own.locked());
        auto held = co_await own.scoped_lock();
        EXPECT_TRUE(own.locked());
    });
}

TEST_P(Condition, WaitingAndNotifyingWantTheLock) {
    run([&]() -> coro<> {
        condition c;
        EXPECT_TRUE((co_await as_result(c.wait())).holds<rondo::runtime_error>());
        EXPECT_THROW(c.notify(), rondo::runtime_error);
        EXPECT_THROW(c.notify_all(), rondo::runtime_error);
        EXPECT_TRUE((co_await as_result(c.wait_for([] { return false; }))).holds<rondo::runtime_error>());
    });
}

TEST_P(Condition, WaitReleasesTheLockAndHoldsItAgainAfterwards) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        auto waiter = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        co_await rondo::yield();
        EXPECT_FALSE(c.locked());
        co_await notify(c, 1);
        co_await waiter;
        EXPECT_THAT(order, ElementsAre(1));
        EXPECT_FALSE(c.locked());
    });
}

TEST_P(Condition, NotifiesAsManyAsAskedInTheOrderOfTheirWaiting) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        std::vector<task<>> tasks;
        for (int i = 0; i < 5; ++i) tasks.push_back(create_task(note_when_notified, std::ref(c), std::ref(order), i));
        co_await pass_by(6);
        co_await notify(c, 2);
        co_await pass_by(6);
        EXPECT_THAT(order, ElementsAre(0, 1));
        co_await notify(c, 1);
        co_await pass_by(6);
        EXPECT_THAT(order, ElementsAre(0, 1, 2));
        co_await c.acquire();
        c.notify_all();
        c.release();
        for (auto& t : tasks) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
    });
}

TEST_P(Condition, NotifyingNobodyIsForgotten) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        co_await notify(c, 3);
        auto waiter = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        co_await pass_by(4);
        EXPECT_TRUE(order.empty());
        co_await notify(c, 1);
        co_await waiter;
    });
}

TEST_P(Condition, WaitForDoesNotWaitNorWantTheLockWhenItIsTrueAlready) {
    run([&]() -> coro<> {
        condition c;
        const auto before = passes();
        co_await c.wait_for([] { return true; });
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Condition, WaitForWaitsUntilItIsTrue) {
    run([&]() -> coro<> {
        condition c;
        int state = 0;
        int looked = 0;
        auto waiter = create_task([&]() -> coro<> {
            auto held = co_await c.scoped_lock();
            co_await c.wait_for([&] {
                ++looked;
                return state == 2;
            });
            EXPECT_TRUE(c.locked());
        });
        for (int i = 0; i < 2; ++i) {
            co_await pass_by(3);
            EXPECT_FALSE(waiter.done());
            auto held = co_await c.scoped_lock();
            ++state;
            c.notify_all();
        }
        co_await waiter;
        EXPECT_EQ(looked, 3);
    });
}

TEST_P(Condition, ACancelledWaitHoldsTheLockWhenItThrows) {
    run([&]() -> coro<> {
        condition c;
        bool held_in_cleanup = false;
        auto waiter = create_task([&]() -> coro<> {
            co_await c.acquire();
            auto outcome = co_await as_result(c.wait());
            EXPECT_TRUE(outcome.cancelled());
            held_in_cleanup = c.locked();
            c.release();
            outcome.value();
        });
        co_await rondo::yield();
        co_await c.acquire();
        waiter.cancel();
        co_await pass_by(3);
        EXPECT_FALSE(waiter.done()) << "the lock is still held elsewhere";
        c.release();
        EXPECT_TRUE((co_await as_result(waiter)).cancelled());
        EXPECT_TRUE(held_in_cleanup);
    });
}

TEST_P(Condition, CancelledAgainAndAgainWhileItTakesTheLockBackItStillTakesIt) {
    run([&]() -> coro<> {
        condition c;
        std::string last;
        auto waiter = create_task([&]() -> coro<> {
            co_await c.acquire();
            try {
                co_await c.wait();
            } catch (const rondo::cancelled_error& e) {
                last = e.message();
                EXPECT_TRUE(c.locked());
            }
            c.release();
        });
        co_await rondo::yield();
        co_await c.acquire();
        for (int i = 0; i < 3; ++i) {
            waiter.cancel("call " + std::to_string(i));
            co_await rondo::yield();
        }
        EXPECT_FALSE(waiter.done());
        c.release();
        co_await waiter;
        EXPECT_EQ(last, "call 2") << "the last cancellation is the one that is thrown";
        EXPECT_EQ(waiter.cancelling(), 3);
    });
}

TEST_P(Condition, ACancelledScopeDoesNotStopItFromTakingTheLockBack) {
    run([&]() -> coro<> {
        condition c;
        rondo::cancel_scope scope;
        bool locked_inside = false;
        auto waiter = create_task([&]() -> coro<> {
            co_await scope.run([&]() -> coro<> {
                co_await c.acquire();
                auto outcome = co_await as_result(c.wait());
                locked_inside = c.locked();
                c.release();
                outcome.value();
            });
        });
        co_await rondo::yield();
        co_await c.acquire();
        scope.cancel();
        co_await pass_by(5);
        EXPECT_FALSE(waiter.done());
        c.release();
        co_await waiter;
        EXPECT_TRUE(locked_inside);
        EXPECT_TRUE(scope.cancelled_caught());
    });
}

TEST_P(Condition, AWaiterCancelledAfterItWasNotifiedPassesTheNotificationOn) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        auto a = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        auto b = create_task(note_when_notified, std::ref(c), std::ref(order), 2);
        co_await pass_by(3);
        co_await notify(c, 1);
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(order, ElementsAre(2));
        EXPECT_FALSE(c.locked());
    });
}

TEST_P(Condition, AWaiterCancelledWhileItTakesTheLockBackPassesTheNotificationOn) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        auto a = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        auto b = create_task(note_when_notified, std::ref(c), std::ref(order), 2);
        co_await pass_by(3);
        co_await c.acquire();
        c.notify(1);
        co_await pass_by(3);
        a.cancel();
        co_await pass_by(3);
        EXPECT_FALSE(a.done());
        c.release();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(order, ElementsAre(2));
    });
}

TEST_P(Condition, AScopeDoesNotTakeAwayANotification) {
    run([&]() -> coro<> {
        condition c;
        rondo::cancel_scope scope;
        bool came_back = false;
        auto waiter = create_task([&]() -> coro<> {
            co_await scope.run([&]() -> coro<> {
                auto held = co_await c.scoped_lock();
                co_await c.wait();
                came_back = true;
                co_await rondo::yield();
                ADD_FAILURE() << "the next suspension ends the scope";
            });
        });
        co_await rondo::yield();
        co_await c.acquire();
        c.notify();
        c.release();
        scope.cancel();
        co_await waiter;
        EXPECT_TRUE(came_back);
        EXPECT_TRUE(scope.cancelled_caught());
        EXPECT_FALSE(c.locked());
    });
}

TEST_P(Condition, WhatAPredicateThrowsGoesToTheCallerWhoHoldsTheLock) {
    run([&]() -> coro<> {
        condition c;
        int looked = 0;
        auto waiter = create_task([&]() -> coro<> {
            co_await c.acquire();
            auto outcome = co_await as_result(c.wait_for([&]() -> bool {
                if (++looked == 2) throw rondo::value_error("not this");
                return false;
            }));
            EXPECT_TRUE(outcome.holds<rondo::value_error>());
            EXPECT_TRUE(c.locked());
            c.release();
        });
        co_await rondo::yield();
        co_await notify(c, 1);
        co_await waiter;
    });
}

TEST_P(Condition, AWaiterThatWasNotNotifiedPassesNothingOn) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        auto a = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        auto b = create_task(note_when_notified, std::ref(c), std::ref(order), 2);
        co_await pass_by(3);
        a.cancel();
        co_await pass_by(4);
        EXPECT_TRUE(a.cancelled());
        EXPECT_FALSE(b.done());
        co_await notify(c, 1);
        co_await b;
    });
}

TEST_P(Condition, WaitingInAnotherLoopThanTheFirstThrowsAndKeepsTheLock) {
    condition c;
    run([&]() -> coro<> {
        std::vector<int> order;
        auto waiter = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        co_await rondo::yield();
        co_await notify(c, 1);
        co_await waiter;
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        co_await c.acquire();
        std::string message;
        try {
            co_await c.wait();
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "a condition is bound to a different event loop");
        EXPECT_TRUE(c.locked());
    });
}

TEST_P(Condition, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto c = std::make_unique<condition>();
        const auto wait_once = [](condition& of) -> coro<> {
            co_await of.acquire();
            co_await of.wait();
        };
        auto waiting = create_task(wait_once, std::ref(*c));
        auto notified = create_task(wait_once, std::ref(*c));
        co_await pass_by(3);
        co_await c->acquire();
        c->notify(1);
        c->release();
        c.reset();
        EXPECT_TRUE((co_await as_result(waiting)).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await as_result(notified)).holds<rondo::runtime_error>());
    });
}

TEST_P(Condition, AWaiterDescribesItsWait) {
    run([&]() -> coro<> {
        condition c;
        std::vector<int> order;
        auto waiter = create_task(note_when_notified, std::ref(c), std::ref(order), 1);
        co_await rondo::yield();
        EXPECT_EQ(waiter.record().blocked_on->describe(), "waiting for a condition, in a line of 1");
        co_await notify(c, 1);
        co_await waiter;
    });
}

} // namespace
