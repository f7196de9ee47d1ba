// Sections 8 and 9: locks and their kin, queues, channels.
#include "spelling/spelled.hpp"

namespace rondo::spelling::of_sync {

coro<> locks(lock& m, event& e, condition& c) {
    static_assert(stays<lock> && stays<event> && stays<condition>);
    static_assert(only_moves<guard<lock>>);
    lock named("db");
    AWAITS(void, m.acquire());
    GIVES(bool, m.try_lock());
    GIVES(void, m.release());
    GIVES(bool, m.locked());
    {
        guard<lock> held = co_await m.scoped_lock();
        guard<lock> moved = std::move(held);
        GIVES(void, moved.unlock());
    }
    GIVES(void, e.set());
    GIVES(void, e.clear());
    GIVES(bool, e.is_set());
    AWAITS(void, e.wait());
    condition shares(m);
    AWAITS(void, c.acquire());
    GIVES(bool, c.locked());
    AWAITS(void, c.wait());
    AWAITS(void, c.wait_for([] { return true; }));
    GIVES(void, c.notify());
    GIVES(void, c.notify(2));
    GIVES(void, c.notify_all());
    GIVES(void, c.release());
    AWAITS(guard<lock>, c.scoped_lock());
}

coro<> permits() {
    static_assert(stays<semaphore> && stays<bounded_semaphore> && stays<barrier> && stays<capacity_limiter>);
    static_assert(std::derived_from<bounded_semaphore, semaphore>);
    semaphore one;
    semaphore s(2);
    AWAITS(void, s.acquire());
    GIVES(bool, s.try_acquire());
    GIVES(void, s.release());
    GIVES(bool, s.locked());
    GIVES(std::size_t, s.value());
    AWAITS(guard<semaphore>, s.scoped_acquire());
    bounded_semaphore first;
    bounded_semaphore b(1);
    AWAITS(void, b.acquire());
    GIVES(void, b.release());
    AWAITS(guard<bounded_semaphore>, b.scoped_acquire());
    barrier all(1);
    AWAITS(std::size_t, all.wait());
    AWAITS(void, all.reset());
    GIVES(std::size_t, all.parties());
    GIVES(std::size_t, all.n_waiting());
    GIVES(bool, all.broken());
    AWAITS(void, all.abort());
    capacity_limiter limiter(2);
    const int mine = 0;
    AWAITS(void, limiter.acquire());
    AWAITS(void, limiter.acquire_on_behalf_of(&mine));
    GIVES(void, limiter.release_on_behalf_of(&mine));
    AWAITS(void, limiter.acquire_on_behalf_of(&mine, "mine"));
    GIVES(void, limiter.release_on_behalf_of(&mine));
    GIVES(void, limiter.release());
    GIVES(void, limiter.acquire_nowait());
    GIVES(void, limiter.release());
    AWAITS(guard<capacity_limiter>, limiter.scoped_acquire());
    GIVES(std::size_t, limiter.total_tokens());
    GIVES(void, limiter.set_total_tokens(3));
    GIVES(std::size_t, limiter.borrowed_tokens());
    GIVES(std::size_t, limiter.available_tokens());
    const limiter_statistics seen = limiter.statistics();
    static_cast<void>(seen.total_tokens + seen.borrowed_tokens + seen.tasks_waiting + seen.borrowers.size());
    static_cast<void>(limiter_statistics{.total_tokens = 1, .borrowed_tokens = 0, .tasks_waiting = 0, .borrowers = {}});
}

coro<> queues() {
    static_assert(stays<queue<int>>);
    static_assert(std::same_as<lifo_queue<int>, queue<int, lifo_order>> &&
                  std::same_as<priority_queue<int>, queue<int, priority_order<std::less<>>>> &&
                  std::same_as<queue<int>, queue<int, fifo_order>>);
    queue<std::unique_ptr<int>> only_moved(unbounded);
    co_await only_moved.put(std::make_unique<int>(1));
    AWAITS(std::unique_ptr<int>, only_moved.get());
    queue<int> q(3);
    AWAITS(void, q.put(1));
    AWAITS(int, q.get());
    GIVES(void, q.put_nowait(1));
    AWAITS(std::optional<int>, q.next());
    int item = 3;
    GIVES(bool, q.try_put(item));
    GIVES(bool, q.try_put(4));
    GIVES(int, q.get_nowait());
    GIVES(std::optional<int>, q.try_get());
    GIVES(std::size_t, q.qsize());
    GIVES(bool, q.empty());
    GIVES(bool, q.full());
    GIVES(capacity, q.maxsize());
    static_assert(!capacity(3).is_unbounded() && capacity(3).value() == 3 && capacity(unbounded).is_unbounded());
    for (int i = 0; i < 4; ++i) GIVES(void, q.task_done());
    AWAITS(void, q.join());
    GIVES(void, q.shutdown());
    GIVES(void, q.shutdown(true));
    lifo_queue<int> stack(unbounded);
    priority_queue<int> least(2);
    priority_queue<int, std::greater<>> greatest(2);
    const auto by_size = [](const std::string& a, const std::string& b) { return a.size() < b.size(); };
    queue<std::string, priority_order<decltype(by_size)>> shortest(2, {by_size});
    co_await shortest.put("long");
    co_await shortest.put("x");
    EXPECT_EQ(co_await shortest.get(), "x");
}

coro<> channels() {
    auto [tx, rx] = channel<int>(8);
    static_assert(std::same_as<decltype(tx), send_channel<int>> && std::same_as<decltype(rx), receive_channel<int>>);
    static_assert(only_moves<send_channel<int>> && only_moves<receive_channel<int>>);
    AWAITS(void, tx.send(1));
    GIVES(void, tx.send_nowait(2));
    AWAITS(int, rx.receive());
    GIVES(int, rx.receive_nowait());
    GIVES(send_channel<int>, tx.clone());
    GIVES(receive_channel<int>, rx.clone());
    const channel_statistics seen = tx.statistics();
    GIVES(channel_statistics, rx.statistics());
    static_cast<void>(seen.buffered + seen.open_senders + seen.open_receivers + seen.tasks_waiting_send +
                      seen.tasks_waiting_receive + seen.capacity.value());
    GIVES(void, tx.close());
    AWAITS(std::optional<int>, rx.next());
    GIVES(void, rx.close());
    channel<std::string> rendezvous(0);
    channel<std::string> without_end(unbounded);
    rendezvous.tx = without_end.tx.clone();
    rendezvous.rx = std::move(without_end.rx);
}

TEST(Spelling, Synchronisation) { run(permits); }
TEST(Spelling, QueuesAndChannels) {
    run(queues);
    run(channels);
}

} // namespace rondo::spelling::of_sync
