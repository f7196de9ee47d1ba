// task_group::cancel(), its scope, the manual form, and eager children.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/task_group.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class TaskGroupCancel : public test::loop_test {
protected:
    coro<> forever() {
        const auto r = co_await as_result(sleep_forever());
        if (r.cancelled()) ++cancelled;
        r.value();
    }
    int cancelled = 0;
};
RONDO_IN_EACH_WORLD(TaskGroupCancel);
class TaskGroupManual : public TaskGroupCancel {};
RONDO_IN_EACH_WORLD(TaskGroupManual);
class TaskGroupEager : public TaskGroupCancel {};
RONDO_IN_EACH_WORLD(TaskGroupEager);

TEST_P(TaskGroupCancel, EndsChildrenAndBodyWithoutCancelledError) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([this] { return forever(); });
            group.start_soon([this] { return forever(); });
            co_await yield();
            group.cancel("enough");
            group.cancel("idempotent");
            co_await sleep_forever();
            ADD_FAILURE();
        });
        EXPECT_EQ(cancelled, 2);
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await yield();
    });
}

TEST_P(TaskGroupCancel, FromAChildOrACallbackInterruptsTheBody) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([&]() -> coro<> {
                co_await yield();
                group.cancel();
            });
            co_await sleep_forever();
        });
        co_await task_group::run([&](task_group& group) -> coro<> {
            loop().call_soon([&] { group.cancel(); });
            co_await sleep_forever();
        });
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroupCancel, ABodyThatReturnsBeforeItIsInterruptedGivesItsValue) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await task_group::run([&](task_group& group) -> coro<int> {
                      group.start_soon([this] { return forever(); });
                      group.cancel();
                      co_return 4;
                  }),
                  4);
        co_await yield();
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroupCancel, ABodyWithAValueThatWasInterruptedHasNone) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<int> {
            group.cancel();
            co_await yield();
            co_return 4;
        }));
        EXPECT_TRUE(r.holds<invalid_state_error>());
    });
}

TEST_P(TaskGroupCancel, ErrorsOnTheWayOutSurface) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([]() -> coro<> {
                static_cast<void>(co_await as_result(sleep_forever()));
                throw std::out_of_range("in cleanup");
            });
            co_await yield();
            group.cancel();
            co_await yield();
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(group && group->contains<std::out_of_range>());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroupCancel, WhileItWaitsForItsChildrenEndsThem) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([this] { return forever(); });
            loop().call_later(1ms, [&] { group.cancel(); });
            co_return;
        });
        EXPECT_EQ(cancelled, 1);
    });
}

TEST_P(TaskGroupCancel, DoesNotAbsorbACancellationFromOutside) {
    run([&]() -> coro<> {
        task_group* inner = nullptr;
        auto t = create_task([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                inner = &group;
                co_await sleep_forever();
            });
            ADD_FAILURE();
        });
        co_await yield();
        inner->cancel();
        t.cancel("outside");
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(t.cancelling(), 1);
    });
}

TEST_P(TaskGroupCancel, ItsScopeIsLevelTriggeredAroundBodyAndChildren) {
    run([&]() -> coro<> {
        int noticed = 0;
        const auto notice_twice = [&]() -> coro<> {
            if ((co_await as_result(sleep_forever())).cancelled()) ++noticed;
            if ((co_await as_result(sleep_forever())).cancelled()) ++noticed;
            co_await yield();
        };
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.start_soon(notice_twice);
            co_await yield();
            group.cancel_scope().cancel();
            co_await notice_twice();
        });
        EXPECT_EQ(noticed, 4);
        co_await yield();
    });
}

TEST_P(TaskGroupCancel, ItsScopeMayHaveADeadline) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.cancel_scope().set_deadline(clock::now() + 1ms);
            group.start_soon([this] { return forever(); });
            co_return;
        });
        EXPECT_EQ(cancelled, 1);
    });
}

TEST_P(TaskGroupCancel, AChildThatIsMadeInACancelledScopeIsCancelledAtItsFirstSuspension) {
    run([&]() -> coro<> {
        bool ran = false;
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.cancel_scope().cancel();
            group.start_soon([&]() -> coro<> {
                ran = true;
                co_await forever();
            });
            co_return;
        });
        EXPECT_TRUE(ran);
        EXPECT_EQ(cancelled, 1);
    });
}

TEST_P(TaskGroupManual, JoinWaitsAndThrowsAsRunDoes) {
    run([&]() -> coro<> {
        task_group good;
        auto t = good.create_task([]() -> coro<int> { co_return 1; });
        co_await good.join();
        EXPECT_EQ(t.result(), 1);

        task_group bad;
        bad.start_soon([this] { return forever(); });
        bad.start_soon([]() -> coro<> {
            co_await yield();
            throw std::out_of_range("x");
        });
        EXPECT_TRUE((co_await as_result(bad.join())).holds<exception_group>());
        EXPECT_EQ(cancelled, 1);
    });
}

TEST_P(TaskGroupManual, IsJoinedOnceAndByTheTaskThatMadeIt) {
    run([&]() -> coro<> {
        task_group group;
        group.start_soon([]() -> coro<> { co_await pass_by(3); });
        auto stranger = create_task([&]() -> coro<> { co_await group.join(); });
        EXPECT_TRUE((co_await as_result(stranger)).holds<runtime_error>());
        co_await group.join();
        EXPECT_TRUE((co_await as_result(group.join())).holds<runtime_error>());
        co_await yield(); // in no scope any more
    });
}

