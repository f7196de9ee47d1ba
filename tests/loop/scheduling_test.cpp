// When callbacks run: call_soon(), call_later() and call_at(), their handles, and the order of a pass.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include "loop/backend/backend.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using rondo::test::tracked;

class CallSoon : public test::loop_test {};
RONDO_IN_EACH_WORLD(CallSoon);
class CallLater : public test::loop_test {};
RONDO_IN_EACH_WORLD(CallLater);
class Handle : public test::loop_test {};
RONDO_IN_EACH_WORLD(Handle);
class Pass : public test::loop_test {};
RONDO_IN_EACH_WORLD(Pass);

/// Of the kernel: its descriptors, and time that passes while callbacks run.
class PassInTheKernel : public test::loop_test {};
RONDO_ON_EACH_BACKEND(PassInTheKernel);

// A coroutine function is refused by the compiler: the coroutine it makes would never run.
static_assert(detail::is_callback<decltype([] { return 1; })>);
static_assert(!detail::is_callback<decltype([]() -> coro<> { co_return; })>);

/// Appends to `order` when it runs.
auto note(std::string& order, char mark) {
    return [&order, mark] { order.push_back(mark); };
}

TEST_P(CallSoon, RunsInTheNextPassInTheOrderOfTheCalls) {
    std::string order;
    for (const char mark : {'a', 'b', 'c'}) loop().call_soon(note(order, mark));
    EXPECT_EQ(order, "");
    EXPECT_TRUE(loop().run_once(0s));
    EXPECT_EQ(order, "abc");
}

TEST_P(CallSoon, WhatBecomesReadyInAPassWaitsForTheNext) {
    std::string order;
    loop().call_soon([&] {
        order.push_back('a');
        loop().call_soon([&] {
            order.push_back('c');
            loop().call_soon(note(order, 'd'));
        });
    });
    loop().call_soon(note(order, 'b'));
    run_passes(1);
    EXPECT_EQ(order, "ab");
    run_passes(1);
    EXPECT_EQ(order, "abc");
    run_passes(1);
    EXPECT_EQ(order, "abcd");
}

TEST_P(CallSoon, RunsOnceAndDestroysTheCallableAtOnce) {
    int living = 0;
    int calls = 0;
    const handle kept = loop().call_soon([&calls, t = tracked(living)] { ++calls; });
    EXPECT_EQ(living, 1);
    run_passes(3);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(living, 0) << "the handle keeps no callable alive";
    EXPECT_FALSE(kept.cancelled());
}

TEST_P(CallSoon, TakesWhatCanOnlyBeMovedAndWhatOnlyRunsOnce) {
    int got = 0;
    loop().call_soon([p = std::make_unique<int>(7), &got]() mutable { got = *std::exchange(p, nullptr); });
    run_passes(1);
    EXPECT_EQ(got, 7);
}

TEST_P(CallSoon, MayBeUsedBeforeTheLoopRunsAndBetweenItsRuns) {
    std::string order;
    loop().call_soon(note(order, 'a'));
    run_passes(1);
    loop().call_soon(note(order, 'b'));
    loop().call_soon([&] { loop().stop(); });
    loop().run_forever();
    EXPECT_EQ(order, "ab");
}

TEST_P(CallLater, EarliestDeadlineFirst) {
    std::string order;
    const time_point now = loop().time();
    loop().call_at(now - 1ms, note(order, 'c'));
    loop().call_at(now - 3ms, note(order, 'a'));
    loop().call_at(now - 2ms, note(order, 'b'));
    run_passes(1);
    EXPECT_EQ(order, "abc");
}

TEST_P(CallLater, EqualDeadlinesInTheOrderOfTheCalls) {
    std::string order;
    const time_point past = loop().time() - 1ms;
    const time_point soon = loop().time() + 1ms;
    std::vector<timer_handle> handles;
    for (const char mark : std::string("0123456789")) handles.push_back(loop().call_at(past, note(order, mark)));
    for (const char mark : std::string("abcdefghij")) handles.push_back(loop().call_at(soon, note(order, mark)));
    handles[3].cancel();
    handles[14].cancel();
    while (order.size() < 18) loop().run_once(no_timeout);
    EXPECT_EQ(order, "012456789abcdfghij");
}

TEST_P(CallLater, NeverRunsBeforeItsTime) {
    for (const duration d : {duration(1us), duration(300us), duration(2ms)}) {
        time_point ran{};
        const timer_handle h = loop().call_later(d, [&] { ran = loop().time(); });
        while (ran == time_point{}) loop().run_once(no_timeout);
        EXPECT_GE(ran, h.when());
    }
}

