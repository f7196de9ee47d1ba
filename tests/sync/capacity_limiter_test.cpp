#include <rondo/sync/capacity_limiter.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>

#include "support/loop_test.hpp"
#include "support/operator_new.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::as_result;
using rondo::capacity_limiter;
using rondo::coro;
using rondo::create_task;
using rondo::guard;
using rondo::task;
using rondo::test::pass_by;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class CapacityLimiter : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(CapacityLimiter);

coro<> acquire_and_note(capacity_limiter& l, std::vector<int>& order, int name) {
    co_await l.acquire();
    order.push_back(name);
}

std::string description_of(const rondo::task_base& t) {
    return t.record().blocked_on ? t.record().blocked_on->describe() : std::string("is not waiting");
}

TEST_P(CapacityLimiter, CountsItsTokens) {
    run([&]() -> coro<> {
        capacity_limiter l(2);
        EXPECT_EQ(l.total_tokens(), 2u);
        EXPECT_EQ(l.available_tokens(), 2u);
        const auto before = passes();
        co_await l.acquire();
        EXPECT_EQ(passes(), before) << "a free token is had without suspending";
        EXPECT_EQ(l.borrowed_tokens(), 1u);
        EXPECT_EQ(l.available_tokens(), 1u);
        l.release();
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(CapacityLimiter, ATaskHasAtMostOneToken) {
    run([&]() -> coro<> {
        capacity_limiter l(3);
        co_await l.acquire();
        EXPECT_TRUE((co_await as_result(l.acquire())).holds<rondo::runtime_error>());
        EXPECT_THROW(l.acquire_nowait(), rondo::runtime_error);
        EXPECT_EQ(l.borrowed_tokens(), 1u);
        co_await create_task([&]() -> coro<> {
            co_await l.acquire();
            EXPECT_EQ(l.borrowed_tokens(), 2u);
            l.release();
        });
        l.release();
        EXPECT_THROW(l.release(), rondo::runtime_error);
    });
}

TEST_P(CapacityLimiter, OnlyTheBorrowerReleases) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        co_await l.acquire();
        co_await create_task([&]() -> coro<> {
            EXPECT_THROW(l.release(), rondo::runtime_error);
            co_return;
        });
        EXPECT_EQ(l.borrowed_tokens(), 1u);
        l.release();
    });
    EXPECT_THROW(capacity_limiter(1).release(), rondo::runtime_error) << "no task runs";
}

TEST_P(CapacityLimiter, AcquireNowaitTakesWhatIsLeftOrThrows) {
    capacity_limiter l(1);
    EXPECT_THROW(l.acquire_nowait(), rondo::runtime_error) << "no task runs";
    run([&]() -> coro<> {
        l.acquire_nowait();
        EXPECT_EQ(l.borrowed_tokens(), 1u);
        co_await create_task([&]() -> coro<> {
            EXPECT_THROW(l.acquire_nowait(), rondo::would_block);
            co_return;
        });
        l.release();
    });
}

TEST_P(CapacityLimiter, BorrowsForWhateverHasAnAddress) {
    run([&]() -> coro<> {
        capacity_limiter l(2);
        const int job = 0;
        const int other_job = 0;
        co_await l.acquire_on_behalf_of(&job, "job 17");
        co_await l.acquire_on_behalf_of(&other_job);
        EXPECT_THAT(l.statistics().borrowers, ElementsAre("job 17", StartsWith("0x")));
        EXPECT_TRUE((co_await as_result(l.acquire_on_behalf_of(&job))).holds<rondo::runtime_error>());
        EXPECT_THROW(static_cast<void>(l.acquire_on_behalf_of(nullptr)), rondo::value_error);
        co_await create_task([&]() -> coro<> {
            l.release_on_behalf_of(&job);
            co_return;
        });
        EXPECT_THROW(l.release_on_behalf_of(&job), rondo::runtime_error);
        l.release_on_behalf_of(&other_job);
        EXPECT_EQ(l.available_tokens(), 2u);
    });
}

TEST_P(CapacityLimiter, OneBorrowerThatWaitsTwiceGetsOneToken) {
    run([&]() -> coro<> {
        capacity_limiter l(0);
        const int job = 0;
        auto first = create_task(l.acquire_on_behalf_of(&job));
        auto second = create_task(l.acquire_on_behalf_of(&job));
        std::vector<int> order;
        auto third = create_task(acquire_and_note, std::ref(l), std::ref(order), 3);
        co_await rondo::yield();
        l.set_total_tokens(2);
        co_await first;
        EXPECT_TRUE((co_await as_result(second)).holds<rondo::runtime_error>());
        co_await third;
        EXPECT_EQ(l.borrowed_tokens(), 2u);
    });
}

