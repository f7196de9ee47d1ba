#include <rondo/coro/generator.hpp>

#include "support/tracked.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace {

using rondo::elements_of;
using rondo::generator;
using rondo::generator_exit;

using trace = std::vector<std::string>;

struct spam : std::runtime_error {
    spam() : std::runtime_error("spam") {}
};
struct eggs : std::runtime_error {
    eggs() : std::runtime_error("eggs") {}
};

template <class G> auto rest_of(G&& g) {
    std::vector<typename std::remove_reference_t<G>::value_type> items;
    while (auto item = g.next()) items.push_back(std::move(*item));
    return items;
}

using ints = std::vector<int>;

generator<int> countdown(int n) {
    for (; n > 0; --n) co_yield n;
}

generator<int, int> running_total() {
    int total = 0;
    for (;;) {
        if (auto sent = co_yield total) total += *sent;
    }
}

// --- PEP 255 and 342: one generator -----------------------------------------------------------------------------------

TEST(Generator, CallingItRunsNothing) {
    bool ran = false;
    auto make = [&]() -> generator<int> {
        ran = true;
        co_yield 1;
    };
    auto g = make();
    EXPECT_FALSE(ran);
    EXPECT_EQ(g.next(), 1);
    EXPECT_TRUE(ran);
}

TEST(Generator, ExhaustedGivesNulloptForEver) {
    auto g = countdown(2);
    EXPECT_EQ(rest_of(g), (ints{2, 1}));
    EXPECT_EQ(g.next(), std::nullopt);
    EXPECT_EQ(g.next(), std::nullopt);
    EXPECT_TRUE(g.done());
}

TEST(Generator, IsARange) {
    ints seen;
    for (int& i : countdown(3)) seen.push_back(i);
    EXPECT_EQ(seen, (ints{3, 2, 1}));
}

TEST(Generator, YieldGivesWhatWasSentAndNulloptForNext) {
    auto g = running_total();
    EXPECT_EQ(g.next(), 0);
    EXPECT_EQ(g.send(3), 3);
    EXPECT_EQ(g.next(), 3);
    EXPECT_EQ(g.send(5), 8);
}

TEST(Generator, SendingToOneThatHasNotStartedIsATypeErrorAndLeavesIt) {
    auto g = running_total();
    EXPECT_THROW(g.send(1), rondo::type_error);
    EXPECT_EQ(g.next(), 0);
}

TEST(Generator, SendingToAnExhaustedOneGivesNullopt) {
    auto make = []() -> generator<int, int> { co_yield 1; };
    auto g = make();
    rest_of(g);
    EXPECT_EQ(g.send(1), std::nullopt);
}

TEST(Generator, AnExceptionComesOutOnceAndEndsIt) {
    auto make = []() -> generator<int> {
        co_yield 1;
        throw spam();
    };
    auto g = make();
    EXPECT_EQ(g.next(), 1);
    EXPECT_THROW(g.next(), spam);
    EXPECT_TRUE(g.done());
    EXPECT_EQ(g.next(), std::nullopt);
}

TEST(Generator, ThrowRaisesAtTheYieldAndGivesTheNextItem) {
    auto make = []() -> generator<int> {
        bool caught = false;
        try {
            co_yield 1;
        } catch (const spam&) {
            caught = true;
        }
        if (caught) co_yield 2;
    };
    auto g = make();
    g.next();
    EXPECT_EQ(g.throw_(spam()), 2);
    EXPECT_EQ(g.next(), std::nullopt);
}

TEST(Generator, ThrowIntoOneThatHasNotStartedRunsNothingAndEndsIt) {
    bool ran = false;
    auto make = [&]() -> generator<int> {
        ran = true;
        co_yield 1;
    };
    auto g = make();
    EXPECT_THROW(g.throw_(spam()), spam);
    EXPECT_FALSE(ran);
    EXPECT_EQ(g.next(), std::nullopt);
}

TEST(Generator, ThrowIntoAnExhaustedOneThrowsHere) {
    auto g = countdown(0);
    g.next();
    EXPECT_THROW(g.throw_(spam()), spam);
}

TEST(Generator, CloseOfOneThatHasNotStartedMeansItNeverRuns) {
    bool ran = false;
    auto make = [&]() -> generator<int> {
        ran = true;
        co_yield 1;
    };
    auto g = make();
    g.close();
    EXPECT_EQ(g.next(), std::nullopt);
    EXPECT_FALSE(ran);
}