TEST_P(TaskGroupManual, TwoMayEndInTheOrderInWhichTheyBegan) {
    run([&]() -> coro<> {
        task_group first;
        task_group second;
        second.start_soon([]() -> coro<> { co_await pass_by(3); });
        first.start_soon([]() -> coro<> { co_await pass_by(5); });
        co_await first.join();
        second.cancel_scope().cancel();
        EXPECT_TRUE((co_await as_result(yield())).cancelled()); // still inside the second one
        co_await second.join();
        co_await yield(); // inside neither
    });
}

TEST_P(TaskGroupManual, DestroyedWithChildrenItCancelsThemAndLeavesThemToTheLoop) {
    run([&]() -> coro<> {
        int living = 0;
        {
            task_group group;
            group.start_soon(
                [&](test::tracked) -> coro<> {
                    cancel_scope own; // lies in the scope of a group that is gone
                    co_await own.run([&]() -> coro<> {
                        static_cast<void>(co_await as_result(sleep_forever()));
                        co_await pass_by(2);
                        own.cancel();
                        co_await sleep_forever();
                    });
                    co_await pass_by(2);
                },
                test::tracked(living));
            group.start_soon([this] { return forever(); });
            co_await yield();
        }
        EXPECT_EQ(living, 2);
        co_await pass_by(10);
        EXPECT_EQ(living, 0);
        EXPECT_EQ(cancelled, 1);
    });
}

TEST_P(TaskGroupManual, DestroyedInDebugModeWithChildrenItEndsTheProgram) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            auto debug = test::make_loop(GetParam(), true);
            debug->run_until_complete([]() -> coro<> {
                task_group group;
                group.start_soon([]() -> coro<> { co_await sleep_forever(); });
                co_return;
            }());
        },
        "task_group was destroyed with 1 children left");
}

TEST_P(TaskGroupManual, ErrorsOfAGroupThatWasNotJoinedAreReported) {
    run([&]() -> coro<> {
        task_group group;
        group.start_soon([]() -> coro<> {
            throw std::out_of_range("nobody asks");
            co_return;
        });
        static_cast<void>(co_await as_result(pass_by(3)));
    });
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

TEST_P(TaskGroupEager, AChildThatFailsAtOnceDoesNotCancelTheBodyBeforeItHasTheHandle) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            auto t = group.create_task({.eager_start = true}, []() -> coro<> {
                throw std::out_of_range("at once");
                co_return;
            });
            EXPECT_TRUE(t.done());
            EXPECT_EQ(current_task().cancelling(), 0);
            group.start_soon([this] { return forever(); });
            co_await sleep_forever();
        }));
        EXPECT_TRUE(r.holds<exception_group>());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroupEager, AChildThatFailsAtOnceFailsAGroupWhoseBodyReturns) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.create_task({.eager_start = true}, []() -> coro<> {
                throw std::out_of_range("at once");
                co_return;
            });
            co_return;
        }));
        EXPECT_TRUE(r.holds<exception_group>());
    });
}

TEST_P(TaskGroupEager, TasksThatAnEagerChildMakesAreNotInTheGroup) {
    run([&]() -> coro<> {
        task<int> outsider;
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.create_task({.eager_start = true}, [&]() -> coro<> {
                outsider = create_task([]() -> coro<int> {
                    co_await pass_by(5);
                    co_return 1;
                });
                co_return;
            });
            group.cancel_scope().cancel();
            co_await yield();
        });
        EXPECT_EQ(co_await outsider, 1);
    });
}

TEST_P(TaskGroupEager, TasksThatTheCallableMakesAreNotInTheGroup) {
    run([&]() -> coro<> {
        task<int> outsider;
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.create_task([&]() {
                outsider = create_task([]() -> coro<int> {
                    co_await pass_by(5);
                    co_return 1;
                });
                return forever();
            });
            co_await yield();
            group.cancel_scope().cancel();
            co_await yield();
        });
        EXPECT_EQ(cancelled, 1);
        EXPECT_EQ(co_await outsider, 1);
    });
}

TEST_P(TaskGroupEager, AScopeThatTheFirstStepEntersStaysItsInnermost) {
    run([&]() -> coro<> {
        bool inner_caught = false;
        cancel_scope* inner = nullptr;
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.create_task({.eager_start = true}, [&]() -> coro<> {
                cancel_scope scope;
                inner = &scope;
                co_await scope.run([]() -> coro<> { co_await sleep_forever(); });
                inner_caught = scope.cancelled_caught();
            });
            inner->cancel();
            co_return;
        });
        EXPECT_TRUE(inner_caught);
    });
}

TEST_P(TaskGroupEager, AChildWhoseFirstStepEndsTheGroupIsCancelledToo) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.create_task({.eager_start = true}, [&]() -> coro<> {
                group.cancel();
                co_await forever();
            });
            co_return;
        });
        EXPECT_EQ(cancelled, 1);
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.create_task({.eager_start = true}, [&]() -> coro<> {
                group.cancel_scope().cancel();
                co_await forever();
            });
            co_return;
        });
        EXPECT_EQ(cancelled, 2);
    });
}

} // namespace
} // namespace rondo
