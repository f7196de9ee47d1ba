// A race that returns with the first result and leaves the other one running.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/wait.hpp>

#include <utility>

namespace rondo::test {

inline coro<> hasty_race(coro<> one, coro<> other) {
    task<> first = create_task(std::move(one));
    task<> second = create_task(std::move(other));
    co_await wait_any(first, second);
}

} // namespace rondo::test
