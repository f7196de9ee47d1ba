#include <rondo/sync/event.hpp>

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
using rondo::coro;
using rondo::create_task;
using rondo::event;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;

class Event : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(Event);

coro<> note_after(event& e, std::vector<int>& order, int name) {
    co_await e.wait();
    order.push_back(name);
}

TEST_P(Event, WaitDoesNotSuspendWhileItIsSet) {
    run([&]() -> coro<> {
        event e;
        EXPECT_FALSE(e.is_set());
        e.set();
        EXPECT_TRUE(e.is_set());
        const auto before = passes();
        co_await e.wait();
        co_await e.wait();
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Event, WaitingCountsAgainstTheBudget) {
    run([&]() -> coro<> {
        event e;
        e.set();
        co_await rondo::yield();
        const auto before = passes();
        for (int i = 0; i < 128; ++i) co_await e.wait();
        EXPECT_EQ(passes(), before);
        co_await e.wait();
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(Event, SetWakesEverybodyInTheOrderOfTheirComing) {
    run([&]() -> coro<> {
        event e;
        std::vector<int> order;
        std::vector<task<>> tasks;
        for (int i = 0; i < 4; ++i) tasks.push_back(create_task(note_after, std::ref(e), std::ref(order), i));
        co_await pass_by(2);
        EXPECT_TRUE(order.empty());
        e.set();
        for (auto& t : tasks) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
    });
}

TEST_P(Event, SetWakesThoseWhoWaitEvenWhenItIsClearedAtOnce) {
    run([&]() -> coro<> {
        event e;
        bool saw_it_set = true;
        auto waiter = create_task([&]() -> coro<> {
            co_await e.wait();
            saw_it_set = e.is_set();
        });
        co_await rondo::yield();
        e.set();
        e.clear();
        co_await waiter;
        EXPECT_FALSE(saw_it_set);
    });
}

TEST_P(Event, WaitsAgainAfterClear) {
    run([&]() -> coro<> {
        event e;
        e.set();
        e.clear();
        std::vector<int> order;
        auto waiter = create_task(note_after, std::ref(e), std::ref(order), 1);
        co_await pass_by(2);
        EXPECT_FALSE(waiter.done());
        e.set();
        co_await waiter;
        EXPECT_THAT(order, ElementsAre(1));
    });
}

TEST_P(Event, ACancelledWaiterLeavesNothingBehind) {
    run([&]() -> coro<> {
        event e;
        std::vector<int> order;
        auto a = create_task(note_after, std::ref(e), std::ref(order), 1);
        auto b = create_task(note_after, std::ref(e), std::ref(order), 2);
        co_await rondo::yield();
        a.cancel();
        co_await rondo::yield();
        EXPECT_TRUE(a.cancelled());
        e.set();
        co_await b;
        EXPECT_THAT(order, ElementsAre(2));
    });
}

TEST_P(Event, AWaiterCancelledAfterItWasWokenIsCancelled) {
    run([&]() -> coro<> {
        event e;
        std::vector<int> order;
        auto a = create_task(note_after, std::ref(e), std::ref(order), 1);
        auto b = create_task(note_after, std::ref(e), std::ref(order), 2);
        co_await rondo::yield();
        e.set();
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(order, ElementsAre(2));
    });
}

TEST_P(Event, AScopeDoesNotStopATaskThatWasWoken) {
    run([&]() -> coro<> {
        event e;
        rondo::cancel_scope scope;
        auto t = create_task([&]() -> coro<bool> {
            co_return (co_await scope.run([&]() -> coro<> { co_await e.wait(); })).has_value();
        });
        co_await rondo::yield();
        e.set();
        scope.cancel();
        EXPECT_TRUE(co_await t);
    });
}

TEST_P(Event, SettingAndClearingWhatIsSoAlreadyChangesNothing) {
    run([&]() -> coro<> {
        event e;
        e.clear();
        std::vector<int> order;
        auto waiter = create_task(note_after, std::ref(e), std::ref(order), 1);
        co_await rondo::yield();
        e.clear();
        co_await pass_by(2);
        EXPECT_FALSE(waiter.done());
        e.set();
        e.set();
        co_await waiter;
        EXPECT_TRUE(e.is_set());
        EXPECT_THAT(order, ElementsAre(1));
    });
}

TEST_P(Event, AScopeEndsTheWait) {
    run([&]() -> coro<> {
        event e;
        rondo::cancel_scope scope({.deadline = rondo::clock::now()});
        EXPECT_FALSE((co_await scope.run([&]() -> coro<> { co_await e.wait(); })).has_value());
    });
}

TEST_P(Event, WaitingInAnotherLoopThanTheFirstThrows) {
    event e;
    run([&]() -> coro<> {
        std::vector<int> order;
        auto waiter = create_task(note_after, std::ref(e), std::ref(order), 1);
        co_await rondo::yield();
        e.set();
        co_await waiter;
        e.clear();
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            co_await e.wait();
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "an event is bound to a different event loop");
    });
}

TEST_P(Event, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto e = std::make_unique<event>();
        std::vector<int> order;
        auto waiter = create_task(note_after, std::ref(*e), std::ref(order), 1);
        co_await rondo::yield();
        e.reset();
        EXPECT_TRUE((co_await as_result(waiter)).holds<rondo::runtime_error>());
    });
}

TEST_P(Event, DestroyedAfterSetLetsTheWokenGoOn) {
    run([&]() -> coro<> {
        auto e = std::make_unique<event>();
        std::vector<int> order;
        auto waiter = create_task(note_after, std::ref(*e), std::ref(order), 1);
        co_await rondo::yield();
        e->set();
        e.reset();
        co_await waiter;
        EXPECT_THAT(order, ElementsAre(1));
    });
}

TEST_P(Event, AWaiterDescribesItsWait) {
    run([&]() -> coro<> {
        event e;
        auto waiter = create_task(e.wait());
        co_await rondo::yield();
        EXPECT_EQ(waiter.record().blocked_on->describe(), "waiting for an event");
        e.set();
        co_await waiter;
    });
}

} // namespace
