#include <rondo/sim/check_lock.hpp>

#include <rondo/sim/world.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>

#include "sim/all_of.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace rondo::sim::detail {

namespace {

struct lock_books {
    std::vector<int> came;
    std::vector<int> entered;
    int inside = 0;
};

coro<> hold_once(const lock_under_test& lock, lock_books& books, int who) {
    co_await hesitate("before the lock");
    books.came.push_back(who);
    co_await lock.acquire();
    books.entered.push_back(who);
    require(++books.inside == 1, "two hold the lock at once");
    struct leaving {
        const lock_under_test& lock;
        lock_books& books;
        ~leaving() {
            --books.inside;
            lock.release();
        }
    } at_the_end{lock, books};
    co_await hesitate("while the lock is held");
}

bool keeps_order(const lock_books& books) {
    auto at = books.came.begin();
    for (const int who : books.entered) {
        at = std::find(at, books.came.end(), who); // some were cancelled, and did not enter
        if (at == books.came.end()) return false;
    }
    return true;
}

coro<> fight_for(lock_under_test lock) {
    lock_books books;
    std::vector<task<>> all;
    all.reserve(4);
    for (int who = 0; who < 4; ++who) all.push_back(create_task(hold_once, std::cref(lock), std::ref(books), who));
    for (task<>& t : all) {
        co_await hesitate("before cancelling");
        if (perhaps("one who wants the lock is cancelled")) t.cancel();
    }
    for (task<>& t : all) {
        const auto outcome = co_await as_result(t);
        if (!outcome && !t.cancelled()) std::rethrow_exception(outcome.error());
    }
    require(keeps_order(books), "the lock is not given in the order of coming");
    const auto free = co_await move_on_after(std::chrono::minutes(1), lock.acquire());
    require(free.has_value(), "nobody holds the lock, and it cannot be had");
    lock.release();
}

} // namespace

exploration check_lock(const options& how, const std::function<lock_under_test()>& make) {
    return explore_all_of(how, {[&]() -> coro<> { co_await fight_for(make()); }});
}

} // namespace rondo::sim::detail
