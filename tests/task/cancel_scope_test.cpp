// cancel_scope: level-triggered cancellation of a region of code (Trio's cancel scopes).
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/task_group.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class CancelScope : public test::loop_test {};
RONDO_IN_EACH_WORLD(CancelScope);

TEST_P(CancelScope, GivesTheValueOfItsBody) {
    run([]() -> coro<> {
        cancel_scope scope;
        const std::optional<int> value = co_await scope.run([]() -> coro<int> { co_return 3; });
        EXPECT_EQ(value, 3);
        EXPECT_FALSE(scope.cancel_called());
        EXPECT_FALSE(scope.cancelled_caught());
        cancel_scope other;
        EXPECT_TRUE(co_await other.run([](cancel_scope& self) -> coro<> {
            EXPECT_FALSE(self.cancel_called());
            co_return;
        }));
    });
}

TEST_P(CancelScope, CostsNoPass) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        cancel_scope scope;
        co_await scope.run([]() -> coro<> { co_return; });
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(CancelScope, AbsorbsItsOwnCancellationAtItsEnd) {
    run([&]() -> coro<> {
        cancel_scope scope;
        loop().call_soon([&] { scope.cancel("time for lunch"); });
        std::string reason;
        const auto value = co_await scope.run([&]() -> coro<int> {
            const auto r = co_await as_result(sleep_forever());
            reason = detail::exception_cast<cancelled_error>(r.error())->message();
            r.value();
            co_return 1;
        });
        EXPECT_EQ(value, std::nullopt);
        EXPECT_EQ(reason, "time for lunch");
        EXPECT_TRUE(scope.cancel_called());
        EXPECT_TRUE(scope.cancelled_caught());
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await yield(); // outside again: nothing is pending
    });
}

TEST_P(CancelScope, IsNoticedAtEverySuspensionUntilItIsLeft) {
    run([&]() -> coro<> {
        cancel_scope scope;
        int interrupted = 0;
        const auto value = co_await scope.run([&]() -> coro<int> {
            scope.cancel();
            for (int i = 0; i < 3; ++i) {
                if ((co_await as_result(sleep_forever())).cancelled()) ++interrupted;
                if ((co_await as_result(yield())).cancelled()) ++interrupted;
            }
            co_return 9;
        });
        EXPECT_EQ(interrupted, 6);
        EXPECT_EQ(value, 9); // a body that ends with a value has ended with a value
        EXPECT_FALSE(scope.cancelled_caught());
    });
}

TEST_P(CancelScope, NeverTakesAwayAValueThatWasGiven) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        cancel_scope scope;
        loop().call_soon([&] {
            f.set_result(5);
            scope.cancel();
        });
        int got = 0;
        const auto value = co_await scope.run([&]() -> coro<int> {
            got = co_await f;
            co_await yield();
            co_return 0;
        });
        EXPECT_EQ(got, 5);
        EXPECT_EQ(value, std::nullopt);
    });
}

TEST_P(CancelScope, DoesNotInterruptWhatDoesNotSuspend) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(1);
        cancel_scope scope;
        scope.cancel(); // before entering
        const auto value = co_await scope.run([&]() -> coro<int> { co_return co_await f; });
        EXPECT_EQ(value, 1);
    });
}

TEST_P(CancelScope, IsUsedOnce) {
    run([]() -> coro<> {
        cancel_scope scope;
        co_await scope.run([]() -> coro<> { co_return; });
        EXPECT_TRUE((co_await as_result(scope.run([]() -> coro<> { co_return; }))).holds<runtime_error>());
        scope.cancel(); // after its end: nothing to cancel
        co_await yield();
    });
}

TEST_P(CancelScope, LetsTheErrorOfItsBodyGoOn) {
    run([]() -> coro<> {
        cancel_scope scope;
        const auto r = co_await as_result(scope.run([&]() -> coro<> {
            scope.cancel();
            static_cast<void>(co_await as_result(yield()));
            throw std::out_of_range("while unwinding");
        }));
        EXPECT_TRUE(r.holds<std::out_of_range>());
        EXPECT_FALSE(scope.cancelled_caught());
    });
}