TEST_P(CapacityLimiter, GivesItsTokensInTheOrderOfComing) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        std::vector<int> order;
        co_await l.acquire();
        std::vector<task<>> tasks;
        for (int i = 0; i < 4; ++i) {
            tasks.push_back(create_task(
                [&](int name) -> coro<> {
                    auto token = co_await l.scoped_acquire();
                    order.push_back(name);
                },
                i));
        }
        co_await pass_by(2);
        EXPECT_THAT(order, IsEmpty());
        EXPECT_EQ(l.statistics().tasks_waiting, 4u);
        l.release();
        EXPECT_EQ(l.available_tokens(), 0u) << "it is on its way to the first";
        for (auto& t : tasks) co_await t;
        EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
        EXPECT_EQ(l.available_tokens(), 1u);
    });
}

TEST_P(CapacityLimiter, NobodyOvertakesATaskThatWasHandedAToken) {
    run([&]() -> coro<> {
        capacity_limiter l(0);
        std::vector<int> order;
        auto first = create_task(acquire_and_note, std::ref(l), std::ref(order), 1);
        co_await rondo::yield();
        l.set_total_tokens(2);
        co_await l.acquire();
        order.push_back(2);
        EXPECT_THAT(order, ElementsAre(1, 2));
        co_await first;
    });
}

TEST_P(CapacityLimiter, AWaiterCancelledAfterWakeupPassesItsTokenOn) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        std::vector<int> order;
        co_await l.acquire();
        auto a = create_task(acquire_and_note, std::ref(l), std::ref(order), 1);
        auto b = create_task(acquire_and_note, std::ref(l), std::ref(order), 2);
        co_await rondo::yield();
        l.release();
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_THAT(order, ElementsAre(2));
        EXPECT_EQ(l.borrowed_tokens(), 1u);
    });
}

TEST_P(CapacityLimiter, ACancelledWaiterLeavesTheLine) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        co_await l.acquire();
        std::vector<int> order;
        auto waiter = create_task(acquire_and_note, std::ref(l), std::ref(order), 1);
        co_await rondo::yield();
        waiter.cancel();
        EXPECT_TRUE((co_await as_result(waiter)).cancelled());
        EXPECT_EQ(l.statistics().tasks_waiting, 0u);
        l.release();
        EXPECT_EQ(l.available_tokens(), 1u);
    });
}

TEST_P(CapacityLimiter, AScopeEndsTheWaitAndDoesNotTakeAwayAToken) {
    run([&]() -> coro<> {
        capacity_limiter l(0);
        EXPECT_FALSE((co_await rondo::move_on_after(0ms, l.acquire())).has_value());
        rondo::cancel_scope scope;
        auto t = create_task([&]() -> coro<bool> {
            co_return (co_await scope.run([&]() -> coro<> { co_await l.acquire(); })).has_value();
        });
        co_await rondo::yield();
        l.set_total_tokens(1);
        scope.cancel();
        EXPECT_TRUE(co_await t);
        EXPECT_EQ(l.available_tokens(), 0u);
    });
}

TEST_P(CapacityLimiter, GrowsAndShrinks) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        std::vector<int> order;
        std::vector<task<>> tasks;
        for (int i = 0; i < 4; ++i) tasks.push_back(create_task(acquire_and_note, std::ref(l), std::ref(order), i));
        co_await pass_by(2);
        EXPECT_THAT(order, ElementsAre(0));
        l.set_total_tokens(3);
        co_await pass_by(2);
        EXPECT_THAT(order, ElementsAre(0, 1, 2));
        l.set_total_tokens(1);
        EXPECT_EQ(l.borrowed_tokens(), 3u) << "nobody loses anything";
        EXPECT_EQ(l.available_tokens(), 0u);
        const void* const holders[] = {&tasks[0].record(), &tasks[1].record(), &tasks[2].record()};
        l.release_on_behalf_of(holders[0]);
        l.release_on_behalf_of(holders[1]);
        co_await pass_by(2);
        EXPECT_THAT(order, ElementsAre(0, 1, 2)) << "one is still borrowed, and one is all there are";
        l.release_on_behalf_of(holders[2]);
        co_await tasks[3];
        EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
    });
}

