// Symmetric transfer must be a tail call in every mode: this file is compiled without optimisation, under AddressSanitizer
// too. With a native frame for each transfer these tests would overflow the stack.

#include "coro/by_hand.hpp"

namespace {

using rondo::coro;
using rondo::test::run_to_end;

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
