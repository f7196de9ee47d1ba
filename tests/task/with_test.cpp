// with(): a resource whose entering and leaving are awaited.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/with.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using log = std::vector<std::string>;

std::string name_of(const std::exception_ptr& error) {
    if (!error) return "nothing";
    return detail::is_cancellation(error) ? "a cancellation" : "an error";
}

/// Gives a number, swallows nothing.
struct numbered {
    log* out;
    int number = 7;
    coro<int> aenter() {
        co_await yield();
        out->push_back("enter");
        co_return number;
    }
    coro<> aexit(std::exception_ptr error) {
        co_await test::pass_by(3);
        out->push_back("leave with " + name_of(error));
    }
};
/// Gives nothing, and swallows what is no cancellation.
struct forgiving {
    int entered = 0;
    coro<> aenter() {
        ++entered;
        co_return;
    }
    coro<bool> aexit(std::exception_ptr error) { co_return error && !detail::is_cancellation(error); }
};
struct failing_exit {
    coro<> aenter() { co_return; }
    coro<> aexit(std::exception_ptr) {
        throw std::logic_error("while leaving");
        co_return;
    }
};

class With : public test::loop_test {
protected:
    log said;
};
RONDO_IN_EACH_WORLD(With);

TEST_P(With, GivesTheBodyWhatEnteringGaveAndTheCallerTheValueOfTheBody) {
    run([&]() -> coro<> {
        numbered resource{&said};
        EXPECT_EQ(co_await with(resource, [](int n) -> coro<int> { co_return n + 1; }), 8);
        EXPECT_EQ(said, (log{"enter", "leave with nothing"}));
        EXPECT_EQ(co_await with(numbered{&said, 1}, []() -> coro<std::string> { co_return "moved in"; }), "moved in");
    });
}

TEST_P(With, LeavesAfterAnErrorAndThrowsIt) {
    run([&]() -> coro<> {
        numbered resource{&said};
        auto outcome = co_await as_result(with(resource, [](int) -> coro<> {
            throw std::out_of_range("x");
            co_return;
        }));
        EXPECT_TRUE(outcome.holds<std::out_of_range>());
        EXPECT_EQ(said, (log{"enter", "leave with an error"}));
    });
}

TEST_P(With, LeavesWholeAfterACancellationAndWhenAnotherOneComes) {
    run([&]() -> coro<> {
        numbered resource{&said};
        auto t =
            create_task([&]() -> coro<> { co_await with(resource, [](int) -> coro<> { co_await sleep_forever(); }); });
        co_await test::pass_by(4);
        t.cancel();
        co_await test::pass_by(2);
        t.cancel(); // while it leaves
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(said, (log{"enter", "leave with a cancellation"}));
    });
}

TEST_P(With, AnExitThatGivesTrueSwallowsTheError) {
    run([&]() -> coro<> {
        forgiving resource;
        std::optional<int> value = co_await with(resource, [](forgiving& r) -> coro<int> { co_return r.entered; });
        EXPECT_EQ(value, 1);
        std::optional<int> none = co_await with(resource, [](forgiving&) -> coro<int> {
            throw std::out_of_range("x");
            co_return 1;
        });
        EXPECT_FALSE(none);
        auto t = create_task(
            [&]() -> coro<> { co_await with(resource, [](forgiving&) -> coro<> { co_await sleep_forever(); }); });
        co_await test::pass_by(2);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(With, WhatTheExitThrowsReplacesTheErrorOfTheBodyWhichIsItsCause) {
    run([&]() -> coro<> {
        failing_exit resource;
        auto outcome = co_await as_result(with(resource, []() -> coro<> {
            throw std::out_of_range("x");
            co_return;
        }));
        EXPECT_TRUE(outcome.holds<std::logic_error>());
        EXPECT_FALSE(outcome.holds<std::out_of_range>());
        EXPECT_TRUE(detail::exception_cast<std::out_of_range>(cause_of(outcome.error())));
    });
}

TEST_P(With, WhenEnteringFailsNothingElseIsCalled) {
    struct closed {
        log* out;
        coro<> aenter() {
            throw std::out_of_range("closed");
            co_return;
        }
        coro<> aexit(std::exception_ptr) {
            out->push_back("leave");
            co_return;
        }
    };
    run([&]() -> coro<> {
        closed resource{&said};
        auto outcome = co_await as_result(with(resource, [&]() -> coro<> {
            said.push_back("body");
            co_return;
        }));
        EXPECT_TRUE(outcome.holds<std::out_of_range>());
        EXPECT_TRUE(said.empty());
    });
}

} // namespace
} // namespace rondo
