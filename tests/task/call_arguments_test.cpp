// What becomes of the callable and the arguments of create_task(fn, args...) and its kin.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run_coroutine_threadsafe.hpp>
#include <rondo/task/task_group.hpp>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo {
namespace {

using test::pass_by;

class CallArguments : public test::loop_test {};
RONDO_IN_EACH_WORLD(CallArguments);

const std::string long_text(40, 'x'); // longer than what a std::string keeps in itself

coro<std::string> late_copy(const std::string& text) {
    co_await pass_by(2);
    co_return text;
}
coro<std::string> late_move(std::string&& text) {
    co_await pass_by(2);
    co_return std::move(text);
}
coro<long> late_number(const long& x) {
    co_await pass_by(2);
    co_return x;
}
coro<std::size_t> late_view(std::string_view text) {
    co_await pass_by(2);
    co_return text.size();
}

constexpr const char* literal = "a literal that is longer than what a std::string keeps in itself";

TEST_P(CallArguments, WhatAReferenceParameterIsConvertedToLivesAsLongAsTheTask) {
    run([]() -> coro<> {
        EXPECT_EQ(co_await create_task(late_copy, literal), literal);
        EXPECT_EQ(co_await create_task(late_move, literal), literal);
        EXPECT_EQ(co_await create_task(late_number, 7), 7);
        EXPECT_EQ(co_await create_task(late_view, literal), std::strlen(literal));
    });
}

TEST_P(CallArguments, TheyAreConvertedAtTheCallSoThatABufferMayDie) {
    run([]() -> coro<> {
        task<std::string> t;
        {
            char buffer[80];
            std::strcpy(buffer, literal);
            t = create_task(late_copy, buffer);
            std::memset(buffer, 0, sizeof buffer);
        }
        EXPECT_EQ(co_await t, literal);
    });
}

TEST_P(CallArguments, InLambdasMemberFunctionsAndFunctionObjects) {
    struct service {
        std::string name = "svc ";
        coro<std::string> greet(const std::string& whom) const& {
            co_await pass_by(1);
            co_return name + whom;
        }
        coro<std::string> greet_noexcept(const std::string& whom) noexcept {
            co_await pass_by(1);
            co_return name + whom;
        }
    };
    run([]() -> coro<> {
        const auto lambda = [](const std::string& text, const long& n) -> coro<std::string> {
            co_await pass_by(1);
            co_return text + std::to_string(n);
        };
        EXPECT_EQ(co_await create_task(lambda, literal, 3), std::string(literal) + "3");
        service s;
        EXPECT_EQ(co_await create_task(&service::greet, s, literal), std::string("svc ") + literal);
        EXPECT_EQ(co_await create_task(&service::greet, &s, literal), std::string("svc ") + literal);
        EXPECT_EQ(co_await create_task(&service::greet_noexcept, std::ref(s), literal), std::string("svc ") + literal);
        const std::function<coro<std::string>(const std::string&)> erased = late_copy;
        EXPECT_EQ(co_await create_task(erased, literal), literal);
    });
}

TEST_P(CallArguments, AlsoWhereTheParametersCannotBeSeen) {
    struct overloaded {
        coro<std::string> operator()(const std::string& text, int) const {
            co_await pass_by(2);
            co_return text;
        }
        coro<std::string> operator()(int, int) const { co_return "int"; }
    };
    run([]() -> coro<> {
        const auto generic = [](const std::string& text, auto n) -> coro<std::string> {
            co_await pass_by(2);
            co_return text + std::to_string(n);
        };
        EXPECT_EQ(co_await create_task(generic, literal, 3), std::string(literal) + "3");
        EXPECT_EQ(co_await create_task(overloaded(), literal, 1), literal);
        EXPECT_EQ(co_await create_task(overloaded(), 1, 1), "int");
    });
}

TEST_P(CallArguments, WhatFitsIsNeitherConvertedNorCopiedTwice) {
    run([]() -> coro<> {
        auto text = std::make_unique<std::string>(long_text);
        const std::string* const there = text.get();
        const auto where = [](const std::unique_ptr<std::string>& p) -> coro<const std::string*> { co_return p.get(); };
        EXPECT_EQ(co_await create_task(where, std::move(text)), there);
        std::string kept = long_text;
        const auto same = [&](const std::string& s) -> coro<bool> { co_return &s == &kept; };
        EXPECT_TRUE(co_await create_task(same, std::ref(kept)));
        EXPECT_TRUE(co_await create_task(same, std::cref(kept)));
        EXPECT_FALSE(co_await create_task(same, kept));
        struct base {
            int x = 1;
        };
        struct derived : base {
            int y = 2;
        };
        const auto downcast = [](const base& b) -> coro<int> { co_return static_cast<const derived&>(b).y; };
        EXPECT_EQ(co_await create_task(downcast, derived()), 2); // not sliced
    });
}

TEST_P(CallArguments, InTaskGroupsAndFromOtherThreadsToo) {
    run([&]() -> coro<> {
        std::string grouped;
        co_await task_group::run([&](task_group& group) -> coro<> {
            auto a = group.create_task(late_copy, literal);
            const int started = co_await group.start<int>(
                [](task_status<int> status, const std::string& text) -> coro<> {
                    co_await pass_by(2);
                    status.started(static_cast<int>(text.size()));
                },
                literal);
            EXPECT_EQ(started, static_cast<int>(std::strlen(literal)));
            grouped = co_await a;
        });
        EXPECT_EQ(grouped, literal);
        auto crossing = run_coroutine_threadsafe(loop(), late_copy, literal);
        co_await pass_by(6);
        EXPECT_TRUE(crossing.done());
        EXPECT_EQ(crossing.get(), literal);
    });
}

TEST_P(CallArguments, DieWhenTheCoroutineHasEndedNotWithTheHandle) {
    run([]() -> coro<> {
        int living = 0;
        const auto generic = [](const auto& kept) -> coro<> {
            co_await yield();
            static_cast<void>(kept);
        };
        auto t = create_task(generic, test::tracked(living));
        co_await t;
        EXPECT_EQ(living, 0);
        EXPECT_TRUE(t.done());
    });
}

} // namespace
} // namespace rondo
