// task_group: asyncio.TaskGroup's rules (Python 3.14, and cancel() of 3.15).
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/task_group.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class TaskGroup : public test::loop_test {
protected:
    coro<> forever() {
        const auto r = co_await as_result(sleep_forever());
        if (r.cancelled()) ++cancelled;
        r.value();
    }
    static coro<> fail(int after_passes, std::string what) {
        co_await pass_by(after_passes);
        throw std::out_of_range(std::move(what));
    }
    int cancelled = 0;
};
RONDO_IN_EACH_WORLD(TaskGroup);

/// What the members of a group say, in its order; empty when it is no group.
template <class T> std::vector<std::string> said(const result<T>& outcome) {
    std::vector<std::string> texts;
    const std::exception_ptr error = outcome.error();
    if (const auto* group = detail::exception_cast<exception_group>(error)) {
        for (const auto& e : group->exceptions()) {
            const auto* known = detail::exception_cast<std::exception>(e);
            texts.emplace_back(known ? known->what() : detail::describe_exception(e));
        }
    }
    return texts;
}
using texts = std::vector<std::string>;

TEST_P(TaskGroup, WaitsForItsChildrenAndGivesTheValueOfTheBody) {
    run([]() -> coro<> {
        std::vector<int> done;
        auto child = [&](int id) -> coro<> {
            co_await pass_by(id);
            done.push_back(id);
        };
        const int value = co_await task_group::run([&](task_group& group) -> coro<int> {
            group.create_task(child, 3);
            group.create_task({.name = "two"}, child, 2);
            group.start_soon(child, 1);
            EXPECT_EQ(group.size(), 3u);
            co_return 8;
        });
        EXPECT_EQ(value, 8);
        EXPECT_EQ(done, (std::vector<int>{1, 2, 3}));
    });
}

TEST_P(TaskGroup, EmptyCostsNoPass) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        co_await task_group::run([](task_group&) -> coro<> { co_return; });
        auto p = co_await task_group::run([]() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(1); });
        EXPECT_EQ(*p, 1);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(TaskGroup, AChildsHandleIsANormalOne) {
    run([]() -> coro<> {
        co_await task_group::run([](task_group& group) -> coro<> {
            auto t = group.create_task([](int x) -> coro<int> { co_return 2 * x; }, 4);
            EXPECT_EQ(co_await t, 8);
            EXPECT_EQ(group.size(), 0u);
        });
    });
}

TEST_P(TaskGroup, ChildrenMayCreateChildrenWhileItIsEnding) {
    run([]() -> coro<> {
        int ran = 0;
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([&]() -> coro<> {
                co_await pass_by(2);
                group.start_soon([&]() -> coro<> {
                    co_await yield();
                    ++ran;
                });
                ++ran;
            });
            co_return;
        });
        EXPECT_EQ(ran, 2);
    });
}

TEST_P(TaskGroup, TheFirstFailureCancelsTheOthersOnceAndTheBody) {
    run([&]() -> coro<> {
        bool body_interrupted = false;
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([this] { return forever(); });
            group.start_soon([this] { return forever(); });
            group.start_soon(fail, 2, "first");
            const auto body = co_await as_result(sleep_forever());
            body_interrupted = body.cancelled();
            body.value();
        }));
        EXPECT_EQ(said(r), texts{"first"});
        EXPECT_EQ(cancelled, 2);
        EXPECT_TRUE(body_interrupted);
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await yield(); // nothing is pending
    });
}

TEST_P(TaskGroup, ErrorsComeInTheOrderInWhichTheyHappenedTheBodysLast) {
    run([]() -> coro<> {
        const auto stubborn = [](int passes, std::string what) -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_await pass_by(passes);
            throw std::out_of_range(what);
        };
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.start_soon(stubborn, 4, "third");
            group.start_soon(stubborn, 2, "second");
            group.start_soon(fail, 1, "first");
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("body");
        }));
        EXPECT_EQ(said(r), (texts{"first", "second", "third", "body"}));
    });
}

