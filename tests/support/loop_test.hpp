// The fixture of tests that need a loop: each test runs once on every backend that speaks to a kernel, and where it needs
// nothing of one, in a simulated world too.
//
//     class Gather : public rondo::test::loop_test {};
//     RONDO_IN_EACH_WORLD(Gather);            (RONDO_ON_EACH_BACKEND: threads, processes, signals, descriptors of the kernel)
//
//     TEST_P(Gather, KeepsTheOrderOfItsArguments) {
//         run([&]() -> rondo::coro<> {
//             auto [a, b] = co_await rondo::gather(one(), two());
//             EXPECT_EQ(a, 1);
//         });
//     }
//
// Inside coroutines only EXPECT_*: ASSERT_* returns. What the exception handler is told has to be taken with reports.take():
// a report that no test expected fails it.
#pragma once

#include "support/reports.hpp"
#include "support/simulated_loop.hpp"

#include <rondo/task/run.hpp>
#include <rondo/task/sleep.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace rondo::test {

/// No loop has this backend, so it stands for the simulated one.
inline constexpr backend_kind simulated = backend_kind::automatic;

inline std::string backend_name(backend_kind kind) {
    if (kind == simulated) return "simulated";
    return kind == backend_kind::epoll ? "epoll" : "uring";
}

/// A loop with this backend, or null where the kernel has none.
inline std::unique_ptr<event_loop> make_loop(backend_kind kind, bool debug = false) {
    if (kind == simulated) return make_simulated_loop(debug);
    try {
        return std::make_unique<event_loop>(loop_options{.backend = kind, .debug = debug});
    } catch (const std::system_error&) {
        if (kind == backend_kind::epoll) throw;
        return nullptr;
    }
}

class loop_test : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        loop_ = new_loop(GetParam());
        if (!loop_) GTEST_SKIP() << "this kernel has no io_uring";
        reports.listen(*loop_);
    }
    void TearDown() override {
        end_loop();
        for (const report& unexpected : reports.take())
            ADD_FAILURE() << "the exception handler was told: " << unexpected.message;
    }

    /// For a fixture whose loops live in another world.
    virtual std::unique_ptr<event_loop> new_loop(backend_kind kind) { return make_loop(kind); }

    event_loop& loop() { return *loop_; }
    std::uint64_t passes() { return detail::loop_access::state(*loop_).passes; }
    /// Runs a coroutine, or a callable that returns one, to its end.
    template <class T> T run(coro<T> main) { return loop_->run_until_complete(std::move(main)); }
    template <std::invocable F> auto run(F&& main) { return loop_->run_until_complete(main()); }
    /// Makes `n` passes without a task of the test's own.
    void run_passes(int n) {
        while (n-- > 0) loop_->run_once(duration::zero());
    }
    /// close() and destruction before the end of the test.
    void end_loop() {
        if (loop_) loop_->close();
        loop_.reset();
    }

    /// ~event_loop alone: for the child of a fork, which may not close it.
    void destroy_loop() { loop_.reset(); }

    test::reports reports;

private:
    std::unique_ptr<event_loop> loop_;
};

/// Lets `n` passes go by.
inline coro<> pass_by(int n) {
    while (n-- > 0) co_await yield();
}

} // namespace rondo::test

#define RONDO_ON_EACH_BACKEND(fixture)                                                                                 \
    INSTANTIATE_TEST_SUITE_P(On, fixture, testing::Values(rondo::backend_kind::epoll, rondo::backend_kind::uring),     \
                             [](const auto& kind) { return rondo::test::backend_name(kind.param); })

#define RONDO_IN_EACH_WORLD(fixture)                                                                                   \
    INSTANTIATE_TEST_SUITE_P(                                                                                          \
        On, fixture, testing::Values(rondo::backend_kind::epoll, rondo::backend_kind::uring, rondo::test::simulated),  \
        [](const auto& kind) { return rondo::test::backend_name(kind.param); })