TEST(Generator, CloseTwiceIsFine) {
    auto g = countdown(3);
    g.next();
    g.close();
    g.close();
    EXPECT_TRUE(g.done());
}

TEST(Generator, CloseGivesWhatWasReturnedOnGeneratorExit) {
    auto make = []() -> generator<int, void, std::string> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {}
        co_return "closed";
    };
    auto g = make();
    g.next();
    EXPECT_EQ(g.close(), "closed");
    EXPECT_EQ(g.close(), std::nullopt);
    EXPECT_EQ(g.result(), "closed");
}

TEST(Generator, CloseOfOneThatYieldsAgainIsARuntimeError) {
    auto make = []() -> generator<int> {
        bool asked = false;
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            asked = true;
        }
        if (asked) co_yield 2;
    };
    auto g = make();
    g.next();
    EXPECT_THROW(g.close(), rondo::runtime_error);
}

TEST(Generator, CloseThrowsWhatTheBodyThrowsInstead) {
    auto make = []() -> generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            throw spam();
        }
    };
    auto g = make();
    g.next();
    EXPECT_THROW(g.close(), spam);
}

TEST(Generator, DestroyingASuspendedOneRunsDestructorsAndThrowsNothingIn) {
    trace log;
    struct leaving {
        trace& log;
        ~leaving() { log.push_back("left"); }
    };
    auto make = [&]() -> generator<int> {
        leaving l{log};
        try {
            co_yield 1;
        } catch (...) {
            log.push_back("caught");
        }
    };
    {
        auto g = make();
        g.next();
    }
    EXPECT_EQ(log, (trace{"left"}));
}

TEST(Generator, DrivenFromInsideItselfIsAValueError) {
    generator<int>* self = nullptr;
    bool refused = false;
    auto make = [&]() -> generator<int> {
        try {
            self->next();
        } catch (const rondo::value_error&) {
            refused = true;
        }
        co_yield 1;
    };
    auto g = make();
    self = &g;
    EXPECT_EQ(g.next(), 1);
    EXPECT_TRUE(refused);
}

TEST(Generator, ResultBeforeTheEndIsAnInvalidState) {
    auto make = []() -> generator<int, void, int> {
        co_yield 1;
        co_return 7;
    };
    auto g = make();
    EXPECT_THROW(g.result(), rondo::invalid_state_error);
    rest_of(g);
    EXPECT_EQ(g.result(), 7);
}

TEST(Generator, YieldsWhatCanOnlyBeMoved) {
    auto make = []() -> generator<std::unique_ptr<int>> {
        co_yield std::make_unique<int>(1);
        co_yield std::make_unique<int>(2);
    };
    auto g = make();
    EXPECT_EQ(**g.next(), 1);
    EXPECT_EQ(**g.next(), 2);
}

// --- PEP 380: delegation ------------------------------------------------------------------------------------------------

generator<int, int, int> two_items(trace& log) {
    log.push_back("inner starts");
    co_yield 1;
    co_yield 2;
    log.push_back("inner ends");
    co_return 9;
}
generator<int, int> around(generator<int, int, int> inner, trace& log) {
    log.push_back("outer starts");
    int returned = co_yield elements_of(std::move(inner));
    log.push_back("outer got " + std::to_string(returned));
}

TEST(Delegation, PassesTheFirstAndTheNextCallsOnAndGivesTheReturnValue) {
    trace log;
    EXPECT_EQ(rest_of(around(two_items(log), log)), (ints{1, 2}));
    EXPECT_EQ(log, (trace{"outer starts", "inner starts", "inner ends", "outer got 9"}));
}

TEST(Delegation, AnExceptionInTheFirstStepOfTheInnerOneComesOutOfTheDelegation) {
    auto inner = []() -> generator<int> {
        throw spam();
        co_yield 0;
    };
    auto outer = [&]() -> generator<int> {
        bool caught = false;
        try {
            co_yield elements_of(inner());
        } catch (const spam&) {
            caught = true;
        }
        if (caught) co_yield 42;
    };
    EXPECT_EQ(rest_of(outer()), (ints{42}));
}

