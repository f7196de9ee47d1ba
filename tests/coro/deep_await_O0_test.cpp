// Symmetric transfer must be a tail call in every mode: this file is compiled without optimisation, under AddressSanitizer
// too. With a native frame for each transfer these tests would overflow the stack.

#include <rondo/coro/coro.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <optional>

namespace {

using rondo::coro;

/// Runs a coroutine that awaits nothing but coroutines, without a loop.
template <class T> T run_to_end(coro<T> c) {
    struct end : rondo::detail::resumable {
        bool reached = false;
    } at_end;
    at_end.resume = [](rondo::detail::resumable* self) noexcept { static_cast<end*>(self)->reached = true; };
    auto frame = rondo::detail::coro_access::release(c);
    frame.promise().continuation = at_end.handle();
    frame.resume();
    EXPECT_TRUE(at_end.reached);
    rondo::result<T> outcome = std::move(frame.promise().outcome());
    frame.destroy();
    return std::move(outcome).value();
}

coro<int> next_of(int x) { co_return x + 1; }

coro<int> count_by_awaits(int n) {
    int x = 0;
    for (int i = 0; i < n; ++i) x = co_await next_of(x);
    co_return x;
}

coro<int> depth_of(int n) {
    if (n == 0) co_return 0;
    const int below = co_await depth_of(n - 1);
    co_return below + 1;
}

TEST(DeepAwaitO0, AMillionAwaitsThatCompleteAtOnceUseNoStack) {
    EXPECT_EQ(run_to_end(count_by_awaits(1'000'000)), 1'000'000);
}

TEST(DeepAwaitO0, AHundredThousandLevelsOfAwaitUseNoStack) { EXPECT_EQ(run_to_end(depth_of(100'000)), 100'000); }

TEST(DeepAwaitO0, AnErrorPassesThroughTenThousandLevels) {
    struct rethrowing {
        static coro<int> level(int n) {
            if (n == 0) throw 42;
            co_return co_await level(n - 1);
        }
    };
    EXPECT_THROW(run_to_end(rethrowing::level(10'000)), int);
}

} // namespace
