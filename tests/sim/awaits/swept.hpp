// RONDO_SWEPT: a coroutine that uses some public awaits, swept for cancellation, for failing allocations and for errors of the
// system.
//
//     RONDO_SWEPT(Events, "sync/event", "wait") { ... }
//
// tests/house/swept_awaits reads these lines: every public await of the library has to stand in one.
#pragma once

#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>

#include <gtest/gtest.h>

namespace rondo::test {

inline void expect_swept(const sim::body_factory& body, const sim::options& how = {}) {
    const auto cancelled = sim::sweep_cancel(how, body);
    EXPECT_FALSE(cancelled.counter_example) << "cancelled: " << cancelled.counter_example->str();
    const auto failed = sim::sweep_errno(how, body);
    EXPECT_FALSE(failed.counter_example) << "with an error: " << failed.counter_example->str();
    if (!sim::can_sweep_alloc()) return;
    const auto starved = sim::sweep_alloc(how, body);
    EXPECT_FALSE(starved.counter_example) << "without memory: " << starved.counter_example->str();
    EXPECT_GT(starved.schedules, 1U) << "nothing was allocated";
}

} // namespace rondo::test

#define RONDO_SWEPT(Name, header, awaits)                                                                              \
    static rondo::coro<> Name##_is_swept();                                                                            \
    TEST(Swept, Name) { rondo::test::expect_swept(Name##_is_swept); }                                                  \
    static rondo::coro<> Name##_is_swept()