TEST_P(CapacityLimiter, NamesItsBorrowersLongestFirst) {
    run([&]() -> coro<> {
        capacity_limiter l(3);
        std::vector<int> order;
        std::vector<task<>> tasks;
        for (const char* name : {"zoe", "adam", "mia", "late"})
            tasks.push_back(create_task({.name = name}, acquire_and_note, std::ref(l), std::ref(order), 0));
        co_await rondo::yield();
        auto now = l.statistics();
        EXPECT_EQ(now.total_tokens, 3u);
        EXPECT_EQ(now.borrowed_tokens, 3u);
        EXPECT_EQ(now.tasks_waiting, 1u);
        EXPECT_THAT(now.borrowers, ElementsAre("zoe", "adam", "mia"));
        l.release_on_behalf_of(&tasks[1].record());
        now = l.statistics();
        EXPECT_EQ(now.borrowed_tokens, 3u);
        EXPECT_EQ(now.tasks_waiting, 0u);
        EXPECT_THAT(now.borrowers, ElementsAre("zoe", "mia", "late")) << "the last one's is on its way";
        co_await tasks[3];
    });
}

TEST_P(CapacityLimiter, KeepsTheNameOfABorrowerThatHasEndedWithoutReleasing) {
    run([&]() -> coro<> {
        capacity_limiter l(2);
        std::vector<int> order;
        co_await create_task({.name = "careless"}, acquire_and_note, std::ref(l), std::ref(order), 1);
        for (int i = 0; i < 20; ++i) // one of these would get its address, were it forgotten
            co_await create_task({.name = "careful"}, [&]() -> coro<> { auto token = co_await l.scoped_acquire(); });
        EXPECT_THAT(l.statistics().borrowers, ElementsAre("careless"));
    });
}

TEST_P(CapacityLimiter, AGuardGivesTheTokenBack) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        {
            guard<capacity_limiter> token = co_await l.scoped_acquire();
            EXPECT_EQ(l.borrowed_tokens(), 1u);
        }
        EXPECT_EQ(l.borrowed_tokens(), 0u);
        l.acquire_nowait();
        { guard<capacity_limiter> taken_over(l); }
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(CapacityLimiter, AGuardMayMoveToAnotherTask) {
    run([&]() -> coro<> {
        capacity_limiter l(2);
        auto token = co_await l.scoped_acquire();
        auto other =
            co_await create_task([&]() -> coro<guard<capacity_limiter>> { co_return co_await l.scoped_acquire(); });
        co_await create_task(
            [&](guard<capacity_limiter> mine) -> coro<> {
                EXPECT_EQ(l.borrowed_tokens(), 2u);
                mine.unlock();
                EXPECT_THROW(mine.unlock(), rondo::runtime_error);
                EXPECT_EQ(l.borrowed_tokens(), 1u);
                co_return;
            },
            std::move(token));
        token = std::move(other);
        EXPECT_EQ(l.borrowed_tokens(), 1u);
        token = guard<capacity_limiter>(std::move(token));
        token.unlock();
        EXPECT_EQ(l.borrowed_tokens(), 0u);
    });
}

TEST_P(CapacityLimiter, AGuardOfATaskThatEndsWithTheLoopGivesTheTokenBack) {
    capacity_limiter l(1);
    auto holder = loop().create_task(
        [](capacity_limiter& of) -> coro<> {
            auto token = co_await of.scoped_acquire();
            co_await rondo::sleep_forever();
        },
        std::ref(l));
    auto waiter = loop().create_task(l.acquire());
    run_passes(2);
    EXPECT_EQ(l.available_tokens(), 0u);
    loop().close();
    EXPECT_TRUE(holder.cancelled());
    EXPECT_TRUE(waiter.cancelled());
    EXPECT_EQ(l.available_tokens(), 1u);
}

TEST_P(CapacityLimiter, WaitingInAnotherLoopThanTheFirstThrows) {
    capacity_limiter l(1);
    run([&]() -> coro<> {
        l.acquire_nowait();
        auto waiter = create_task(l.acquire());
        co_await rondo::yield();
        l.release();
        co_await waiter;
    });
    end_loop();
    rondo::run([&]() -> coro<> {
        std::string message;
        try {
            co_await l.acquire();
        } catch (const rondo::runtime_error& error) {
            message = error.what();
        }
        EXPECT_EQ(message, "a capacity_limiter is bound to a different event loop");
    });
}