TEST(Delegation, AnExceptionInALaterStepComesOutOfTheOuterOne) {
    auto inner = []() -> generator<int> {
        co_yield 1;
        throw spam();
    };
    auto outer = [&]() -> generator<int> { co_yield elements_of(inner()); };
    auto g = outer();
    EXPECT_EQ(g.next(), 1);
    EXPECT_THROW(g.next(), spam);
    EXPECT_TRUE(g.done());
}

TEST(Delegation, WhatIsSentReachesTheInnerOne) {
    auto outer = []() -> generator<int, int> {
        co_yield 100;
        co_yield elements_of(running_total());
    };
    auto g = outer();
    EXPECT_EQ(g.next(), 100);
    EXPECT_EQ(g.send(7), 0); // consumed by the outer yield; delegation starts with next()
    EXPECT_EQ(g.send(3), 3);
    EXPECT_EQ(g.send(4), 7);
    EXPECT_EQ(g.next(), 7);
}

TEST(Delegation, WhatIsSentToOneThatTakesNothingIsDropped) {
    auto outer = []() -> generator<int, int> { co_yield elements_of(countdown(3)); };
    auto g = outer();
    EXPECT_EQ(g.next(), 3);
    EXPECT_EQ(g.send(7), 2);
}

TEST(Delegation, AnExceptionWhileSendingIsTheInnerOnesAndThenTheOuterOnes) {
    auto inner = []() -> generator<int, int> {
        auto sent = co_yield 1;
        if (sent == 0) throw spam();
    };
    trace log;
    auto outer = [&]() -> generator<int, int> {
        try {
            co_yield elements_of(inner());
        } catch (const spam&) {
            log.push_back("outer caught");
            throw eggs();
        }
    };
    auto g = outer();
    g.next();
    EXPECT_THROW(g.send(0), eggs);
    EXPECT_EQ(log, (trace{"outer caught"}));
}

TEST(Delegation, ClosingClosesTheInnerOneFirst) {
    trace log;
    auto inner = [&]() -> generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            log.push_back("inner");
            throw;
        }
    };
    auto outer = [&]() -> generator<int> {
        try {
            co_yield elements_of(inner());
        } catch (const generator_exit&) {
            log.push_back("outer");
            throw;
        }
    };
    auto g = outer();
    g.next();
    g.close();
    EXPECT_EQ(log, (trace{"inner", "outer"}));
}

TEST(Delegation, ClosingAnInnerOneThatReturnsStillExitsTheOuterOne) {
    trace log;
    auto inner = [&]() -> generator<int, void, int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {}
        co_return 5;
    };
    auto outer = [&]() -> generator<int> {
        try {
            int value = co_yield elements_of(inner());
            log.push_back("got " + std::to_string(value));
        } catch (const generator_exit&) {
            log.push_back("exit");
            throw;
        }
    };
    auto g = outer();
    g.next();
    g.close();
    EXPECT_EQ(log, (trace{"exit"}));
}

TEST(Delegation, AnInnerOneThatFailsWhileClosingFailsInTheOuterOne) {
    auto inner = []() -> generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            throw spam();
        }
    };
    auto outer = [&]() -> generator<int> { co_yield elements_of(inner()); };
    auto g = outer();
    g.next();
    EXPECT_THROW(g.close(), spam);
}

TEST(Delegation, AnInnerOneThatYieldsWhileClosingIsARuntimeErrorInTheOuterOne) {
    trace log;
    auto inner = []() -> generator<int> {
        bool asked = false;
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            asked = true;
        }
        if (asked) co_yield 2;
    };
    auto outer = [&]() -> generator<int> {
        try {
            co_yield elements_of(inner());
        } catch (const rondo::runtime_error&) {
            log.push_back("outer heard of it");
        }
    };
    auto g = outer();
    g.next();
    g.close();
    EXPECT_EQ(log, (trace{"outer heard of it"}));
}

TEST(Delegation, TheRuleHoldsAtEveryLevelOfClosing) {
    trace log;
    auto stubborn = []() -> generator<int> {
        for (;;) {
            try {
                co_yield 1;
            } catch (const generator_exit&) {}
        }
    };
    auto middle = [&]() -> generator<int> {
        bool failed = false;
        try {
            co_yield elements_of(stubborn());
        } catch (const rondo::runtime_error&) {
            failed = true;
            log.push_back("middle");
        }
        if (failed) co_yield 2; // and is stubborn too
    };
    auto outer = [&]() -> generator<int> {
        try {
            co_yield elements_of(middle());
        } catch (const rondo::runtime_error&) {
            log.push_back("outer");
        }
    };
    auto g = outer();
    g.next();
    g.close();
    EXPECT_EQ(log, (trace{"middle", "outer"}));
    EXPECT_TRUE(g.done());
}