TEST_P(CallLater, DelaysOfNothingAndLessAreDueInTheNextPass) {
    std::string order;
    loop().call_later(0s, note(order, 'c'));
    loop().call_later(-1s, note(order, 'b'));
    loop().call_later(-1h, note(order, 'a'));
    run_passes(1);
    EXPECT_EQ(order, "abc");
}

TEST_P(CallLater, WhatACallbackArmsForThePastWaitsForTheNextPass) {
    std::string order;
    loop().call_later(-1s, [&] {
        order.push_back('a');
        loop().call_later(-2s, note(order, 'c'));
    });
    loop().call_later(-1s, note(order, 'b'));
    run_passes(1);
    EXPECT_EQ(order, "ab");
    run_passes(1);
    EXPECT_EQ(order, "abc");
}

TEST_P(CallLater, WithoutATimeoutItNeverRuns) {
    int living = 0;
    timer_handle never = loop().call_later(no_timeout, [t = tracked(living)] { ADD_FAILURE(); });
    EXPECT_EQ(never.when(), time_point::max());
    run_passes(3);
    EXPECT_EQ(living, 1);
    never.cancel();
    EXPECT_EQ(living, 0);
}

TEST_P(CallLater, TakesADelayOfAnyUnitAndNotNaN) {
    const time_point before = loop().time();
    const timer_handle a = loop().call_later(0.5h, [] {});
    const timer_handle b = loop().call_later(30min, [] {});
    EXPECT_GE(a.when(), before + 30min);
    EXPECT_LE(a.when(), b.when());
    EXPECT_THROW(loop().call_later(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()), [] {}),
                 value_error);
}

TEST_P(CallLater, KnowsItsDeadline) {
    const time_point when = loop().time() + 1h;
    timer_handle h = loop().call_at(when, [] {});
    EXPECT_EQ(h.when(), when);
    h.cancel();
    EXPECT_EQ(h.when(), when);
    EXPECT_EQ(timer_handle().when(), time_point::max());
}

TEST_P(Handle, CancelledBeforeItsTurnTheCallableIsDestroyedAtOnceAndNotCalled) {
    int living = 0;
    handle soon = loop().call_soon([t = tracked(living)] { ADD_FAILURE(); });
    timer_handle later = loop().call_later(1h, [t = tracked(living)] { ADD_FAILURE(); });
    EXPECT_FALSE(soon.cancelled());
    EXPECT_FALSE(later.cancelled());
    soon.cancel();
    later.cancel();
    EXPECT_TRUE(soon.cancelled());
    EXPECT_TRUE(later.cancelled());
    EXPECT_EQ(living, 0);
    soon.cancel();
    later.cancel();
    run_passes(2);
}

TEST_P(Handle, ACallbackMayCancelWhatIsReadyInTheSamePass) {
    handle second;
    timer_handle third;
    loop().call_soon([&] {
        second.cancel();
        third.cancel();
    });
    second = loop().call_soon([] { ADD_FAILURE(); });
    third = loop().call_later(-1s, [] { ADD_FAILURE(); }); // due: ready in the same pass, behind the others
    run_passes(2);
    EXPECT_TRUE(second.cancelled());
    EXPECT_TRUE(third.cancelled());
}

TEST_P(Handle, CancellingWhatRunsOrHasRunDoesNothing) {
    int living = 0;
    handle own;
    bool went_on = false;
    own = loop().call_soon([&, t = tracked(living)] {
        own.cancel();
        EXPECT_EQ(living, 1) << "the callable lives while it runs";
        went_on = true;
    });
    run_passes(1);
    EXPECT_TRUE(went_on);
    EXPECT_FALSE(own.cancelled());
    own.cancel();
    EXPECT_FALSE(own.cancelled());
}

TEST_P(Handle, DroppingItDoesNotCancel) {
    std::string order;
    { const handle dropped = loop().call_soon(note(order, 'a')); }
    { const timer_handle dropped = loop().call_later(-1s, note(order, 'b')); }
    run_passes(1);
    EXPECT_EQ(order, "ab");
}

TEST_P(Handle, IsSharedAndComparedByIdentity) {
    handle a = loop().call_soon([] { ADD_FAILURE(); });
    handle b = a;
    const handle other = loop().call_soon([] {});
    EXPECT_EQ(a, b);
    EXPECT_NE(a, other);
    EXPECT_TRUE(a);
    b.cancel();
    EXPECT_TRUE(a.cancelled());
    run_passes(1);
    handle none;
    EXPECT_FALSE(none);
    EXPECT_FALSE(none.cancelled());
    none.cancel();
    EXPECT_EQ(none, handle());
}