TEST_P(TaskGroup, ASingleErrorIsGroupedToo) {
    run([]() -> coro<> {
        const auto r = co_await as_result(task_group::run([](task_group&) -> coro<> {
            throw std::out_of_range("only");
            co_return;
        }));
        EXPECT_EQ(said(r), texts{"only"});
        EXPECT_EQ(detail::exception_cast<exception_group>(r.error())->message(), "unhandled errors in a task group");
    });
}

TEST_P(TaskGroup, ABodyThatFailsCancelsTheChildren) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([this] { return forever(); });
            co_await yield();
            throw std::out_of_range("body");
        }));
        EXPECT_EQ(said(r), texts{"body"});
        EXPECT_EQ(cancelled, 1);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroup, ABodyThatThrowsBeforeItIsACoroutineCancelsTheChildren) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([this] { return forever(); });
            throw std::out_of_range("no coroutine");
        }));
        EXPECT_EQ(said(r), texts{"no coroutine"});
        EXPECT_EQ(cancelled, 0); // it never started
    });
}

TEST_P(TaskGroup, ACancelledChildIsIgnored) {
    run([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            auto victim = group.create_task([this] { return forever(); });
            auto other = group.create_task([]() -> coro<int> {
                co_await pass_by(4);
                co_return 1;
            });
            co_await yield();
            victim.cancel();
            EXPECT_EQ(co_await other, 1);
        });
        EXPECT_EQ(cancelled, 1);
    });
}

TEST_P(TaskGroup, AChildThatSwallowsTheCancellationIsWaitedFor) {
    run([]() -> coro<> {
        bool finished = false;
        const auto r = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([&]() -> coro<> {
                static_cast<void>(co_await as_result(sleep_forever()));
                co_await pass_by(5);
                finished = true;
            });
            group.start_soon(fail, 1, "x");
            co_return;
        }));
        EXPECT_TRUE(finished);
        EXPECT_EQ(said(r), texts{"x"});
    });
}

TEST_P(TaskGroup, CancelledFromOutsideItCancelsTheChildrenAndGoesOn) {
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                group.start_soon([this] { return forever(); });
                co_await sleep_forever();
            });
            ADD_FAILURE();
        });
        auto u = create_task([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                group.start_soon([this] { return forever(); });
                co_return; // already waiting for its children
            });
            ADD_FAILURE();
        });
        co_await pass_by(2);
        t.cancel();
        u.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_TRUE((co_await as_result(u)).cancelled());
        EXPECT_EQ(cancelled, 2);
        EXPECT_EQ(t.cancelling(), 1);
        EXPECT_EQ(u.cancelling(), 1);
    });
}

TEST_P(TaskGroup, AnErrorDuringAnOuterCancellationIsThrownAndTheCancellationComesNext) {
    run([]() -> coro<> {
        bool next_await_cancelled = false;
        auto t = create_task([&]() -> coro<> {
            const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
                group.start_soon([]() -> coro<> {
                    static_cast<void>(co_await as_result(sleep_forever()));
                    throw std::out_of_range("in cleanup");
                });
                co_await sleep_forever();
            }));
            EXPECT_EQ(said(r), texts{"in cleanup"});
            EXPECT_EQ(current_task().cancelling(), 1);
            next_await_cancelled = (co_await as_result(yield())).cancelled();
            co_await yield(); // once
        });
        co_await pass_by(2);
        t.cancel();
        co_await t;
        EXPECT_TRUE(next_await_cancelled);
    });
}

TEST_P(TaskGroup, AnOuterCancellationWhileItIsShuttingDownIsDeliveredOnce) {
    run([&]() -> coro<> {
        // The group was ended by cancel(), so there are no errors; the cancellation from outside comes while it waits.
        int delivered = 0;
        auto t = create_task([&]() -> coro<> {
            const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
                group.start_soon([]() -> coro<> {
                    static_cast<void>(co_await as_result(sleep_forever()));
                    co_await pass_by(5);
                });
                co_await yield();
                group.cancel();
                co_await sleep_forever();
            }));
            if (r.cancelled()) ++delivered;
            for (int i = 0; i < 3; ++i) {
                if ((co_await as_result(yield())).cancelled()) ++delivered;
            }
        });
        co_await pass_by(5);
        t.cancel();
        co_await t;
        EXPECT_EQ(delivered, 1);
        EXPECT_EQ(t.cancelling(), 1);
    });
}

