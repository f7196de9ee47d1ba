// Context variables: values, tokens, copies, and who sees what.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/loop/context.hpp>
#include <rondo/task/create_task.hpp>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using rondo::test::tracked;

class ContextCapture : public test::loop_test {};
RONDO_IN_EACH_WORLD(ContextCapture);

/// The rest of the test in a context of its own, so that no test sees another's values.
template <class F> void in_new_context(F&& fn) { context().run(std::forward<F>(fn)); }

TEST(ContextVar, WithoutAValueIsItsDefaultOrALookupError) {
    in_new_context([] {
        const context_var<int> with("with", 3);
        const context_var<int> without("without");
        EXPECT_EQ(with.name(), "with");
        EXPECT_EQ(with.get(), 3);
        EXPECT_EQ(with.get(4), 4) << "a fallback comes before the default";
        EXPECT_EQ(without.get(5), 5);
        try {
            without.get();
            ADD_FAILURE();
        } catch (const lookup_error& e) {
            EXPECT_NE(std::string(e.what()).find("'without'"), std::string::npos);
        }
    });
}

TEST(ContextVar, SetHoldsUntilTheTokenDies) {
    in_new_context([] {
        context_var<std::string> v("v", "default");
        {
            const auto outer = v.set("outer");
            {
                const auto inner = v.set("inner");
                EXPECT_EQ(v.get(), "inner");
                EXPECT_EQ(v.get("fallback"), "inner");
            }
            EXPECT_EQ(v.get(), "outer");
        }
        EXPECT_EQ(v.get(), "default");
    });
}

TEST(ContextVar, AssignHoldsForTheRestOfTheContext) {
    context_var<int> v("v", 0);
    in_new_context([&] {
        v.assign(1);
        {
            const auto token = v.set(2);
            v.assign(3);
            EXPECT_EQ(v.get(), 3);
        }
        EXPECT_EQ(v.get(), 1) << "the token brings back what set() found";
    });
    EXPECT_EQ(v.get(), 0);
}

TEST(ContextVar, VariablesOfOneNameAreApart) {
    in_new_context([] {
        context_var<int> a("same", 1);
        context_var<int> b("same", 2);
        a.assign(7);
        EXPECT_EQ(a.get(), 7);
        EXPECT_EQ(b.get(), 2);
    });
}

TEST(ContextVar, ManyVariablesKeepTheirValues) {
    in_new_context([] {
        std::vector<std::unique_ptr<context_var<int>>> all;
        for (int i = 0; i < 50; ++i) all.push_back(std::make_unique<context_var<int>>("v"));
        for (int i = 49; i >= 0; --i) all[static_cast<std::size_t>(i)]->assign(i);
        for (int i = 0; i < 50; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)]->get(), i);
    });
}

TEST(ContextToken, ResetBringsTheValueBackOnce) {
    in_new_context([] {
        context_var<int> v("v", 0);
        auto token = v.set(1);
        token.reset();
        EXPECT_EQ(v.get(), 0);
        v.assign(2);
        EXPECT_THROW(token.reset(), runtime_error);
        EXPECT_EQ(v.get(), 2);
    });
}

TEST(ContextToken, InAnotherContextItCannotBeResetAndChangesNothing) {
    context_var<int> v("v", 0);
    in_new_context([&] {
        auto token = std::optional(v.set(1));
        in_new_context([&] {
            v.assign(5);
            EXPECT_THROW(token->reset(), value_error);
            EXPECT_EQ(v.get(), 5);
        });
        EXPECT_EQ(v.get(), 1);
        token->reset(); // at home it works
        EXPECT_EQ(v.get(), 0);
        token.emplace(v.set(2));
        in_new_context([&] {
            v.assign(6);
            token.reset(); // dies here
            EXPECT_EQ(v.get(), 6);
        });
        EXPECT_EQ(v.get(), 2);
    });
}

