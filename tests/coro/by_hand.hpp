// Runs coroutines without a loop and without a task.
#pragma once

#include <rondo/coro/coro.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <utility>

namespace rondo::test {

/// Stands where a task would: the outermost frame goes on here when it ends.
struct end_of_chain : detail::resumable {
    bool reached = false;
    end_of_chain() {
        resume = [](resumable* self) noexcept { static_cast<end_of_chain*>(self)->reached = true; };
    }
};

/// Runs a coroutine that awaits nothing but coroutines.
template <class T> T run_to_end(coro<T> c) {
    end_of_chain end;
    const auto frame = detail::coro_access::release(c);
    frame.promise().continuation = end.handle();
    frame.resume();
    EXPECT_TRUE(end.reached);
    result<T> outcome = std::move(frame.promise().outcome());
    frame.destroy();
    return std::move(outcome).value();
}

/// Destroys a suspended chain of frames, innermost first.
inline void destroy_chain(std::coroutine_handle<> innermost, end_of_chain& end) {
    for (auto frame = innermost; frame != end.handle();) {
        const auto next = detail::header_of(frame).continuation;
        frame.destroy();
        frame = next;
    }
}

} // namespace rondo::test
