#include <rondo/sync/semaphore.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using rondo::as_result;
using rondo::bounded_semaphore;
using rondo::coro;
using rondo::create_task;
using rondo::semaphore;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;

class Semaphore : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Semaphore);
class BoundedSemaphore : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(BoundedSemaphore);

coro<> acquire_and_note(semaphore& s, std::vector<int>& order, int name) {
    co_await s.acquire();
    order.push_back(name);
}

TEST_P(Semaphore, ANegativeStartValueThrows) {
    EXPECT_THROW(semaphore(-1), rondo::value_error);
    EXPECT_THROW(bounded_semaphore(-1), rondo::value_error);
    EXPECT_EQ(semaphore(0).value(), 0u);
    EXPECT_EQ(semaphore().value(), 1u);
}

TEST_P(Semaphore, PermitsAreTakenWithoutSuspending) {
    run([&]() -> coro<> {
        semaphore s(2);
        const auto before = passes();
        co_await s.acquire();
        EXPECT_FALSE(s.locked());
        co_await s.acquire();
        EXPECT_EQ(passes(), before);
        EXPECT_TRUE(s.locked());
        EXPECT_FALSE(s.try_acquire());
        s.release();
        EXPECT_EQ(s.value(), 1u);
        EXPECT_TRUE(s.try_acquire());
        EXPECT_EQ(s.value(), 0u);
    });
}

TEST_P(Semaphore, AcquiringCountsAgainstTheBudget) {
    run([&]() -> coro<> {
        semaphore s(129);
        co_await rondo::yield();
        const auto before = passes();
        for (int i = 0; i < 128; ++i) co_await s.acquire();
        EXPECT_EQ(passes(), before);
        co_await s.acquire();
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(Semaphore, ReleaseHandsThePermitToTheFirstInLine) {
    run([&]() -> coro<> {
        semaphore s(0);
        std::vector<int> order;
        auto a = create_task(acquire_and_note, std::ref(s), std::ref(order), 1);
        auto b = create_task(acquire_and_note, std::ref(s), std::ref(order), 2);
        co_await rondo::yield();
        s.release();
        EXPECT_EQ(s.value(), 0u);
        EXPECT_FALSE(s.try_acquire());
        co_await a;
        EXPECT_FALSE(b.done());
        s.release();
        co_await b;
        EXPECT_THAT(order, ElementsAre(1, 2));
        EXPECT_EQ(s.value(), 0u);
    });
}

TEST_P(Semaphore, NobodyOvertakesATaskThatWasHandedAPermit) {
    run([&]() -> coro<> {
        semaphore s(1);
        std::vector<int> order;
        co_await s.acquire();
        order.push_back(1);
        auto second = create_task([&]() -> coro<> {
            co_await s.acquire();
            order.push_back(2);
            s.release();
            co_await s.acquire();
            order.push_back(4);
        });
        auto third = create_task(acquire_and_note, std::ref(s), std::ref(order), 3);
        co_await rondo::yield();
        s.release();
        s.release();
        EXPECT_TRUE(s.locked());
        co_await second;
        co_await third;
        EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
    });
}

TEST_P(Semaphore, IsLockedWhileSomebodyIsInFrontThoughPermitsAreLeft) {
    run([&]() -> coro<> {
        semaphore s(0);
        std::vector<int> order;
        auto a = create_task(acquire_and_note, std::ref(s), std::ref(order), 1);
        co_await rondo::yield();
        s.release();
        s.release();
        EXPECT_EQ(s.value(), 1u);
        EXPECT_TRUE(s.locked());
        EXPECT_FALSE(s.try_acquire());
        co_await a;
        EXPECT_FALSE(s.locked());
        EXPECT_TRUE(s.try_acquire());
    });
}

TEST_P(Semaphore, ACancelledWaiterLeavesTheLine) {
    run([&]() -> coro<> {
        semaphore s(0);
        std::vector<int> order;
        auto a = create_task(acquire_and_note, std::ref(s), std::ref(order), 1);
        auto b = create_task(acquire_and_note, std::ref(s), std::ref(order), 2);
        co_await rondo::yield();
        a.cancel();
        s.release();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(s.locked());
        EXPECT_THAT(order, ElementsAre(2));
    });
}

TEST_P(Semaphore, AWaiterCancelledAfterWakeupPassesThePermitOn) {
    run([&]() -> coro<> {
        semaphore s(0);
        std::vector<int> order;
        auto a = create_task(acquire_and_note, std::ref(s), std::ref(order), 1);
        auto b = create_task(acquire_and_note, std::ref(s), std::ref(order), 2);
        co_await rondo::yield();
        s.release();
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(order, ElementsAre(2));
    });
}

TEST_P(Semaphore, APermitOfACancelledWaiterComesBackWhenNobodyElseWaits) {
    run([&]() -> coro<> {
        semaphore s(0);
        std::vector<int> order;
        auto a = create_task(acquire_and_note, std::ref(s), std::ref(order), 1);
        co_await rondo::yield();
        s.release();
        a.cancel();
        EXPECT_TRUE((co_await as_result(a)).cancelled());
        EXPECT_EQ(s.value(), 1u);
        EXPECT_FALSE(s.locked());
    });
}

TEST_P(Semaphore, AScopeDoesNotTakeAwayAPermitThatWasGiven) {
    run([&]() -> coro<> {
        semaphore s(0);
        rondo::cancel_scope scope;
        auto t = create_task([&]() -> coro<bool> {
            co_return (co_await scope.run([&]() -> coro<> { co_await s.acquire(); })).has_value();
        });
        co_await rondo::yield();
        s.release();
        scope.cancel();
        EXPECT_TRUE(co_await t);
        EXPECT_EQ(s.value(), 0u);
    });
}

TEST_P(Semaphore, AScopeEndsTheWait) {
    run([&]() -> coro<> {
        semaphore s(0);
        rondo::cancel_scope scope({.deadline = rondo::clock::now()});
        EXPECT_FALSE((co_await scope.run([&]() -> coro<> { co_await s.acquire(); })).has_value());
        s.release();
        EXPECT_FALSE(s.locked()) << "nobody is in front";
        EXPECT_EQ(s.value(), 1u);
    });
}

TEST_P(Semaphore, IsFreeAgainWhenTheLoopEndsOnItsWayToATask) {
    semaphore s(0);
    auto waiting = loop().create_task(s.acquire());
    run_passes(1);
    s.release();
    EXPECT_EQ(s.value(), 0u);
    loop().close();
    EXPECT_TRUE(waiting.cancelled());
    EXPECT_TRUE(s.try_acquire());
}

TEST_P(Semaphore, AGuardReleasesItsPermit) {
    run([&]() -> coro<> {
        semaphore s(1);
        {
            auto permit = co_await s.scoped_acquire();
            EXPECT_EQ(s.value(), 0u);
        }
        EXPECT_EQ(s.value(), 1u);
    });
}

TEST_P(Semaphore, WaitingInAnotherLoopThanTheFirstThrows) {
    semaphore s(0);
    run([&]() -> coro<> {
        std::vector<int> order;
        auto waiter = create_task(acquire_and_note, std::ref(s), std::ref(order), 1);
        co_await rondo::yield();
        s.release();
        co_await waiter;
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            co_await s.acquire();
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "a semaphore is bound to a different event loop");
    });
}

TEST_P(Semaphore, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto s = std::make_unique<semaphore>(0);
        std::vector<int> order;
        auto promised = create_task(acquire_and_note, std::ref(*s), std::ref(order), 1);
        auto waiting = create_task(acquire_and_note, std::ref(*s), std::ref(order), 2);
        co_await rondo::yield();
        s->release();
        s.reset();
        EXPECT_TRUE((co_await as_result(promised)).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await as_result(waiting)).holds<rondo::runtime_error>());
        EXPECT_TRUE(order.empty());
    });
}