TEST(Delegation, ThrowReachesTheInnerOneWhichMayGoOn) {
    auto inner = []() -> generator<int> {
        for (int i = 0;; ++i) {
            try {
                co_yield i;
            } catch (const spam&) {
                i += 99;
            }
        }
    };
    auto outer = [&]() -> generator<int> { co_yield elements_of(inner()); };
    auto g = outer();
    EXPECT_EQ(g.next(), 0);
    EXPECT_EQ(g.throw_(spam()), 100);
    EXPECT_EQ(g.next(), 101);
    EXPECT_THROW(g.throw_(eggs()), eggs);
    EXPECT_TRUE(g.done());
}

TEST(Delegation, AValueReturnedFromAThrowGoesToTheOuterOne) {
    auto inner = []() -> generator<int, void, int> {
        try {
            co_yield 1;
        } catch (const spam&) {}
        co_return 2;
    };
    auto outer = [&]() -> generator<int> { co_yield 10 + (co_yield elements_of(inner())); };
    auto g = outer();
    g.next();
    EXPECT_EQ(g.throw_(spam()), 12);
}

TEST(Delegation, AnExceptionTheInnerOneDoesNotCatchMayBeCaughtByTheOuterOne) {
    auto outer = []() -> generator<int> {
        bool caught = false;
        try {
            co_yield elements_of(countdown(5));
        } catch (const spam&) {
            caught = true;
        }
        if (caught) co_yield 42;
    };
    auto g = outer();
    g.next();
    EXPECT_EQ(g.throw_(spam()), 42);
    EXPECT_EQ(g.next(), std::nullopt);
}

TEST(Delegation, GeneratorExitThrownInClosesTheInnerOneAndIsRaisedInTheOuterOne) {
    trace log;
    auto inner = [&]() -> generator<int, void, int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            log.push_back("inner");
        }
        co_return 3;
    };
    auto outer = [&]() -> generator<int> {
        bool exited = false;
        try {
            co_yield elements_of(inner());
        } catch (const generator_exit&) {
            exited = true;
        }
        if (exited) co_yield 8;
    };
    auto g = outer();
    g.next();
    EXPECT_EQ(g.throw_(generator_exit()), 8); // thrown, not closed: the outer one may go on
    EXPECT_EQ(log, (trace{"inner"}));
}

TEST(Delegation, GeneratorExitThrownIntoOneWhoseInnerOneYieldsIsARuntimeError) {
    auto inner = []() -> generator<int> {
        for (;;) {
            try {
                co_yield 1;
            } catch (const generator_exit&) {}
        }
    };
    auto outer = [&]() -> generator<int> { co_yield elements_of(inner()); };
    auto g = outer();
    g.next();
    EXPECT_THROW(g.throw_(generator_exit()), rondo::runtime_error);
}

TEST(Delegation, GeneratorExitThrownIntoOneWhoseInnerOneRaisesGivesThat) {
    auto inner = []() -> generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            throw spam();
        }
    };
    auto outer = [&]() -> generator<int> { co_yield elements_of(inner()); };
    auto g = outer();
    g.next();
    EXPECT_THROW(g.throw_(generator_exit()), spam);
}

TEST(Delegation, ToAnEmptyGeneratorAndToAnEmptyRange) {
    auto outer = []() -> generator<int> {
        co_yield elements_of(countdown(0));
        co_yield elements_of(ints{});
        co_yield 1;
    };
    EXPECT_EQ(rest_of(outer()), (ints{1}));
}

TEST(Delegation, ToARange) {
    auto outer = []() -> generator<int> {
        co_yield elements_of(std::array{1, 2});
        ints kept{3, 4};
        co_yield elements_of(kept);
    };
    EXPECT_EQ(rest_of(outer()), (ints{1, 2, 3, 4}));
}

TEST(Delegation, ThrowAndCloseEndADelegationToARange) {
    auto outer = []() -> generator<int> { co_yield elements_of(ints{1, 2, 3}); };
    auto thrown = outer();
    thrown.next();
    EXPECT_THROW(thrown.throw_(spam()), spam);
    auto closed = outer();
    closed.next();
    closed.close();
    EXPECT_TRUE(closed.done());
}

