// RONDO_SIM_TEST: a GoogleTest test that runs in many simulated worlds. RONDO_TEST: one that runs once, on the machine.
//
//     RONDO_SIM_TEST(Mailbox, LosesNothing, {.schedules = 1000}) {
//         rondo::queue<int> box(1);
//         co_await rondo::gather(produce(box), consume(box));
//     }
//
// What an EXPECT says counts as a failure of its run; the run is shrunk, and what it said is printed once. Inside
// coroutines only EXPECT_*: ASSERT_* returns. The library itself does not need GoogleTest.
#pragma once

#include <rondo/sim/run.hpp>
#include <rondo/task/run.hpp>
#include <rondo/task/timeout.hpp>

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <source_location>
#include <string>
#include <utility>

namespace rondo::sim {

namespace detail {

/// The failures of expectations since it was last asked.
class expectations {
public:
    std::string failed() {
        std::string text;
        for (; seen_ < all_.size(); ++seen_) {
            const testing::TestPartResult& part = all_.GetTestPartResult(seen_);
            if (!part.failed()) continue;
            if (!text.empty()) text += '\n';
            if (part.file_name())
                text += std::string(part.file_name()) + ":" + std::to_string(part.line_number()) + ": ";
            text += part.message();
        }
        return text;
    }

private:
    testing::TestPartResultArray all_;
    testing::ScopedFakeTestPartResultReporter listening_{
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &all_};
    int seen_ = 0;
};

} // namespace detail

/// explore() in which failed expectations are failures of the run; for tests that judge the result themselves.
inline exploration explore_expectations(options how, const body_factory& body) {
    detail::expectations expected;
    how.verdict = [&, before = std::move(how.verdict)] {
        std::string text = expected.failed();
        return text.empty() && before ? before() : text;
    };
    return explore(how, body);
}

/// The same, where a counter-example is a failure of the test.
inline void expect_no_failure(options how, const body_factory& body,
                              std::source_location where = std::source_location::current()) {
    const exploration result = explore_expectations(std::move(how), body);
    if (result.counter_example)
        ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line())) << result.counter_example->str();
}

struct test_options {
    duration deadline = std::chrono::seconds(10); // no_timeout is not meant: a test that hangs tells nothing
};

/// Runs the body as rondo::run() does, with a deadline; what it throws, timeout_error too, is a failure of the test.
inline void run_test(const test_options& how, coro<> (*body)(),
                     std::source_location where = std::source_location::current()) {
    try {
        rondo::run([&]() -> coro<> { co_await rondo::timeout(how.deadline, body()); });
    } catch (...) {
        ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
            << "the test ended with " << rondo::detail::describe_exception(std::current_exception());
    }
}

} // namespace rondo::sim

/// A coroutine as the body of a GoogleTest test, on a real backend; options ({.deadline = 1s}) may be left out. Inside only
/// EXPECT_*.
#define RONDO_TEST(Suite, Name, ...)                                                                                   \
    static rondo::coro<> Suite##_##Name##_body();                                                                      \
    TEST(Suite, Name) {                                                                                                \
        const rondo::sim::test_options options_of_test __VA_ARGS__;                                                    \
        rondo::sim::run_test(options_of_test, &Suite##_##Name##_body);                                                 \
    }                                                                                                                  \
    static rondo::coro<> Suite##_##Name##_body()

/// The options are in braces, and may be left out.
#define RONDO_SIM_TEST(Suite, Name, ...)                                                                               \
    static rondo::coro<> Suite##_##Name##_simulated();                                                                 \
    TEST(Suite, Name) {                                                                                                \
        rondo::sim::options options_of_test __VA_ARGS__;                                                               \
        rondo::sim::expect_no_failure(std::move(options_of_test), [] { return Suite##_##Name##_simulated(); });        \
    }                                                                                                                  \
    static rondo::coro<> Suite##_##Name##_simulated()