TEST(ContextToken, ReleasedItKeepsTheValue) {
    in_new_context([] {
        context_var<int> v("v", 0);
        { v.set(1).release(); }
        EXPECT_EQ(v.get(), 1);
        auto token = v.set(2);
        token.release();
        EXPECT_THROW(token.reset(), runtime_error);
    });
}

TEST(ContextToken, MovesItsDuty) {
    in_new_context([] {
        context_var<int> v("v", 0);
        {
            auto a = v.set(1);
            {
                const auto b = std::move(a);
                EXPECT_EQ(v.get(), 1);
            }
            EXPECT_EQ(v.get(), 0);
            v.assign(2);
        }
        EXPECT_EQ(v.get(), 2) << "what was moved from brings nothing back";
    });
}

TEST(Context, ACopyIsASnapshot) {
    in_new_context([] {
        context_var<int> v("v", 0);
        v.assign(1);
        context copy = copy_context();
        v.assign(2);
        EXPECT_EQ(v.get(copy), 1);
        copy.run([&] {
            EXPECT_EQ(v.get(), 1);
            v.assign(3);
        });
        EXPECT_EQ(v.get(copy), 3);
        EXPECT_EQ(v.get(), 2);
    });
}

TEST(Context, IsEmptyWhenMadeAndComparedByIdentity) {
    in_new_context([] {
        context_var<int> v("v", 9);
        v.assign(1);
        context fresh;
        EXPECT_EQ(v.get(fresh), std::nullopt) << "not even the default: it was not set there";
        EXPECT_EQ(fresh.run([&] { return v.get(); }), 9);
        const context same = fresh;
        EXPECT_EQ(fresh, same);
        EXPECT_NE(copy_context(), copy_context());
        EXPECT_NE(fresh, context());
    });
}

TEST(Context, RunKeepsWhatIsSetGivesTheValueAndPassesArguments) {
    context_var<int> v("v", 0);
    context c;
    EXPECT_EQ(c.run(
                  [&](int a, std::unique_ptr<int> b) {
                      v.assign(a);
                      return v.get() + *b;
                  },
                  1, std::make_unique<int>(2)),
              3);
    EXPECT_EQ(v.get(), 0);
    EXPECT_EQ(v.get(c), 1);
    EXPECT_EQ(c.run([&] { return v.get(); }), 1);
}

TEST(Context, WhatRunThrowsLeavesItAsItIs) {
    context_var<int> v("v", 0);
    context c;
    EXPECT_THROW(c.run([&] {
        v.assign(1);
        throw value_error("x");
    }),
                 value_error);
    EXPECT_EQ(v.get(), 0);
    EXPECT_EQ(c.run([&] { return v.get(); }), 1) << "and it may be entered again";
}

TEST(Context, IsNotEnteredTwice) {
    context_var<int> v("v", 0);
    context c;
    context other;
    c.run([&] {
        v.assign(1);
        context same = c;
        EXPECT_THROW(same.run([] { ADD_FAILURE(); }), runtime_error);
        EXPECT_EQ(v.get(), 1) << "the refusal leaves the current context alone";
        other.run([&] {
            EXPECT_THROW(c.run([] { ADD_FAILURE(); }), runtime_error);
            EXPECT_EQ(v.get(), 0);
        });
        EXPECT_THROW(c.run([] { ADD_FAILURE(); }), runtime_error) << "it is still entered";
    });
    EXPECT_EQ(c.run([&] { return v.get(); }), 1);
}

TEST(Context, ValuesDieWithTheLastContextThatHoldsThem) {
    int living = 0;
    context_var<tracked> v("v");
    {
        std::optional<context> copy;
        in_new_context([&] {
            v.assign(tracked(living));
            copy = copy_context();
        });
        EXPECT_EQ(living, 1);
    }
    EXPECT_EQ(living, 0);
    in_new_context([&] {
        v.assign(tracked(living));
        v.assign(tracked(living));
        EXPECT_EQ(living, 1) << "a value that was replaced is gone";
    });
    EXPECT_EQ(living, 0);
}