TEST_P(CancelScope, EndsWhenItsBodyThrowsBeforeItIsACoroutine) {
    run([&]() -> coro<> {
        cancel_scope scope;
        const auto r = co_await as_result(scope.run([&]() -> coro<> {
            return throw std::out_of_range("no coroutine"), coro<>([]() -> coro<> { co_return; }());
        }));
        EXPECT_TRUE(r.holds<std::out_of_range>());
        scope.cancel();
        co_await yield(); // the scope is not around this any more
    });
}

TEST_P(CancelScope, DoesNotAbsorbATaskCancel) {
    run([&]() -> coro<> {
        bool beyond = false;
        auto t = create_task([&]() -> coro<> {
            cancel_scope scope;
            co_await scope.run([&]() -> coro<> { co_await sleep_forever(); });
            beyond = true;
        });
        co_await yield();
        t.cancel("from outside");
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_FALSE(beyond);
    });
}

TEST_P(CancelScope, ATaskCancelBesideItsOwnGoesOnAfterIt) {
    for (const bool scope_first : {false, true}) {
        run([&, scope_first]() -> coro<> {
            bool beyond = false;
            cancel_scope* inner = nullptr;
            auto t = create_task([&]() -> coro<> {
                cancel_scope scope;
                inner = &scope;
                co_await scope.run([&]() -> coro<> { co_await sleep_forever(); });
                beyond = true;
            });
            co_await yield();
            if (scope_first) inner->cancel();
            t.cancel("both at once");
            if (!scope_first) inner->cancel();
            EXPECT_TRUE((co_await as_result(t)).cancelled());
            EXPECT_FALSE(beyond);
        });
    }
}

TEST_P(CancelScope, TheOutermostCancelledOneAbsorbs) {
    run([&]() -> coro<> {
        cancel_scope outer;
        cancel_scope inner;
        bool between = false;
        loop().call_soon([&] {
            inner.cancel();
            outer.cancel();
        });
        const auto value = co_await outer.run([&]() -> coro<int> {
            co_await inner.run([]() -> coro<> { co_await sleep_forever(); });
            between = true;
            co_await yield();
            co_return 1;
        });
        EXPECT_EQ(value, std::nullopt);
        EXPECT_FALSE(between);
        EXPECT_FALSE(inner.cancelled_caught());
        EXPECT_TRUE(outer.cancelled_caught());
    });
}

TEST_P(CancelScope, TheInnerOneAloneEndsOnlyItself) {
    run([&]() -> coro<> {
        cancel_scope outer;
        const auto value = co_await outer.run([]() -> coro<int> {
            cancel_scope inner;
            inner.cancel();
            EXPECT_FALSE(co_await inner.run([]() -> coro<> { co_await sleep_forever(); }));
            co_await yield();
            co_return 1;
        });
        EXPECT_EQ(value, 1);
    });
}

TEST_P(CancelScope, AShieldHidesTheOnesAroundIt) {
    run([&]() -> coro<> {
        cancel_scope outer;
        bool cleaned_up = false;
        outer.cancel();
        const auto value = co_await outer.run([&]() -> coro<int> {
            cancel_scope shield({.shield = true});
            EXPECT_TRUE(co_await shield.run([&]() -> coro<> {
                co_await pass_by(3);
                cleaned_up = true;
            }));
            co_await yield();
            co_return 1;
        });
        EXPECT_TRUE(cleaned_up);
        EXPECT_EQ(value, std::nullopt);
        EXPECT_TRUE(outer.cancelled_caught());
    });
}