TEST(Delegation, ToItselfIsAValueError) {
    generator<int>* self = nullptr;
    bool refused = false;
    auto make = [&]() -> generator<int> {
        co_yield 1;
        try {
            co_yield elements_of(*self);
        } catch (const rondo::value_error&) {
            refused = true;
        }
    };
    auto g = make();
    self = &g;
    EXPECT_EQ(rest_of(g), (ints{1}));
    EXPECT_TRUE(refused);
}

TEST(Delegation, OneThatIsDelegatedToCannotBeDrivenDirectly) {
    auto inner = countdown(3);
    auto outer = [&]() -> generator<int> { co_yield elements_of(inner); };
    auto g = outer();
    EXPECT_EQ(g.next(), 3);
    EXPECT_THROW(inner.next(), rondo::value_error);
    EXPECT_EQ(g.next(), 2);
}

TEST(Delegation, AnLvalueCanBeUsedAfterItsDelegatorWasDestroyed) {
    auto inner = countdown(4);
    {
        auto outer = [&]() -> generator<int> { co_yield elements_of(inner); };
        auto g = outer();
        EXPECT_EQ(g.next(), 4);
    }
    EXPECT_EQ(inner.next(), 3);
    auto again = [&]() -> generator<int> { co_yield elements_of(inner); };
    EXPECT_EQ(rest_of(again()), (ints{2, 1}));
    EXPECT_TRUE(inner.done());
}

TEST(Delegation, AStartedChainCanBeDelegatedToAndLeftAgain) {
    auto middle = []() -> generator<int, int> {
        co_yield 100;
        co_yield elements_of(running_total());
    };
    auto chain = middle();
    chain.next();
    chain.next();
    EXPECT_EQ(chain.send(5), 5); // the chain is two deep now
    {
        auto outer = [&]() -> generator<int, int> { co_yield elements_of(chain); };
        auto g = outer();
        EXPECT_EQ(g.next(), 5);
        EXPECT_EQ(g.send(1), 6);
    }
    EXPECT_EQ(chain.send(1), 7);
}

TEST(Delegation, ReturnValuesPassThroughLevels) {
    auto lucas = [](auto&& self, int n) -> generator<int, void, int> {
        if (n <= 1) {
            co_yield n;
            co_return n == 0 ? 2 : 1;
        }
        int a = co_yield elements_of(self(self, n - 1));
        int b = co_yield elements_of(self(self, n - 2));
        co_return a + b;
    };
    auto g = lucas(lucas, 12);
    EXPECT_EQ(rest_of(g).size(), 233U); // the leaves of the recursion
    EXPECT_EQ(g.result(), 322);
}

generator<int> nested(int depth, int items) {
    if (depth == 0) {
        for (int i = 0; i < items; ++i) co_yield i;
    } else {
        co_yield elements_of(nested(depth - 1, items));
    }
}

TEST(Delegation, AHundredThousandLevelsAreDrivenAndDestroyedWithoutRecursion) {
    constexpr int depth = 100'000;
    auto to_the_end = nested(depth, 3);
    EXPECT_EQ(rest_of(to_the_end), (ints{0, 1, 2}));
    auto abandoned = nested(depth, 3);
    EXPECT_EQ(abandoned.next(), 0);
    auto closed = nested(depth, 3);
    EXPECT_EQ(closed.next(), 0);
}

TEST(Delegation, EveryObjectDiesOnceWhereverItIsAbandoned) {
    using rondo::test::tracked;
    auto inner = [](tracked from_outside) -> generator<int> {
        tracked a(from_outside);
        co_yield 1;
        tracked b(a);
        co_yield 2;
    };
    auto outer = [&](tracked from_outside) -> generator<int> {
        tracked c(from_outside);
        co_yield elements_of(inner(c));
        co_yield 3;
    };
    for (int steps = 0; steps <= 4; ++steps) {
        int living = 0;
        {
            auto g = outer(tracked(living));
            for (int i = 0; i < steps; ++i) g.next();
            EXPECT_GT(living, 0);
        }
        EXPECT_EQ(living, 0) << "abandoned after " << steps << " steps";
    }
}

} // namespace
