// timeout(), timeout_scope and wait_for(): asyncio's timeouts (Python 3.14).
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>
#include <rondo/task/wait.hpp>

#include <cerrno>
#include <chrono>
#include <memory>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class Timeout : public test::loop_test {};
RONDO_IN_EACH_WORLD(Timeout);
class TimeoutScope : public test::loop_test {};
RONDO_IN_EACH_WORLD(TimeoutScope);
class WaitFor : public test::loop_test {};
RONDO_IN_EACH_WORLD(WaitFor);

coro<int> three() { co_return 3; }
coro<> nothing() { co_return; }

TEST_P(Timeout, GivesTheValueInTimeAndCostsNoPass) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await timeout(1h, three()), 3);
        EXPECT_EQ(co_await timeout(1h, three), 3);
        EXPECT_EQ(co_await timeout(no_timeout, [x = 4]() -> coro<int> { co_return x; }), 4);
        EXPECT_EQ(co_await timeout_at(clock::now() + 1h, three()), 3);
        EXPECT_EQ(co_await timeout_at(std::nullopt, three), 3);
        co_await timeout(1h, nothing());
        auto p = co_await timeout(1h, []() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(1); });
        EXPECT_EQ(*p, 1);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(Timeout, ThrowsTimeoutErrorWithTheCancellationAsItsCause) {
    run([]() -> coro<> {
        const auto r = co_await as_result(timeout(1ms, sleep_forever()));
        EXPECT_TRUE(r.holds<timeout_error>());
        EXPECT_TRUE(r.holds<std::system_error>());
        EXPECT_EQ(detail::exception_cast<std::system_error>(r.error())->code().value(), ETIMEDOUT);
        EXPECT_TRUE(detail::is_cancellation(cause_of(r.error())));
        EXPECT_EQ(current_task().cancelling(), 0);
        co_await yield();
    });
}

TEST_P(Timeout, RunsItsBodyInTheSameTask) {
    run([]() -> coro<> {
        const any_task here = current_task();
        co_await timeout(1h, [&]() -> coro<> {
            EXPECT_EQ(current_task(), here);
            co_return;
        });
    });
}

TEST_P(Timeout, DoesNotFireInABodyThatDoesNotSuspend) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await timeout(0s, three()), 3);
        EXPECT_EQ(co_await timeout(-1h, three()), 3);
        EXPECT_TRUE((co_await as_result(timeout(0s, yield()))).holds<timeout_error>());
    });
}

TEST_P(Timeout, AForeignCancellationGoesOn) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<> { co_await timeout(1h, sleep_forever()); });
        co_await yield();
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(Timeout, WhenBothHappenTheForeignCancellationWins) {
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<> {
            const auto r = co_await as_result(timeout(1ms, [&]() -> coro<> {
                const auto first = co_await as_result(sleep_forever());
                EXPECT_TRUE(first.cancelled());
                current_task().cancel("foreign"); // beside the one of the timeout
                co_await yield();
            }));
            EXPECT_TRUE(r.cancelled());
            EXPECT_EQ(current_task().cancelling(), 1);
            r.value();
        });
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(TimeoutScope, GivesTheValueOfItsBodyAndIsUsedOnce) {
    run([]() -> coro<> {
        timeout_scope scope(1h);
        EXPECT_EQ(scope.when(), std::nullopt); // not known before it is entered
        EXPECT_EQ(co_await scope.run([](timeout_scope& self) -> coro<int> {
            EXPECT_TRUE(self.when().has_value());
            co_return 1;
        }),
                  1);
        EXPECT_FALSE(scope.expired());
        EXPECT_TRUE((co_await as_result(scope.run(three))).holds<runtime_error>());
    });
}

TEST_P(TimeoutScope, ExpiredIsKnownFromTheExpiryOn) {
    run([]() -> coro<> {
        timeout_scope scope(1ms);
        const auto r = co_await as_result(scope.run([&]() -> coro<> {
            EXPECT_FALSE(scope.expired());
            const auto inner = co_await as_result(sleep_forever());
            EXPECT_TRUE(scope.expired());
            inner.value();
        }));
        EXPECT_TRUE(r.holds<timeout_error>());
        EXPECT_TRUE(scope.expired());
    });
}

