// What the primitives cost in passes of the loop, as numbers: nothing where nobody has to wait; where somebody does, exactly
// one from what ends the wait to who waited.
#include <rondo/sync/barrier.hpp>
#include <rondo/sync/capacity_limiter.hpp>
#include <rondo/sync/channel.hpp>
#include <rondo/sync/condition.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/queue.hpp>
#include <rondo/sync/semaphore.hpp>

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>

#include "support/loop_test.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace {

using rondo::coro;
using rondo::create_task;
using rondo::test::pass_by;

class SyncPasses : public rondo::test::loop_test {
protected:
    /// The passes that go by in `co_await make()`.
    template <class F> coro<std::uint64_t> cost(F make) {
        const std::uint64_t before = passes();
        static_cast<void>(co_await rondo::as_result(make()));
        co_return passes() - before;
    }
    /// The passes from end_it() until a task that waits in wait() goes on.
    template <class W, class E> coro<std::uint64_t> hand_over(W wait, E end_it) {
        std::uint64_t resumed = 0;
        auto waiting = create_task([&]() -> coro<> {
            static_cast<void>(co_await rondo::as_result(wait()));
            resumed = passes();
        });
        co_await pass_by(3);
        EXPECT_FALSE(waiting.done());
        const std::uint64_t ended = passes();
        end_it();
        EXPECT_EQ(resumed, 0U) << "never in the middle of another task's step";
        co_await waiting;
        co_return resumed - ended;
    }
};
RONDO_ON_EACH_BACKEND(SyncPasses);

TEST_P(SyncPasses, WhatCanBeHadAtOnceCostsNone) {
    run([&]() -> coro<> {
        rondo::lock mutex;
        EXPECT_EQ(co_await cost([&] { return mutex.acquire(); }), 0U);
        rondo::semaphore permits(2);
        EXPECT_EQ(co_await cost([&] { return permits.acquire(); }), 0U);
        rondo::capacity_limiter tokens(1);
        EXPECT_EQ(co_await cost([&] { return tokens.acquire(); }), 0U);
        rondo::event set;
        set.set();
        EXPECT_EQ(co_await cost([&] { return set.wait(); }), 0U);
        rondo::queue<int> items(1);
        EXPECT_EQ(co_await cost([&] { return items.put(1); }), 0U);
        EXPECT_EQ(co_await cost([&] { return items.get(); }), 0U);
        items.task_done();
        EXPECT_EQ(co_await cost([&] { return items.join(); }), 0U);
        rondo::barrier alone(1);
        EXPECT_EQ(co_await cost([&] { return alone.wait(); }), 0U);
        rondo::condition changed;
        EXPECT_EQ(co_await cost([&] { return changed.acquire(); }), 0U);
        EXPECT_EQ(co_await cost([&] { return changed.wait_for([] { return true; }); }), 0U);
        mutex.release();
        tokens.release();
        changed.release();
    });
}

TEST_P(SyncPasses, AHandOverCostsOne) {
    run([&]() -> coro<> {
        rondo::lock mutex;
        co_await mutex.acquire();
        EXPECT_EQ(co_await hand_over([&] { return mutex.acquire(); }, [&] { mutex.release(); }), 1U);
        rondo::semaphore permits(0);
        EXPECT_EQ(co_await hand_over([&] { return permits.acquire(); }, [&] { permits.release(); }), 1U);
        rondo::event set;
        EXPECT_EQ(co_await hand_over([&] { return set.wait(); }, [&] { set.set(); }), 1U);
        rondo::queue<int> items(1);
        EXPECT_EQ(co_await hand_over([&] { return items.get(); }, [&] { items.put_nowait(1); }), 1U);
        items.task_done();
        items.put_nowait(2);
        EXPECT_EQ(co_await hand_over([&] { return items.put(3); }, [&] { items.get_nowait(); }), 1U);
        items.get_nowait();
        items.task_done();
        EXPECT_EQ(co_await hand_over([&] { return items.join(); }, [&] { items.task_done(); }), 1U);
        EXPECT_EQ(co_await hand_over([&] { return items.get(); }, [&] { items.shutdown(); }), 1U);
    });
}

TEST_P(SyncPasses, AHandOverOfATokenCostsOne) {
    run([&]() -> coro<> {
        rondo::capacity_limiter tokens(1);
        co_await tokens.acquire();
        EXPECT_EQ(co_await hand_over(
                      [&]() -> coro<> {
                          co_await tokens.acquire();
                          tokens.release();
                      },
                      [&] { tokens.release(); }),
                  1U);
    });
}

TEST_P(SyncPasses, AnItemThroughAChannelCostsOneToEitherSide) {
    run([&]() -> coro<> {
        auto [sender, receiver] = rondo::channel<int>(0);
        auto& to = sender;
        auto& from = receiver;
        EXPECT_EQ(co_await hand_over([&] { return from.receive(); }, [&] { to.send_nowait(1); }), 1U);
        EXPECT_EQ(co_await hand_over([&] { return to.send(2); }, [&] { from.receive_nowait(); }), 1U);
        EXPECT_EQ(co_await hand_over([&] { return from.receive(); }, [&] { to.close(); }), 1U);
    });
}

TEST_P(SyncPasses, ANotificationCostsOneAndOneMoreForTheLockThatIsStillHeld) {
    run([&]() -> coro<> {
        rondo::condition changed;
        const auto wait = [&]() -> coro<> {
            co_await changed.acquire();
            co_await changed.wait();
            changed.release();
        };
        std::uint64_t resumed = 0;
        auto waiting = create_task([&]() -> coro<> {
            co_await wait();
            resumed = passes();
        });
        co_await pass_by(2);
        co_await changed.acquire();
        const std::uint64_t notified = passes();
        changed.notify();
        changed.release();
        co_await waiting;
        EXPECT_EQ(resumed - notified, 1U);
        EXPECT_FALSE(changed.locked());
    });
}

TEST_P(SyncPasses, TheLastAtABarrierGoesOnAtOnceTheOthersInTheNextOne) {
    run([&]() -> coro<> {
        rondo::barrier three(3);
        std::uint64_t resumed[2] = {0, 0};
        auto first = create_task([&]() -> coro<> {
            co_await three.wait();
            resumed[0] = passes();
        });
        auto second = create_task([&]() -> coro<> {
            co_await three.wait();
            resumed[1] = passes();
        });
        co_await pass_by(2);
        const std::uint64_t before = passes();
        co_await three.wait();
        EXPECT_EQ(passes(), before);
        co_await first;
        co_await second;
        EXPECT_EQ(resumed[0], before + 1);
        EXPECT_EQ(resumed[1], before + 1);
    });
}

} // namespace
