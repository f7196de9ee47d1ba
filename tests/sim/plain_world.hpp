// What tests of the simulated world have in common.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/run.hpp>

#include <gtest/gtest.h>

#include <system_error>
#include <utility>

namespace rondo::test {

/// A run in which nothing deviates, and which must not fail.
inline void in_a_plain_world(const sim::body_factory& body) {
    const auto outcome = sim::run({.strategy = sim::strategy::fifo()}, body);
    EXPECT_FALSE(outcome.failure) << outcome.failure->str();
}

/// The error that awaiting it ends with; none: empty.
template <class A> coro<std::error_code> error_of(A aw) {
    try {
        co_await std::move(aw);
    } catch (const std::system_error& e) {
        co_return e.code();
    }
    co_return std::error_code();
}

} // namespace rondo::test