TEST_P(TaskGroup, AnOuterCancellationWhileAFailedOneWaitsIsNotLost) {
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<> {
            const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
                group.start_soon([]() -> coro<> {
                    static_cast<void>(co_await as_result(sleep_forever()));
                    co_await pass_by(5);
                });
                group.start_soon(fail, 1, "x");
                co_return;
            }));
            EXPECT_EQ(said(r), texts{"x"});
            co_await yield();
            ADD_FAILURE() << "the cancellation was to be thrown here";
        });
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(TaskGroup, NestedAnInnerFailureFailsTheOuterGroupsToo) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& outer) -> coro<> {
            outer.start_soon([this] { return forever(); });
            co_await task_group::run([&](task_group& inner) -> coro<> {
                inner.start_soon([this] { return forever(); });
                inner.start_soon(fail, 1, "deep");
                co_await sleep_forever();
            });
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(group && group->contains<std::out_of_range>());
        EXPECT_TRUE(group && group->size() == 1u && detail::exception_cast<exception_group>(group->exceptions()[0]));
        EXPECT_EQ(cancelled, 2);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroup, NestedAFailureOfTheOuterGroupEndsTheInnerOneWithoutAnErrorOfItsOwn) {
    run([&]() -> coro<> {
        bool inner_cancelled = false;
        const auto r = co_await as_result(task_group::run([&](task_group& outer) -> coro<> {
            outer.start_soon(fail, 3, "outer child");
            const auto inner = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
                group.start_soon([this] { return forever(); });
                co_await sleep_forever();
            }));
            inner_cancelled = inner.cancelled();
            inner.value();
        }));
        EXPECT_TRUE(inner_cancelled);
        EXPECT_EQ(said(r), texts{"outer child"});
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TaskGroup, BothNestedGroupsFailAtTheSameTime) {
    run([&]() -> coro<> {
        const auto r = co_await as_result(task_group::run([&](task_group& outer) -> coro<> {
            outer.start_soon(fail, 2, "outer");
            co_await task_group::run([&](task_group& inner) -> coro<> {
                inner.start_soon(fail, 2, "inner");
                co_await sleep_forever();
            });
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_EQ(group ? group->size() : 0u, 2u);
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await yield();
    });
}

TEST_P(TaskGroup, TakesNoChildrenWhenItIsShuttingDownOrHasEnded) {
    run([]() -> coro<> {
        int living = 0;
        const auto idle = [](test::tracked) -> coro<> { co_return; };
        std::unique_ptr<task_group> group = std::make_unique<task_group>();
        group->cancel();
        EXPECT_THROW(group->create_task(idle, test::tracked(living)), runtime_error);
        EXPECT_THROW(group->create_task(idle(test::tracked(living))), runtime_error);
        EXPECT_THROW(group->start_soon(idle, test::tracked(living)), runtime_error);
        co_await group->join();
        EXPECT_THROW(group->create_task(idle, test::tracked(living)), runtime_error);
        group->cancel(); // does nothing
        EXPECT_EQ(living, 0);
        co_await yield();
    });
}

TEST_P(TaskGroup, NeedsARunningTask) {
    loop().call_soon([&] {
        EXPECT_THROW(task_group(), runtime_error);
        loop().stop();
    });
    loop().run_forever();
}

TEST_P(TaskGroup, AnExitRequestOfAChildIsThrownAloneAndTheOtherErrorsAreReported) {
    task<> main = loop().create_task([&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            group.start_soon([]() -> coro<> {
                static_cast<void>(co_await as_result(sleep_forever()));
                throw std::out_of_range("other");
            });
            group.start_soon([]() -> coro<> {
                co_await yield();
                throw system_exit(3);
            });
            co_await sleep_forever();
        });
    });
    EXPECT_THROW(loop().run_until_complete(main), system_exit); // at once, out of the loop
    EXPECT_THROW(loop().run_until_complete(main), system_exit); // and as the group's outcome
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

} // namespace
} // namespace rondo
