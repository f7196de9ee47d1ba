// Awaiters that know nothing of tasks: a type of somebody else's with an await_suspend(std::coroutine_handle<>) of its own.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/async_generator.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>

#include <gmock/gmock.h>

#include <coroutine>
#include <exception>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using testing::HasSubstr;

class ForeignAwaiter : public test::loop_test {
protected:
    std::coroutine_handle<> parked; // what the foreign awaiter was given
    std::vector<std::string> log;
};
RONDO_ON_EACH_BACKEND(ForeignAwaiter);

/// Gives its handle away, and waits.
struct park {
    std::coroutine_handle<>& into;
    int value = 0;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { into = h; }
    int await_resume() const noexcept { return value; }
};

TEST_P(ForeignAwaiter, ResumingItMakesTheTaskReadyAndRunsNothing) {
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<int> {
            const int x = co_await park{parked, 7};
            log.push_back(current_task().name());
            co_return x;
        });
        t.set_name("parker");
        co_await yield();
        EXPECT_TRUE(parked);
        const any_task me = current_task();
        const std::uint64_t before = passes();
        parked.resume();
        EXPECT_TRUE(log.empty());
        EXPECT_EQ(current_task(), me);
        EXPECT_EQ(co_await t, 7);
        EXPECT_EQ(passes(), before + 2); // its step, then ours
        EXPECT_EQ(log, std::vector<std::string>{"parker"});
    });
}

TEST_P(ForeignAwaiter, TheContextOfTheTaskIsThereAgain) {
    context_var<int> v("v", 0);
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<> {
            v.assign(5);
            co_await park{parked};
            EXPECT_EQ(v.get(), 5);
        });
        co_await yield();
        parked.resume();
        co_await t;
        EXPECT_EQ(v.get(), 0);
    });
}

TEST_P(ForeignAwaiter, ThatIsResumedInsideItsAwaitSuspendGoesOnInTheNextPass) {
    struct at_once {
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const { h.resume(); }
        void await_resume() const noexcept {}
    };
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        co_await at_once();
        EXPECT_EQ(passes(), before + 1);
    });
}

TEST_P(ForeignAwaiter, ThatIsReadyCostsNothing) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        for (int i = 0; i < 1000; ++i) co_await std::suspend_never();
        EXPECT_EQ(passes(), before);
    });
}

struct maybe {
    bool suspends;
    std::coroutine_handle<>& into;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h) const noexcept {
        if (suspends) into = h;
        return suspends;
    }
    int await_resume() const noexcept { return 3; }
};

TEST_P(ForeignAwaiter, WhoseAwaitSuspendGivesFalseGoesOnAtOnce) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        EXPECT_EQ(co_await (maybe{false, parked}), 3);
        EXPECT_EQ(passes(), before);
        co_await yield(); // nothing of the wait that was none is left
        auto t = create_task([&]() -> coro<int> { co_return co_await (maybe{true, parked}); });
        co_await yield();
        parked.resume();
        EXPECT_EQ(co_await t, 3);
    });
}

/// A coroutine of somebody else's, lazy, that goes on with whoever awaits it.
class other_coroutine {
public:
    struct promise_type {
        std::coroutine_handle<> whoever;
        int value = 0;
        other_coroutine get_return_object() {
            return other_coroutine(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        struct to_whoever {
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
                return h.promise().whoever;
            }
            void await_resume() const noexcept {}
        };
        to_whoever final_suspend() const noexcept { return {}; }
        void return_value(int v) noexcept { value = v; }
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    explicit other_coroutine(std::coroutine_handle<promise_type> h) noexcept : frame_(h) {}
    other_coroutine(const other_coroutine&) = delete;
    other_coroutine& operator=(const other_coroutine&) = delete;
    ~other_coroutine() { frame_.destroy(); }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) const noexcept {
        frame_.promise().whoever = h;
        return frame_;
    }
    int await_resume() const noexcept { return frame_.promise().value; }

private:
    std::coroutine_handle<promise_type> frame_;
};

TEST_P(ForeignAwaiter, WhoseAwaitSuspendGivesAHandleIsTransferredTo) {
    struct others {
        static other_coroutine work(std::coroutine_handle<>& parked, std::vector<std::string>& log) {
            log.push_back("began in " + current_task().name());
            co_await park{parked};
            co_return 9;
        }
    };
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<int> {
            const int x = co_await others::work(parked, log);
            log.push_back("ended in " + current_task().name());
            co_return x;
        });
        t.set_name("host");
        co_await yield();
        EXPECT_FALSE(t.done());
        parked.resume(); // the other coroutine's own handle: it ends, and makes the task ready
        EXPECT_EQ(log.size(), 1U);
        EXPECT_EQ(co_await t, 9);
        EXPECT_EQ(log, (std::vector<std::string>{"began in host", "ended in host"}));
    });
}

struct back_to_itself {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) const noexcept { return h; }
    void await_resume() const noexcept {}
};

