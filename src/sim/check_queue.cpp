#include <rondo/sim/check_queue.hpp>

#include <rondo/sim/world.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/move_on_after.hpp>

#include "sim/all_of.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <vector>

namespace rondo::sim::detail {

namespace {

constexpr int items = 6;

struct queue_books {
    std::set<int> surely_put;
    std::vector<int> got;
};

coro<> put_all(const queue_under_test& queue, queue_books& books) {
    for (int item = 0; item < items; ++item) {
        co_await hesitate("before the put");
        co_await queue.put(item);
        books.surely_put.insert(item);
    }
}

coro<> get_one(const queue_under_test& queue, queue_books& books) {
    co_await hesitate("before the get");
    books.got.push_back(co_await queue.get());
}

coro<> settle(task<>& t) {
    const auto outcome = co_await as_result(t);
    if (!outcome && !t.cancelled()) std::rethrow_exception(outcome.error());
}

coro<> lose_nothing(queue_under_test queue) {
    queue_books books;
    task<> producer = create_task(put_all, std::cref(queue), std::ref(books));
    std::vector<task<>> getters;
    getters.reserve(3);
    for (int i = 0; i < 3; ++i) getters.push_back(create_task(get_one, std::cref(queue), std::ref(books)));
    for (task<>& t : getters) {
        co_await hesitate("before cancelling");
        if (perhaps("a get() is cancelled")) t.cancel();
    }
    if (perhaps("the producer is cancelled")) producer.cancel();
    for (;;) {
        const auto rest = co_await move_on_after(std::chrono::minutes(1), queue.get());
        if (!rest) break;
        books.got.push_back(*rest);
    }
    co_await settle(producer);
    for (task<>& t : getters) {
        t.cancel(); // there is nothing left for it
        co_await settle(t);
    }
    require(std::ranges::is_sorted(books.got), "items do not come in the order of putting");
    require(std::ranges::adjacent_find(books.got) == books.got.end(), "an item comes twice");
    require(std::ranges::all_of(books.surely_put,
                                [&](int item) { return std::ranges::find(books.got, item) != books.got.end(); }),
            "an item that was put is lost");
}

coro<> hold_no_more_than(queue_under_test queue, std::size_t capacity) {
    std::size_t put = 0;
    task<> producer = create_task([&]() -> coro<> {
        for (;;) {
            co_await queue.put(static_cast<int>(put));
            ++put;
        }
    });
    co_await wait_all_tasks_blocked();
    require(put == capacity, "not as many items go in as the capacity says");
    require(co_await queue.get() == 0, "what was put first does not come first");
    co_await wait_all_tasks_blocked();
    require(put == capacity + 1, "a put() that waits does not go on when there is room");
    producer.cancel();
    co_await settle(producer);
}

} // namespace

exploration check_queue(const options& how, std::size_t capacity, const std::function<queue_under_test()>& make) {
    return explore_all_of(how, {[&]() -> coro<> { co_await lose_nothing(make()); },
                                [&]() -> coro<> { co_await hold_no_more_than(make(), capacity); }});
}

} // namespace rondo::sim::detail