TEST_P(Handle, OutlivesItsLoop) {
    handle a = loop().call_soon([] { ADD_FAILURE(); });
    timer_handle b = loop().call_later(1h, [] { ADD_FAILURE(); });
    handle c = loop().call_soon_threadsafe([] { ADD_FAILURE(); });
    end_loop();
    for (handle* h : {&a, static_cast<handle*>(&b), &c}) {
        EXPECT_TRUE(h->cancelled()) << "what the end of the loop drops is cancelled";
        h->cancel();
    }
}

TEST_P(Pass, DueTimersComeAfterWhatWasReadyBefore) {
    std::string order;
    loop().call_later(-1s, note(order, 'b'));
    loop().call_soon(note(order, 'a'));
    run_passes(1);
    EXPECT_EQ(order, "ab");
}

/// A receive operation that waits for a byte on a socket pair.
class pending_receive {
public:
    explicit pending_receive(event_loop& loop) : backend_(detail::loop_access::backend(loop)) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds_.data()), 0);
        op_.owner = this;
        op_.fd = fds_[0];
        op_.buffer = &byte_;
        op_.size = 1;
        EXPECT_FALSE(backend_.submit(op_));
    }
    ~pending_receive() {
        EXPECT_FALSE(op_.pending());
        ::close(fds_[0]);
        ::close(fds_[1]);
    }
    void send() const { EXPECT_EQ(::write(fds_[1], "x", 1), 1); }
    bool pending() const { return op_.pending(); }
    std::function<void()> arrived = [] {};

private:
    struct receive : detail::operation {
        receive() noexcept : operation(detail::operation_kind::recv, &complete_owner) {}
        static void complete_owner(detail::operation& op) noexcept { static_cast<receive&>(op).owner->arrived(); }
        pending_receive* owner = nullptr;
    };
    detail::backend& backend_;
    std::array<int, 2> fds_{};
    char byte_ = 0;
    receive op_;
};

TEST_P(PassInTheKernel, WhatIoMakesReadyComesBeforeDueTimers) {
    std::string order;
    pending_receive io(loop());
    io.arrived = [&] { loop().call_soon(note(order, 'a')); };
    run_passes(1); // the kernel knows of it now
    loop().call_later(-1s, note(order, 'b'));
    io.send();
    run_passes(1);
    EXPECT_EQ(order, "ab");
}

TEST_P(PassInTheKernel, SkipsThePollWhileThereIsWorkButLooksEvery61Passes) {
    pending_receive io(loop());
    run_passes(1); // nothing is ready: it polls, and counts from here
    io.send();
    std::function<void()> again = [&] { loop().call_soon(again); };
    again();
    for (int i = 0; i < 60; ++i) {
        run_passes(1);
        EXPECT_TRUE(io.pending()) << "pass " << i + 1;
    }
    run_passes(1);
    EXPECT_FALSE(io.pending());
}

TEST_P(PassInTheKernel, TimersFireWhileThePollIsSkipped) {
    bool fired = false;
    std::function<void()> again = [&] {
        if (!fired) loop().call_soon(again);
    };
    again();
    loop().call_later(1ms, [&] { fired = true; });
    while (!fired) loop().run_once(no_timeout);
}

TEST_P(Pass, RunOnceTellsWhetherSomethingWasReady) {
    EXPECT_FALSE(loop().run_once(0s));
    loop().call_soon([] {});
    EXPECT_TRUE(loop().run_once(0s));
    loop().call_later(1h, [] {});
    EXPECT_FALSE(loop().run_once(0s));
    const timer_handle h = loop().call_later(1ms, [] {});
    while (!loop().run_once(no_timeout)) EXPECT_LT(loop().time(), h.when()) << "it may come back early, with nothing";
    EXPECT_GE(loop().time(), h.when());
}

TEST_P(Pass, RunOnceWaitsNoLongerThanItsTimeout) {
    loop().call_later(1h, [] { ADD_FAILURE(); });
    const time_point before = loop().time();
    int rounds = 0; // more than one where a signal or the kernel's own work ends a wait
    for (; loop().time() < before + 2ms; ++rounds) EXPECT_FALSE(loop().run_once(2ms));
    EXPECT_LT(rounds, 100) << "and it sleeps meanwhile";
    EXPECT_LT(loop().time(), before + 1h);
}

} // namespace
} // namespace rondo
