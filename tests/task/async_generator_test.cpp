#include <rondo/task/async_generator.hpp>

#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::async_generator;
using rondo::coro;
using rondo::generator_exit;
using ints = std::vector<int>;
using trace = std::vector<std::string>;

class AsyncGenerator : public rondo::test::loop_test {};
RONDO_IN_EACH_WORLD(AsyncGenerator);

struct spam : std::runtime_error {
    spam() : std::runtime_error("spam") {}
};

async_generator<int> count_to(int n) {
    for (int i = 1; i <= n; ++i) {
        co_await rondo::yield();
        co_yield i;
    }
}

async_generator<int, int> running_total() {
    int total = 0;
    for (;;) {
        if (auto sent = co_yield total) total += *sent;
        co_await rondo::yield();
    }
}

template <class G> coro<ints> items_of(G& g) {
    ints items;
    while (auto item = co_await g.next()) items.push_back(*item);
    co_return items;
}

TEST_P(AsyncGenerator, GivesItsItemsThenNulloptForEver) {
    run([&]() -> coro<> {
        auto g = count_to(3);
        EXPECT_EQ(co_await items_of(g), (ints{1, 2, 3}));
        EXPECT_EQ(co_await g.next(), std::nullopt);
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

TEST_P(AsyncGenerator, RunsNothingUntilTheFirstItemIsAskedFor) {
    bool ran = false;
    auto make = [&]() -> async_generator<int> {
        ran = true;
        co_yield 1;
    };
    run([&]() -> coro<> {
        auto g = make();
        auto step = g.next();
        EXPECT_FALSE(ran);
        EXPECT_EQ(co_await std::move(step), 1);
        EXPECT_TRUE(ran);
    });
}

TEST_P(AsyncGenerator, AStepThatAwaitsNothingCostsNoPass) {
    auto make = []() -> async_generator<int> {
        co_yield 1;
        co_yield 2;
    };
    run([&]() -> coro<> {
        auto g = make();
        const auto before = passes();
        co_await g.next();
        co_await g.next();
        co_await g.next();
        EXPECT_EQ(passes(), before);
    });
}

TEST_P(AsyncGenerator, ForAwaitTakesBreakAndContinue) {
    run([&]() -> coro<> {
        ints seen;
        RONDO_FOR_AWAIT(i, count_to(10)) {
            if (i == 2) continue;
            if (i == 5) break;
            seen.push_back(i);
        }
        EXPECT_EQ(seen, (ints{1, 3, 4}));
    });
}

TEST_P(AsyncGenerator, YieldGivesWhatWasSent) {
    run([&]() -> coro<> {
        auto g = running_total();
        EXPECT_EQ(co_await g.next(), 0);
        EXPECT_EQ(co_await g.asend(3), 3);
        EXPECT_EQ(co_await g.next(), 3);
        EXPECT_EQ(co_await g.asend(4), 7);
    });
}

TEST_P(AsyncGenerator, SendingToOneThatHasNotStartedIsATypeError) {
    run([&]() -> coro<> {
        auto g = running_total();
        EXPECT_TRUE((co_await rondo::as_result(g.asend(1))).holds<rondo::type_error>());
        EXPECT_EQ(co_await g.next(), 0);
    });
}

TEST_P(AsyncGenerator, AStepIsUsedOnce) {
    run([&]() -> coro<> {
        auto g = count_to(3);
        auto step = g.next();
        EXPECT_EQ(co_await step, 1);
        EXPECT_TRUE((co_await rondo::as_result(step)).holds<rondo::runtime_error>());
        EXPECT_EQ(co_await g.next(), 2);
    });
}

TEST_P(AsyncGenerator, TwoStepsAtATimeAreARuntimeError) {
    run([&]() -> coro<> {
        auto g = count_to(3);
        auto first = rondo::create_task([&]() -> coro<std::optional<int>> { co_return co_await g.next(); });
        co_await rondo::yield();
        EXPECT_TRUE((co_await rondo::as_result(g.next())).holds<rondo::runtime_error>());
        EXPECT_TRUE((co_await rondo::as_result(g.aclose())).holds<rondo::runtime_error>());
        EXPECT_EQ(co_await first, 1);
        EXPECT_EQ(co_await g.next(), 2);
    });
}

TEST_P(AsyncGenerator, WhatTheBodyThrowsComesOutAndEndsIt) {
    auto make = []() -> async_generator<int> {
        co_yield 1;
        throw spam();
    };
    run([&]() -> coro<> {
        auto g = make();
        co_await g.next();
        EXPECT_TRUE((co_await rondo::as_result(g.next())).holds<spam>());
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

TEST_P(AsyncGenerator, AthrowRaisesAtTheYieldAndMayGiveTheNextItem) {
    auto make = []() -> async_generator<int> {
        bool caught = false;
        try {
            co_yield 1;
        } catch (const spam&) {
            caught = true;
        }
        co_await rondo::yield();
        if (caught) co_yield 2;
    };
    run([&]() -> coro<> {
        auto g = make();
        co_await g.next();
        EXPECT_EQ(co_await g.athrow(spam()), 2);
        EXPECT_EQ(co_await g.next(), std::nullopt);
        EXPECT_TRUE((co_await rondo::as_result(g.athrow(spam()))).holds<spam>());
    });
}

TEST_P(AsyncGenerator, AcloseThrowsGeneratorExitAndLetsItAwait) {
    trace log;
    auto make = [&]() -> async_generator<int> {
        bool closing = false;
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            closing = true;
        }
        if (closing) {
            co_await rondo::yield();
            log.push_back("cleaned up");
        }
    };
    run([&]() -> coro<> {
        auto g = make();
        co_await g.next();
        co_await g.aclose();
        EXPECT_EQ(log, (trace{"cleaned up"}));
        co_await g.aclose();
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

TEST_P(AsyncGenerator, AcloseOfOneThatHasNotStartedMeansItNeverRuns) {
    run([&]() -> coro<> {
        auto g = count_to(3);
        co_await g.aclose();
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

TEST_P(AsyncGenerator, AcloseOfOneThatYieldsAgainIsARuntimeError) {
    auto make = []() -> async_generator<int> {
        for (;;) {
            try {
                co_yield 1;
            } catch (const generator_exit&) {}
        }
    };
    run([&]() -> coro<> {
        auto g = make();
        co_await g.next();
        EXPECT_TRUE((co_await rondo::as_result(g.aclose())).holds<rondo::runtime_error>());
    });
}

TEST_P(AsyncGenerator, ACancellationIsThrownWhereTheBodyWaits) {
    trace log;
    auto make = [&]() -> async_generator<int> {
        co_yield 1;
        try {
            co_await rondo::sleep_forever();
        } catch (const rondo::cancelled_error&) {
            log.push_back("body");
            throw;
        }
    };
    run([&]() -> coro<> {
        auto g = make();
        co_await g.next();
        auto late = co_await rondo::move_on_after(1ms, g.next());
        EXPECT_FALSE(late);
        EXPECT_EQ(log, (trace{"body"}));
        EXPECT_EQ(co_await g.next(), std::nullopt);
    });
}

TEST_P(AsyncGenerator, AclosingClosesOnEveryPath) {
    int closed = 0;
    auto make = [&]() -> async_generator<int> {
        bool exit = false;
        try {
            co_yield 1;
            co_yield 2;
        } catch (const generator_exit&) {
            exit = true;
        }
        co_await rondo::yield();
        if (exit) ++closed;
    };
    run([&]() -> coro<> {
        const int first = co_await rondo::aclosing(make(), [](auto& g) -> coro<int> { co_return *co_await g.next(); });
        EXPECT_EQ(first, 1);
        EXPECT_EQ(closed, 1);
        auto failed = co_await rondo::as_result(rondo::aclosing(make(), [](auto& g) -> coro<> {
            co_await g.next();
            throw spam();
        }));
        EXPECT_TRUE(failed.template holds<spam>());
        EXPECT_EQ(closed, 2);
    });
}

TEST_P(AsyncGenerator, WhatClosingThrowsHasTheErrorOfTheBodyAsItsCause) {
    run([]() -> coro<> {
        auto stubborn = []() -> async_generator<int> {
            for (;;) {
                try {
                    co_yield 1;
                } catch (const generator_exit&) {
                    throw rondo::value_error("on closing");
                }
            }
        };
        auto r = co_await rondo::as_result(rondo::aclosing(stubborn(), [](async_generator<int>& g) -> coro<> {
            co_await g.next();
            throw std::out_of_range("body");
        }));
        EXPECT_TRUE(r.holds<rondo::value_error>());
        EXPECT_TRUE(rondo::detail::exception_cast<std::out_of_range>(rondo::cause_of(r.error())));
    });
}

TEST_P(AsyncGenerator, DestroyingASuspendedOneRunsItsDestructors) {
    int living = 0;
    auto make = [&]() -> async_generator<int> {
        rondo::test::tracked t(living);
        co_yield 1;
        co_yield 2;
    };
    run([&]() -> coro<> {
        {
            auto g = make();
            co_await g.next();
            EXPECT_EQ(living, 1);
        }
        EXPECT_EQ(living, 0);
    });
}

TEST_P(AsyncGenerator, CanBeMovedWhileAStepGoesOn) {
    run([&]() -> coro<> {
        auto g = std::make_unique<async_generator<int>>(count_to(2));
        auto step = rondo::create_task([&]() -> coro<std::optional<int>> { co_return co_await g->next(); });
        co_await rondo::yield();
        auto moved = std::make_unique<async_generator<int>>(std::move(*g));
        EXPECT_EQ(co_await step, 1);
        EXPECT_EQ(co_await moved->next(), 2);
    });
}

TEST_P(AsyncGenerator, ClosingTheLoopClosesThoseThatAreLeft) {
    trace log;
    auto make = [&]() -> async_generator<int> {
        bool closing = false;
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            closing = true;
        }
        co_await rondo::yield();
        if (closing) log.push_back("closed");
    };
    auto g = make();
    run([&]() -> coro<> { co_await g.next(); });
    end_loop();
    EXPECT_EQ(log, (trace{"closed"}));
}

TEST_P(AsyncGenerator, WhatFailsWhileTheLoopClosesItIsReported) {
    auto make = []() -> async_generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            throw spam();
        }
    };
    auto g = make();
    run([&]() -> coro<> {
        co_await g.next();
        co_await loop().shutdown_asyncgens();
    });
    EXPECT_EQ(reports.take().size(), 1U);
}

TEST_P(AsyncGenerator, OneThatRunsInATaskThatIsTornDownDiesWithIt) {
    int living = 0;
    auto stubborn = [&]() -> async_generator<int> {
        rondo::test::tracked t(living);
        for (;;) {
            try {
                co_await rondo::sleep_forever();
            } catch (const rondo::cancelled_error&) {}
            co_yield 1;
        }
    };
    static_cast<void>(stubborn);
    auto body = [&]() -> coro<> {
        auto g = stubborn();
        co_await g.next();
    };
    auto t = loop().create_task(body());
    run([]() -> coro<> { co_await rondo::yield(); });
    EXPECT_EQ(living, 1);
    t.record().tear_down("torn down by the test");
    EXPECT_EQ(living, 0);
    EXPECT_TRUE(t.cancelled());
}

} // namespace
