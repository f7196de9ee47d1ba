// A transfer that takes the locks of two accounts in the order of its arguments.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/lock.hpp>

namespace rondo::test {

struct locked_account {
    rondo::lock lock;
    int balance = 100;
};

inline coro<> transfer(locked_account& from, locked_account& to, int amount) {
    const auto first = co_await from.lock.scoped_lock();
    co_await sim::hesitate("between the two locks");
    const auto second = co_await to.lock.scoped_lock();
    from.balance -= amount;
    to.balance += amount;
}

} // namespace rondo::test