TEST_P(CancelScope, AShieldDoesNotHideItsOwnCancellationNorATaskCancel) {
    run([&]() -> coro<> {
        cancel_scope shield({.shield = true});
        shield.cancel();
        EXPECT_FALSE(co_await shield.run([]() -> coro<> { co_await sleep_forever(); }));

        auto t = create_task([]() -> coro<> {
            cancel_scope scope({.shield = true});
            co_await scope.run([]() -> coro<> { co_await sleep_forever(); });
        });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(CancelScope, LoweringTheShieldLetsACancellationThrough) {
    run([&]() -> coro<> {
        cancel_scope outer;
        cancel_scope shield({.shield = true});
        outer.cancel();
        loop().call_soon([&] { shield.set_shield(false); });
        EXPECT_FALSE(
            co_await outer.run([&]() -> coro<> { co_await shield.run([]() -> coro<> { co_await sleep_forever(); }); }));
        EXPECT_FALSE(shield.cancelled_caught());
        EXPECT_TRUE(outer.cancelled_caught());
    });
}

TEST_P(CancelScope, AShieldThatGoesUpTooLateDoesNotLoseTheCancellation) {
    run([&]() -> coro<> {
        cancel_scope outer;
        cancel_scope shield;
        loop().call_soon([&] {
            outer.cancel("just in time");
            shield.set_shield(true);
        });
        EXPECT_FALSE(
            co_await outer.run([&]() -> coro<> { co_await shield.run([]() -> coro<> { co_await sleep_forever(); }); }));
        EXPECT_TRUE(outer.cancelled_caught());
    });
}

TEST_P(CancelScope, ReachesTheChildrenOfTaskGroupsInsideButNotOtherTasks) {
    run([&]() -> coro<> {
        cancel_scope scope;
        int cancelled_children = 0;
        auto child = [&]() -> coro<> {
            for (int i = 0; i < 2; ++i) {
                if ((co_await as_result(sleep_forever())).cancelled()) ++cancelled_children;
            }
            co_await sleep_forever();
        };
        auto bystander = create_task([]() -> coro<int> {
            co_await pass_by(5);
            co_return 1;
        });
        loop().call_soon([&] { scope.cancel(); });
        EXPECT_FALSE(co_await scope.run([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                group.start_soon(child);
                group.start_soon(child);
                co_return;
            });
        }));
        EXPECT_EQ(cancelled_children, 4);
        EXPECT_EQ(co_await bystander, 1);
    });
}

TEST_P(CancelScope, ReachesAChildThatIsInsideAScopeOfItsOwn) {
    run([&]() -> coro<> {
        cancel_scope outer;
        bool inner_caught = false;
        loop().call_soon([&] { outer.cancel(); });
        EXPECT_FALSE(co_await outer.run([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                group.create_task([&]() -> coro<> {
                    cancel_scope inner;
                    test::at_exit note([&] { inner_caught = inner.cancelled_caught(); });
                    co_await inner.run([]() -> coro<> { co_await sleep_forever(); });
                });
                co_return;
            });
        }));
        EXPECT_FALSE(inner_caught);
    });
}

TEST_P(CancelScope, ADeadlineCancelsIt) {
    run([]() -> coro<> {
        cancel_scope scope({.deadline = clock::now() + 1ms});
        EXPECT_FALSE(co_await scope.run([]() -> coro<> { co_await sleep_forever(); }));
        EXPECT_TRUE(scope.cancelled_caught());
        EXPECT_GE(clock::now(), *scope.deadline());
    });
}

TEST_P(CancelScope, ADeadlineInThePastCancelsAtTheFirstSuspension) {
    run([&]() -> coro<> {
        cancel_scope scope({.deadline = clock::now() - 1h});
        bool started = false;
        EXPECT_FALSE(co_await scope.run([&]() -> coro<> {
            started = true;
            co_await yield();
            ADD_FAILURE();
        }));
        EXPECT_TRUE(started);
    });
}