TEST(Context, EachThreadHasItsOwn) {
    context_var<int> v("v", 0);
    in_new_context([&] {
        v.assign(1);
        std::thread([&] {
            EXPECT_EQ(v.get(), 0);
            v.assign(2);
            EXPECT_EQ(v.get(), 2);
        }).join();
        EXPECT_EQ(v.get(), 1);
    });
}

TEST_P(ContextCapture, CallbacksRunInACopyOfTheContextTheyWereScheduledIn) {
    in_new_context([&] {
        context_var<int> v("v", 0);
        std::vector<int> seen;
        const auto look = [&] {
            seen.push_back(v.get());
            v.assign(100);
        };
        v.assign(1);
        loop().call_soon(look);
        v.assign(2);
        loop().call_soon_threadsafe(look);
        v.assign(3);
        loop().call_later(-std::chrono::seconds(1), look);
        v.assign(4);
        run_passes(2);
        EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
        EXPECT_EQ(v.get(), 4) << "and what they set stays in it";
    });
}

TEST_P(ContextCapture, AContextThatIsGivenIsShared) {
    context_var<int> v("v", 0);
    context c;
    c.run([&] { v.assign(1); });
    const auto step = [&] { v.assign(v.get() + 1); };
    const handle a = loop().call_soon(step, {.context = c});
    const timer_handle b = loop().call_later(-std::chrono::seconds(1), step, {.context = c});
    EXPECT_EQ(a.context(), c);
    EXPECT_EQ(b.context(), c);
    run_passes(1);
    EXPECT_EQ(v.get(c), 3);
    EXPECT_EQ(v.get(), 0);
}

TEST_P(ContextCapture, AHandleTellsItsContext) {
    in_new_context([&] {
        context_var<int> v("v", 0);
        v.assign(1);
        const handle h = loop().call_soon([] {});
        v.assign(2);
        EXPECT_EQ(v.get(h.context()), 1);
        run_passes(1);
        EXPECT_EQ(v.get(h.context()), 1) << "also when it has run";
    });
}

TEST_P(ContextCapture, ValuesGoToTheLoopsThread) {
    context_var<std::string> v("v", "none");
    std::string seen;
    std::thread([&] {
        v.assign("from the thread");
        loop().call_soon_threadsafe([&] { seen = v.get(); });
    }).join();
    run_passes(1);
    EXPECT_EQ(seen, "from the thread");
}

TEST_P(ContextCapture, ATaskHasACopyAndKeepsItThroughItsAwaits) {
    in_new_context([&] {
        context_var<int> v("v", 0);
        v.assign(1);
        run([&]() -> coro<> {
            EXPECT_EQ(v.get(), 1);
            v.assign(2);
            auto child = create_task([&]() -> coro<int> {
                const int began = v.get();
                v.assign(3);
                co_await test::pass_by(2);
                EXPECT_EQ(v.get(), 3);
                co_return began;
            });
            v.assign(4);
            EXPECT_EQ(co_await child, 2) << "the copy is made when the task is";
            EXPECT_EQ(v.get(), 4) << "a child's changes stay with it";
            co_await [&]() -> coro<> {
                v.assign(5);
                co_return;
            }();
            EXPECT_EQ(v.get(), 5) << "a coroutine that is awaited is the same task";
        });
        EXPECT_EQ(v.get(), 1);
    });
}

TEST_P(ContextCapture, TasksMayShareAContext) {
    context_var<int> v("v", 0);
    context shared;
    run([&]() -> coro<> {
        const auto step = [&]() -> coro<> {
            const int before = v.get();
            co_await yield();
            v.assign(before + 1);
        };
        co_await create_task({.context = shared}, step);
        co_await create_task({.context = shared}, step);
        EXPECT_EQ(v.get(), 0);
    });
    EXPECT_EQ(v.get(shared), 2);
}

} // namespace
} // namespace rondo