TEST_P(Semaphore, AWaiterDescribesItsWait) {
    run([&]() -> coro<> {
        semaphore s(0);
        auto waiter = create_task(s.acquire());
        co_await rondo::yield();
        EXPECT_EQ(waiter.record().blocked_on->describe(), "waiting for a semaphore, in a line of 1");
        s.release();
        co_await waiter;
    });
}

// Whatever is cancelled, and when: the permits that are out and those that are in are always as many as there were.
TEST_P(Semaphore, NoPermitIsLostOrMadeWhateverIsCancelled) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        run([&]() -> coro<> {
            std::mt19937 random(seed);
            const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
            bounded_semaphore s(3);
            int out = 0;
            std::vector<task<>> tasks;
            for (int i = 0; i < 80; ++i) {
                tasks.push_back(create_task(
                    [&](unsigned waits) -> coro<> {
                        auto permit = co_await s.scoped_acquire();
                        EXPECT_LE(++out, 3);
                        struct leave {
                            int& n;
                            ~leave() { --n; }
                        } at_end{out};
                        co_await pass_by(static_cast<int>(waits));
                    },
                    pick(4)));
                if (pick(3) == 0) tasks[pick(static_cast<unsigned>(tasks.size()))].cancel();
                if (pick(3) == 0) co_await rondo::yield();
            }
            for (auto& t : tasks) static_cast<void>(co_await as_result(t));
            EXPECT_EQ(out, 0);
            EXPECT_EQ(s.value(), 3u);
            EXPECT_FALSE(s.locked());
        });
    }
}

TEST_P(BoundedSemaphore, ReleasingBeyondTheStartValueThrows) {
    run([&]() -> coro<> {
        bounded_semaphore s(2);
        EXPECT_THROW(s.release(), rondo::value_error);
        co_await s.acquire();
        s.release();
        EXPECT_THROW(s.release(), rondo::value_error);
        EXPECT_EQ(s.value(), 2u);
    });
}

TEST_P(BoundedSemaphore, AGuardReleasesItsPermit) {
    run([&]() -> coro<> {
        bounded_semaphore s(1);
        {
            rondo::guard<bounded_semaphore> permit = co_await s.scoped_acquire();
            EXPECT_TRUE(s.locked());
        }
        EXPECT_EQ(s.value(), 1u);
        EXPECT_THROW(s.release(), rondo::value_error);
    });
}

} // namespace
