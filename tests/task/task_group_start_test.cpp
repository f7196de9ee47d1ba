// task_group::start(): a child that says when it is ready (Trio's nursery.start).
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/task_group.hpp>

#include <memory>

namespace rondo {
namespace {

using test::pass_by;

class TaskGroupStart : public test::loop_test {};
RONDO_IN_EACH_WORLD(TaskGroupStart);

coro<> serve(task_status<int> status, int port, bool* ended) {
    co_await pass_by(2);
    status.started(port);
    const auto r = co_await as_result(sleep_forever());
    *ended = true;
    r.value();
}

TEST_P(TaskGroupStart, WaitsUntilTheChildSaysItHasStartedAndGivesTheValue) {
    run([]() -> coro<> {
        bool ended = false;
        co_await task_group::run([&](task_group& group) -> coro<> {
            EXPECT_EQ(co_await group.start<int>(serve, 80, &ended), 80);
            EXPECT_FALSE(ended);
            EXPECT_EQ(group.size(), 1u);
            group.cancel();
        });
        EXPECT_TRUE(ended);
    });
}

TEST_P(TaskGroupStart, WithoutAValueAndWithOneThatOnlyMoves) {
    run([]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            co_await group.start([](task_status<> status) -> coro<> {
                status.started();
                co_return;
            });
            auto p = co_await group.start<std::unique_ptr<int>>([](task_status<std::unique_ptr<int>> status) -> coro<> {
                status.started(std::make_unique<int>(3));
                co_return;
            });
            EXPECT_EQ(*p, 3);
        });
    });
}

TEST_P(TaskGroupStart, AChildThatFailsBeforeThatFailsStartAndNotTheGroup) {
    run([]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            const auto r = co_await as_result(group.start<int>([](task_status<int>) -> coro<> {
                co_await yield();
                throw std::out_of_range("port in use");
            }));
            EXPECT_TRUE(r.holds<std::out_of_range>());
            EXPECT_EQ(group.size(), 0u);
            co_await pass_by(3); // the group goes on
        });
    });
}

TEST_P(TaskGroupStart, AChildThatFailsAfterThatFailsTheGroup) {
    for (const int later : {0, 1}) {
        run([later]() -> coro<> {
            bool got_value = false;
            const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
                EXPECT_EQ(co_await group.start<int>([later](task_status<int> status) -> coro<> {
                    status.started(1);
                    co_await pass_by(later);
                    throw std::out_of_range("later");
                }),
                          1);
                got_value = true;
                co_await sleep_forever();
            }));
            EXPECT_EQ(got_value, later == 1); // in the same pass the group's cancellation comes first
            const auto* group = detail::exception_cast<exception_group>(r.error());
            EXPECT_TRUE(group && group->contains<std::out_of_range>());
        });
    }
}

TEST_P(TaskGroupStart, AChildThatReturnsBeforeThatIsAnError) {
    run([]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            const auto r = co_await as_result(group.start<int>([](task_status<int>) -> coro<> { co_return; }));
            EXPECT_TRUE(r.holds<runtime_error>());
        });
    });
}

TEST_P(TaskGroupStart, CancelledItCancelsTheChildAndTheGroupWaitsForIt) {
    run([]() -> coro<> {
        bool child_ended = false;
        auto t = create_task([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                co_await group.start<int>([&](task_status<int> status) -> coro<> {
                    const auto r = co_await as_result(sleep_forever());
                    co_await pass_by(3);
                    status.started(1); // nobody waits for it any more
                    child_ended = true;
                    r.value();
                });
            });
        });
        co_await pass_by(2);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_TRUE(child_ended);
    });
}

TEST_P(TaskGroupStart, WhatAChildFailsWithAfterStartWasCancelledIsTheGroups) {
    run([]() -> coro<> {
        const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
            cancel_scope limit;
            EXPECT_FALSE(co_await limit.run([&]() -> coro<> {
                limit.cancel();
                co_await group.start<int>([](task_status<int>) -> coro<> {
                    static_cast<void>(co_await as_result(sleep_forever()));
                    throw std::out_of_range("too late");
                });
            }));
            co_await sleep_forever();
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(group && group->contains<std::out_of_range>());
    });
}

TEST_P(TaskGroupStart, AStartingChildIsCancelledWithItsGroup) {
    run([]() -> coro<> {
        const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
            group.start_soon([]() -> coro<> {
                co_await pass_by(2);
                throw std::out_of_range("elsewhere");
            });
            co_await group.start<int>([](task_status<int>) -> coro<> { co_await sleep_forever(); });
        }));
        EXPECT_TRUE(r.holds<exception_group>());
    });
}

TEST_P(TaskGroupStart, TheGroupWaitsForAChildThatAnotherTaskIsStarting) {
    run([]() -> coro<> {
        task<int> starter;
        co_await task_group::run([&](task_group& group) -> coro<> {
            starter = create_task([&]() -> coro<int> {
                co_return co_await group.start<int>([](task_status<int> status) -> coro<> {
                    co_await pass_by(4);
                    status.started(6);
                });
            });
            co_await pass_by(2);
        });
        EXPECT_EQ(co_await starter, 6);
    });
}

TEST_P(TaskGroupStart, StartedTwiceIsAnErrorOfTheChild) {
    run([]() -> coro<> {
        const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
            co_await group.start([](task_status<> status) -> coro<> {
                status.started();
                co_await pass_by(2);
                status.started();
            });
            co_await sleep_forever();
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(group && group->contains<invalid_state_error>());
    });
}

TEST_P(TaskGroupStart, IsRefusedByAGroupThatIsShuttingDown) {
    run([]() -> coro<> {
        co_await task_group::run([](task_group& group) -> coro<> {
            group.cancel();
            EXPECT_TRUE(
                (co_await as_result(group.start([](task_status<>) -> coro<> { co_return; }))).holds<runtime_error>());
        });
    });
}

TEST_P(TaskGroupStart, ItsArgumentsAreMovedIntoTheChild) {
    run([]() -> coro<> {
        co_await task_group::run([](task_group& group) -> coro<> {
            const int got = co_await group.start<int>(
                [](task_status<int> status, std::unique_ptr<int> p) -> coro<> {
                    status.started(*p);
                    co_return;
                },
                std::make_unique<int>(9));
            EXPECT_EQ(got, 9);
        });
    });
}

} // namespace
} // namespace rondo