TEST_P(CancelScope, TheDeadlineCanBeMovedWhileItIsActive) {
    run([&]() -> coro<> {
        cancel_scope later({.deadline = clock::now() + 1ms});
        EXPECT_TRUE(co_await later.run([&]() -> coro<> {
            later.set_deadline(std::nullopt);
            EXPECT_EQ(later.deadline(), std::nullopt);
            co_await sleep(2ms);
        }));
        EXPECT_FALSE(later.cancel_called());

        cancel_scope sooner({.deadline = clock::now() + 1h});
        EXPECT_FALSE(co_await sooner.run([&]() -> coro<> {
            sooner.set_deadline(clock::now() + 1ms);
            co_await sleep_forever();
        }));

        cancel_scope now;
        EXPECT_FALSE(co_await now.run([&]() -> coro<> {
            now.set_deadline(clock::now());
            EXPECT_TRUE(now.cancel_called());
            co_await yield();
        }));

        cancel_scope before; // before entering
        before.set_deadline(clock::now() - 1s);
        EXPECT_FALSE(before.cancel_called());
        EXPECT_FALSE(co_await before.run([]() -> coro<> { co_await yield(); }));
    });
}

TEST_P(CancelScope, TheEffectiveDeadlineIsTheEarliestUpToAShield) {
    run([]() -> coro<> {
        EXPECT_EQ(current_effective_deadline(), time_point::max());
        const time_point near = clock::now() + 1h;
        const time_point far = near + 1h;
        cancel_scope outer({.deadline = near});
        co_await outer.run([&]() -> coro<> {
            EXPECT_EQ(current_effective_deadline(), near);
            cancel_scope inner({.deadline = far});
            co_await inner.run([&]() -> coro<> {
                EXPECT_EQ(current_effective_deadline(), near);
                inner.set_shield(true);
                EXPECT_EQ(current_effective_deadline(), far);
                inner.cancel();
                EXPECT_EQ(current_effective_deadline(), time_point::min());
                co_return;
            });
            EXPECT_EQ(current_effective_deadline(), near);
        });
        EXPECT_EQ(current_effective_deadline(), time_point::max());
    });
}

TEST_P(CancelScope, ReplacesTheFirstReasonByNoLaterOne) {
    run([&]() -> coro<> {
        cancel_scope scope;
        scope.cancel("one");
        scope.cancel("two");
        EXPECT_FALSE(co_await scope.run([]() -> coro<> {
            const auto r = co_await as_result(yield());
            EXPECT_EQ(detail::exception_cast<cancelled_error>(r.error())->message(), "one");
            r.value();
        }));
    });
}

TEST_P(CancelScope, OutsideOfATaskThereIsNoDeadlineToAskFor) {
    loop().call_soon([&] {
        EXPECT_THROW(current_effective_deadline(), runtime_error);
        loop().stop();
    });
    loop().run_forever();
}

TEST_P(CancelScope, DoesNotTakeTheCancellationOfAnotherScopeThatHadItsPlace) {
    run([&]() -> coro<> {
        std::optional<cancel_scope> place;
        any_task child;
        place.emplace();
        place->cancel();
        EXPECT_FALSE(co_await place->run([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                child = group.create_task([]() -> coro<> { co_await sleep_forever(); });
                co_return;
            });
        }));
        EXPECT_TRUE(child.cancelled());
        place.emplace();
        const auto r = co_await as_result(place->run([&]() -> coro<> { co_await child; }));
        EXPECT_TRUE(r.cancelled());
        EXPECT_FALSE(place->cancelled_caught());
    });
}

TEST_P(CancelScope, TenThousandInEachOtherAreCancelledWithoutRecursion) {
    struct nest {
        static coro<int> down(cancel_scope& outermost, int depth) {
            if (depth == 0) {
                outermost.cancel();
                co_await sleep_forever();
            }
            cancel_scope scope;
            const auto below = co_await scope.run([&]() -> coro<int> { return down(outermost, depth - 1); });
            co_return *below + 1;
        }
    };
    run([&]() -> coro<> {
        cancel_scope outermost;
        EXPECT_EQ(co_await outermost.run([&]() -> coro<int> { return nest::down(outermost, 10'000); }), std::nullopt);
    });
}

} // namespace
} // namespace rondo