TEST_P(ForeignAwaiter, WhoseAwaitSuspendGivesItsOwnHandleBackGoesOnAtOnce) {
    run([&]() -> coro<> {
        const std::uint64_t before = passes();
        for (int i = 0; i < 100'000; ++i) co_await back_to_itself();
        EXPECT_EQ(passes(), before);
        co_await yield();
    });
}

TEST_P(ForeignAwaiter, ACancellationComesTooLateForItAndIsDeliveredAtTheNextSuspension) {
    run([&]() -> coro<> {
        auto t = create_task([&]() -> coro<> {
            log.push_back(std::to_string(co_await park{parked, 4}));
            co_await yield();
            log.push_back("never");
        });
        co_await yield();
        EXPECT_TRUE(t.cancel());
        co_await test::pass_by(2);
        EXPECT_FALSE(t.done());
        parked.resume();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(log, std::vector<std::string>{"4"});
    });
}

TEST_P(ForeignAwaiter, ACancelledScopeIsNoticedAfterIt) {
    run([&]() -> coro<> {
        cancel_scope scope;
        loop().call_soon([&] {
            scope.cancel();
            parked.resume();
        });
        const auto left = co_await scope.run([&]() -> coro<> {
            EXPECT_EQ(co_await (park{parked, 4}), 4);
            log.push_back("went on");
            co_await sleep_forever();
        });
        EXPECT_FALSE(left);
        EXPECT_EQ(log.size(), 1U);
    });
}

TEST_P(ForeignAwaiter, AnotherThreadMayResumeIt) {
    struct in_a_thread {
        std::thread& runner;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const {
            runner = std::thread([h] { h.resume(); });
        }
        std::thread::id await_resume() const noexcept { return std::this_thread::get_id(); }
    };
    run([&]() -> coro<> {
        for (int i = 0; i < 100; ++i) {
            std::thread runner;
            EXPECT_EQ(co_await in_a_thread{runner}, std::this_thread::get_id());
            runner.join();
        }
    });
}

TEST_P(ForeignAwaiter, WorksBehindAsResultInAGeneratorInGatherAndAsATask) {
    run([&]() -> coro<> {
        loop().call_soon([&] { parked.resume(); });
        EXPECT_EQ(*co_await as_result(park{parked, 1}), 1);

        auto numbers = [](std::coroutine_handle<>& into) -> async_generator<int> {
            co_yield co_await park{into, 2};
        }(parked);
        loop().call_soon([&] { parked.resume(); });
        EXPECT_EQ(co_await numbers.next(), 2);

        std::coroutine_handle<> other;
        auto both = gather_future(park{parked, 3}, park{other, 4});
        co_await yield();
        other.resume();
        parked.resume();
        EXPECT_EQ(co_await both, std::tuple(3, 4));

        auto t = create_task(park{parked, 5});
        co_await yield();
        parked.resume();
        EXPECT_EQ(co_await t, 5);
    });
}

struct with_operator {
    std::coroutine_handle<>& into;
    park operator co_await() && { return park{into, 6}; }
};
struct with_free_operator {
    std::coroutine_handle<>& into;
};
park operator co_await(with_free_operator&& w) { return park{w.into, 8}; }

TEST_P(ForeignAwaiter, MadeByAnOperatorCoAwait) {
    run([&]() -> coro<> {
        loop().call_soon([&] { parked.resume(); });
        EXPECT_EQ(co_await with_operator{parked}, 6);
        loop().call_soon([&] { parked.resume(); });
        EXPECT_EQ(co_await with_free_operator{parked}, 8);
    });
}

TEST_P(ForeignAwaiter, WhatItThrowsIsThrownByTheAwait) {
    struct throwing {
        int where;
        bool await_ready() const { return fail(0), false; }
        void await_suspend(std::coroutine_handle<> h) const {
            fail(1);
            h.resume();
        }
        void await_resume() const { fail(2); }
        void fail(int here) const {
            if (where == here) throw std::out_of_range("foreign");
        }
    };
    run([&]() -> coro<> {
        for (int where = 0; where < 3; ++where) {
            bool caught = false;
            try {
                co_await throwing{where};
            } catch (const std::out_of_range&) {
                caught = true;
            }
            EXPECT_TRUE(caught);
            EXPECT_TRUE((co_await as_result(throwing{where})).holds<std::out_of_range>());
            co_await yield();
        }
    });
}

TEST_P(ForeignAwaiter, ATaskThatIsStuckInOneIsNamedWithItsPlaceAndItsFrameIsDestroyed) {
    int living = 0;
    detail::loop_access::state(loop()).patience = std::chrono::milliseconds(1);
    run([&]() -> coro<> {
        static_cast<void>(create_task({.name = "stuck"}, [&]() -> coro<> {
            const test::tracked alive(living);
            co_await park{parked};
        }));
        co_await yield();
        EXPECT_EQ(living, 1);
    });
    end_loop();
    EXPECT_EQ(living, 0);
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_THAT(told[0].message, HasSubstr("stuck"));
    EXPECT_THAT(told[0].message, HasSubstr("an awaiter that rondo does not know"));
    EXPECT_THAT(told[0].message, HasSubstr("foreign_awaiter_test.cpp"));
}

TEST_P(ForeignAwaiter, TheLibrarysOwnAwaitersAreNotAdapted) {
    static_assert(detail::own_awaiter<detail::yield_awaiter>);
    static_assert(detail::own_awaiter<detail::sleep_awaiter<void>>);
    static_assert(detail::own_awaiter<detail::future_awaiter<int>>);
    static_assert(detail::own_awaiter<detail::coro_awaiter<int>>);
    static_assert(detail::own_awaiter<detail::as_result_awaiter<coro<int>>>);
    static_assert(!detail::own_awaiter<park>);
    static_assert(!detail::own_awaiter<std::suspend_always>);
}

} // namespace
} // namespace rondo