TEST_P(CapacityLimiter, DestroyedWhileTasksWaitFailsThem) {
    run([&]() -> coro<> {
        auto l = std::make_unique<capacity_limiter>(0);
        auto promised = create_task(l->acquire());
        auto waiting = create_task(l->acquire());
        co_await rondo::yield();
        l->set_total_tokens(1);
        l.reset();
        EXPECT_TRUE((co_await as_result(promised)).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await as_result(waiting)).holds<rondo::runtime_error>());
    });
}

TEST_P(CapacityLimiter, AWaiterNamesTheBorrowersAndWaitsForThem) {
    run([&]() -> coro<> {
        capacity_limiter l(2);
        std::vector<int> order;
        auto a = create_task({.name = "a"}, acquire_and_note, std::ref(l), std::ref(order), 1);
        const int job = 0;
        co_await a;
        co_await l.acquire_on_behalf_of(&job, "job");
        auto waiter = create_task(l.acquire());
        co_await rondo::yield();
        EXPECT_EQ(description_of(waiter), "waiting for one of 2 tokens, borrowed by 'a', 'job'");
        std::vector<const rondo::detail::future_state*> who;
        waiter.record().blocked_on->waits_for(who);
        EXPECT_THAT(who, ElementsAre(a.state())) << "a job is no task";
        l.set_total_tokens(5);
        co_await waiter;
        for (int i = 0; i < 2; ++i) co_await create_task(l.acquire());
        auto last = create_task(l.acquire());
        co_await rondo::yield();
        EXPECT_THAT(description_of(last), HasSubstr(" and 2 more"));
        l.set_total_tokens(6);
        co_await last;
    });
}

TEST_P(CapacityLimiter, AcquiringCountsAgainstTheBudget) {
    run([&]() -> coro<> {
        capacity_limiter l(1);
        co_await rondo::yield();
        const auto before = passes();
        for (int i = 0; i < 128; ++i) auto token = co_await l.scoped_acquire();
        EXPECT_EQ(passes(), before);
        auto token = co_await l.scoped_acquire();
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(CapacityLimiter, ALoanInSteadyStateAllocatesNothing) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run([&]() -> coro<> {
        capacity_limiter l(1);
        bool over = false;
        const auto borrow = [&](int n) -> coro<> {
            while (n-- > 0) {
                auto token = co_await l.scoped_acquire();
                co_await rondo::yield();
            }
        };
        auto other = create_task([&]() -> coro<> {
            while (!over) co_await borrow(1);
        });
        co_await borrow(64);
        const auto calls = rondo::test::operator_new_calls();
        const auto refills = rondo::detail::block_refills();
        co_await borrow(1000);
        EXPECT_EQ(rondo::test::operator_new_calls(), calls);
        EXPECT_EQ(rondo::detail::block_refills(), refills);
        over = true;
        co_await other;
    });
}

// Against a map, with addresses that collide as those of blocks of one size do.
TEST(BorrowerTable, BehavesLikeAMapOverAnyMixOfInsertAndErase) {
    rondo::detail::borrower_table table;
    std::map<std::uintptr_t, int> model;
    std::mt19937 random(11);
    for (int step = 0; step < 20000; ++step) {
        const std::uintptr_t number = 64 * (1 + random() % 97);
        const void* const key = reinterpret_cast<const void*>(number); // NOLINT(performance-no-int-to-ptr)
        EXPECT_EQ(table.contains(key), model.contains(number));
        if (random() % 100 < ((step / 2000) % 2 ? 35u : 65u)) {
            if (model.emplace(number, step).second) table.insert({.key = key, .given_name = std::to_string(step)});
        } else {
            EXPECT_EQ(table.erase(key), model.erase(number) == 1);
        }
        EXPECT_EQ(table.size(), model.size());
        if (step % 100 != 0) continue;
        const auto in_order = table.in_order();
        EXPECT_EQ(in_order.size(), model.size());
        int last = -1;
        for (const auto* b : in_order) {
            const int begun = std::stoi(b->given_name);
            EXPECT_EQ(model.at(reinterpret_cast<std::uintptr_t>(b->key)), begun);
            EXPECT_GT(begun, last);
            last = begun;
        }
    }
}

} // namespace
