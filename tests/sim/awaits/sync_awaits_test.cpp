#include <rondo/rondo.hpp>

#include "sim/awaits/swept.hpp"

#include <chrono>
#include <utility>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::task_group;

RONDO_SWEPT(Locks, "sync/lock", "acquire scoped_lock") {
    rondo::lock lock("shared");
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](rondo::lock* l) -> coro<> {
                auto held = co_await l->scoped_lock();
                co_await rondo::sleep(1ms);
            },
            &lock);
        co_await rondo::yield();
        co_await lock.acquire();
        lock.release();
    });
    EXPECT_FALSE(lock.locked());
}

RONDO_SWEPT(Events, "sync/event", "wait") {
    rondo::event go;
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task([](rondo::event* e) -> coro<> { co_await e->wait(); }, &go);
        co_await rondo::yield();
        go.set();
    });
}

RONDO_SWEPT(Semaphores, "sync/semaphore", "acquire scoped_acquire") {
    rondo::semaphore permits(1);
    rondo::bounded_semaphore bounded(1);
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](rondo::semaphore* s) -> coro<> {
                auto one = co_await s->scoped_acquire();
                co_await rondo::sleep(1ms);
            },
            &permits);
        co_await rondo::yield();
        co_await permits.acquire();
        permits.release();
        auto other = co_await bounded.scoped_acquire();
    });
    EXPECT_FALSE(permits.locked());
}

RONDO_SWEPT(Conditions, "sync/condition", "acquire scoped_lock wait wait_for") {
    rondo::condition changed;
    int jobs = 0;
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](rondo::condition* c, int* n) -> coro<> {
                auto held = co_await c->scoped_lock();
                while (*n < 1) co_await c->wait();
                co_await c->wait_for([n] { return *n >= 2; });
            },
            &changed, &jobs);
        for (int i = 0; i < 2; ++i) {
            co_await rondo::sleep(1ms);
            co_await changed.acquire();
            ++jobs;
            changed.notify_all();
            changed.release();
        }
    });
}

RONDO_SWEPT(Barriers, "sync/barrier", "wait reset abort") {
    rondo::barrier round(2);
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task([](rondo::barrier* b) -> coro<> { co_await b->wait(); }, &round);
        co_await round.wait();
    });
    co_await round.reset();
    co_await round.abort();
}

RONDO_SWEPT(Queues, "sync/queue", "put get next join") {
    rondo::queue<int> queue(1);
    int sum = 0;
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](rondo::queue<int>* q) -> coro<> {
                for (int i = 0; i < 3; ++i) co_await q->put(i);
                co_await q->join();
                q->shutdown();
            },
            &queue);
        sum += co_await queue.get();
        queue.task_done();
        while (auto item = co_await queue.next()) {
            sum += *item;
            queue.task_done();
        }
    });
    EXPECT_EQ(sum, 3);
}

RONDO_SWEPT(Channels, "sync/channel", "send receive next") {
    rondo::channel<int> channel(1);
    int sum = 0;
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](rondo::send_channel<int> to) -> coro<> {
                for (int i = 0; i < 3; ++i) co_await to.send(i);
            },
            std::move(channel.tx));
        sum += co_await channel.rx.receive();
        while (auto item = co_await channel.rx.next()) sum += *item;
    });
    EXPECT_EQ(sum, 3);
}

RONDO_SWEPT(Limiters, "sync/capacity_limiter sync/to_thread", "acquire scoped_acquire acquire_on_behalf_of to_thread") {
    rondo::capacity_limiter one(1);
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](rondo::capacity_limiter* l) -> coro<> {
                auto token = co_await l->scoped_acquire();
                co_await rondo::sleep(1ms);
            },
            &one);
        co_await rondo::yield();
        co_await one.acquire();
        one.release();
        const int key = 0;
        co_await one.acquire_on_behalf_of(&key, "key");
        one.release_on_behalf_of(&key);
        EXPECT_EQ(co_await rondo::to_thread(one, [] { return 1; }), 1);
    });
    EXPECT_EQ(one.borrowed_tokens(), 0U);
}

} // namespace