TEST_P(TimeoutScope, ABodyThatSwallowsTheCancellationEndsNormally) {
    run([]() -> coro<> {
        timeout_scope scope(1ms);
        EXPECT_EQ(co_await scope.run([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_await pass_by(2); // edge-triggered
            co_return 5;
        }),
                  5);
        EXPECT_TRUE(scope.expired());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TimeoutScope, AnErrorOfTheBodyAfterTheExpiryGoesOn) {
    run([]() -> coro<> {
        timeout_scope scope(1ms);
        const auto r = co_await as_result(scope.run([]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("in cleanup");
        }));
        EXPECT_TRUE(r.holds<std::out_of_range>());
        EXPECT_TRUE(scope.expired());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TimeoutScope, NestedWithTheSameDeadlineTheOutermostThrows) {
    run([]() -> coro<> {
        const time_point when = clock::now() + 1ms;
        timeout_scope outer = timeout_scope::at(when);
        timeout_scope inner = timeout_scope::at(when);
        bool inner_cancelled = false;
        const auto r = co_await as_result(outer.run([&]() -> coro<> {
            const auto below = co_await as_result(inner.run([]() -> coro<> { co_await sleep_forever(); }));
            inner_cancelled = below.cancelled();
            below.value();
        }));
        EXPECT_TRUE(r.holds<timeout_error>());
        EXPECT_TRUE(outer.expired());
        EXPECT_TRUE(inner.expired());
        EXPECT_TRUE(inner_cancelled);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TimeoutScope, NestedTheInnerOneAloneThrows) {
    run([]() -> coro<> {
        timeout_scope outer(1h);
        EXPECT_EQ(co_await outer.run([]() -> coro<int> {
            EXPECT_TRUE((co_await as_result(timeout(1ms, sleep_forever()))).holds<timeout_error>());
            co_await yield();
            co_return 1;
        }),
                  1);
        EXPECT_FALSE(outer.expired());
    });
}

TEST_P(TimeoutScope, NestedTheOuterOneAloneThrows) {
    run([]() -> coro<> {
        timeout_scope inner(1h);
        const auto r = co_await as_result(timeout(1ms, [&]() -> coro<> {
            const auto below = co_await as_result(inner.run([]() -> coro<> { co_await sleep_forever(); }));
            EXPECT_TRUE(below.cancelled());
            below.value();
        }));
        EXPECT_TRUE(r.holds<timeout_error>());
        EXPECT_FALSE(inner.expired());
    });
}

TEST_P(TimeoutScope, AnInnerTimeoutErrorIsNotTakenForTheOuterOnes) {
    run([]() -> coro<> {
        timeout_scope outer(1h);
        const auto r = co_await as_result(outer.run([]() -> coro<> { co_await timeout(1ms, sleep_forever()); }));
        EXPECT_TRUE(r.holds<timeout_error>());
        EXPECT_FALSE(outer.expired());
    });
}

TEST_P(TimeoutScope, CanBeRescheduledWhileItIsActive) {
    run([]() -> coro<> {
        timeout_scope scope(1ms);
        EXPECT_THROW(scope.reschedule(clock::now()), runtime_error);
        co_await scope.run([&]() -> coro<> {
            scope.reschedule(std::nullopt);
            EXPECT_EQ(scope.when(), std::nullopt);
            co_await sleep(2ms);
            const time_point when = clock::now() + 1h;
            scope.reschedule(when);
            EXPECT_EQ(scope.when(), when);
        });
        EXPECT_FALSE(scope.expired());
        EXPECT_THROW(scope.reschedule(clock::now()), runtime_error);

        timeout_scope sooner(1h);
        const auto r = co_await as_result(sooner.run([&]() -> coro<> {
            sooner.reschedule(clock::now() - 1s); // noticed in the next pass
            EXPECT_FALSE(sooner.expired());
            const auto inner = co_await as_result(sleep_forever());
            EXPECT_THROW(sooner.reschedule(std::nullopt), runtime_error);
            inner.value();
        }));
        EXPECT_TRUE(r.holds<timeout_error>());
    });
}

TEST_P(TimeoutScope, ReschedulingOneThatIsNotActiveTellsItsState) {
    const auto refusal = [](timeout_scope& limit) {
        try {
            limit.reschedule(std::nullopt);
        } catch (const runtime_error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    run([&]() -> coro<> {
        timeout_scope limit(1ms);
        EXPECT_NE(refusal(limit).find("not been entered"), std::string::npos);
        auto late = co_await as_result(limit.run([&](timeout_scope& inside) -> coro<> {
            auto interrupted = co_await as_result(sleep_forever());
            EXPECT_NE(refusal(inside).find("has expired"), std::string::npos); // expiring
            interrupted.value();
        }));
        EXPECT_TRUE(late.holds<timeout_error>());
        EXPECT_NE(refusal(limit).find("has expired"), std::string::npos);
        timeout_scope in_time(1h);
        co_await in_time.run([]() -> coro<> { co_return; });
        EXPECT_NE(refusal(in_time).find("has finished"), std::string::npos);
    });
}

TEST_P(TimeoutScope, DoesNothingBeforeItsRunIsAwaited) {
    timeout_scope scope(1s);
    loop().call_soon([&] {
        auto attempt = scope.run(nothing); // nothing runs before it is awaited
        loop().stop();
    });
    loop().run_forever();
    EXPECT_FALSE(scope.expired());
}

TEST_P(TimeoutScope, EndsWhenItsBodyThrowsBeforeItIsACoroutine) {
    run([]() -> coro<> {
        timeout_scope scope(1ms);
        const auto r =
            co_await as_result(scope.run([]() -> coro<> { return throw std::out_of_range("early"), nothing(); }));
        EXPECT_TRUE(r.holds<std::out_of_range>());
        co_await sleep(2ms); // nothing rings any more
        EXPECT_FALSE(scope.expired());
    });
}

TEST_P(TimeoutScope, ACancellationThatWasSwallowedBeforeItIsNotHeldAgainstIt) {
    run([&]() -> coro<> {
        auto t = create_task([]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            EXPECT_TRUE((co_await as_result(timeout(1ms, sleep_forever()))).holds<timeout_error>());
            EXPECT_EQ(current_task().cancelling(), 1);
        });
        co_await yield();
        t.cancel();
        co_await t;
    });
}

TEST_P(TimeoutScope, ACancellationThatIsStillToBeDeliveredWhenItBeginsGoesOn) {
    run([&]() -> coro<> {
        auto asked_before = create_task([]() -> coro<> {
            current_task().cancel("outside");
            co_await timeout(duration::zero(), sleep_forever());
        });
        EXPECT_TRUE((co_await as_result(asked_before)).cancelled());
        auto nested = create_task([]() -> coro<> {
            current_task().cancel("outside");
            co_await timeout(duration::zero(), timeout(duration::zero(), sleep_forever()));
        });
        EXPECT_TRUE((co_await as_result(nested)).cancelled());
    });
}

TEST_P(TimeoutScope, ATimeoutInsideATaskGroupFailsTheGroup) {
    run([]() -> coro<> {
        const auto r = co_await as_result(task_group::run([](task_group& group) -> coro<> {
            group.create_task([]() -> coro<> { co_await timeout(1ms, sleep_forever()); });
            co_await sleep_forever();
        }));
        const auto* group = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(group && group->contains<timeout_error>());
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TimeoutScope, AroundATaskGroupEndsBodyAndChildren) {
    run([]() -> coro<> {
        int ended = 0;
        auto child = [&]() -> coro<> {
            const auto r = co_await as_result(sleep_forever());
            ++ended;
            r.value();
        };
        EXPECT_TRUE((co_await as_result(timeout(1ms, [&]() -> coro<> {
                        co_await task_group::run([&](task_group& group) -> coro<> {
                            group.start_soon(child);
                            group.start_soon(child);
                            co_return;
                        });
                    }))).holds<timeout_error>());
        EXPECT_EQ(ended, 2);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(TimeoutScope, DoesNotTurnAScopesCancellationIntoATimeout) {
    run([]() -> coro<> {
        cancel_scope scope;
        EXPECT_FALSE(co_await scope.run([&]() -> coro<> {
            timeout_scope limit(1h);
            co_await limit.run([&]() -> coro<> {
                scope.cancel();
                co_await yield();
            });
        }));
        EXPECT_TRUE(scope.cancelled_caught());
    });
}

TEST_P(WaitFor, WithoutALimitIsAPlainAwait) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await wait_for(three(), no_timeout), 3);
        EXPECT_EQ(co_await wait_for(three(), 1h), 3);
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(WaitFor, WithoutTimeDoesNotStartACoroutine) {
    run([]() -> coro<> {
        bool started = false;
        auto body = [&]() -> coro<> {
            started = true;
            co_return;
        };
        EXPECT_TRUE((co_await as_result(wait_for(body(), 0s))).holds<timeout_error>());
        EXPECT_TRUE((co_await as_result(wait_for(body(), -1s))).holds<timeout_error>());
        EXPECT_FALSE(started);
    });
}

TEST_P(WaitFor, WithoutTimeADoneFutureGivesItsValueAndAnotherIsCancelledAndAwaited) {
    run([]() -> coro<> {
        auto f = create_future<int>();
        f.set_result(7);
        EXPECT_EQ(co_await wait_for(f, 0s), 7);

        bool cleaned_up = false;
        auto t = create_task([&]() -> coro<> {
            const auto r = co_await as_result(sleep_forever());
            co_await pass_by(2);
            cleaned_up = true;
            r.value();
        });
        co_await yield();
        EXPECT_TRUE((co_await as_result(wait_for(t, 0s))).holds<timeout_error>());
        EXPECT_TRUE(cleaned_up);
        EXPECT_TRUE(t.cancelled());
    });
}

TEST_P(WaitFor, WithoutTimeAValueOrAnErrorInPlaceOfTheCancellationCounts) {
    run([]() -> coro<> {
        auto stubborn = create_task([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_return 3;
        });
        auto sore = create_task([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("x");
        });
        co_await yield();
        EXPECT_EQ(co_await wait_for(stubborn, 0s), 3);
        EXPECT_TRUE((co_await as_result(wait_for(sore, 0s))).holds<std::out_of_range>());
    });
}

TEST_P(WaitFor, WithoutTimeAForeignCancellationGoesOn) {
    run([]() -> coro<> {
        const auto slow_to_end = []() -> coro<> {
            const auto r = co_await as_result(sleep_forever());
            co_await pass_by(5);
            r.value();
        };
        auto t = create_task(slow_to_end);
        auto outer = create_task([&]() -> coro<> { co_await wait_for(t, 0s); });
        co_await pass_by(3);
        EXPECT_FALSE(outer.done());
        outer.cancel();
        co_await wait(std::vector<any_future>{outer});
        EXPECT_TRUE(outer.cancelled());

        auto u = create_task(slow_to_end);
        co_await yield();
        cancel_scope scope;
        co_await scope.run([&]() -> coro<> {
            scope.cancel();
            co_await wait_for(u, 0s);
        });
        EXPECT_TRUE(scope.cancelled_caught());
        co_await wait(std::vector<any_future>{t, u});
    });
}

TEST_P(WaitFor, WhenTimeIsUpItCancelsAndWaits) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<> { co_await sleep_forever(); });
        EXPECT_TRUE((co_await as_result(wait_for(t, 1ms))).holds<timeout_error>());
        EXPECT_TRUE(t.cancelled());
    });
}

TEST_P(WaitFor, AValueInPlaceOfTheCancellationIsGiven) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_return 6;
        });
        EXPECT_EQ(co_await wait_for(t, 1ms), 6);
        EXPECT_EQ(current_task().cancelling(), 0);
    });
}

TEST_P(WaitFor, AnErrorInPlaceOfTheCancellationIsThrown) {
    run([]() -> coro<> {
        auto t = create_task([]() -> coro<int> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("in cleanup");
        });
        EXPECT_TRUE((co_await as_result(wait_for(t, 1ms))).holds<std::out_of_range>());
    });
}

TEST_P(WaitFor, AForeignCancellationRunsIntoIt) {
    run([]() -> coro<> {
        auto inner = create_task([]() -> coro<> { co_await sleep_forever(); });
        auto outer = create_task([&]() -> coro<> { co_await wait_for(inner, 1h); });
        co_await pass_by(2);
        outer.cancel();
        EXPECT_TRUE((co_await as_result(outer)).cancelled());
        EXPECT_TRUE(inner.cancelled());
    });
}

} // namespace
} // namespace rondo
