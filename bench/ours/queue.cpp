// What handing an item from task to task costs: there and back through two queues, one item at a time, and one way through a
// queue with room for 64.

#include "support/in_rondo.hpp"

namespace {

using bench::in_rondo;
using bench::meter;

rondo::coro<> echo(rondo::queue<int>& there, rondo::queue<int>& back) {
    while (auto item = co_await there.next()) co_await back.put(*item);
}

rondo::coro<> round_trip(meter& m) {
    rondo::queue<int> there(1);
    rondo::queue<int> back(1);
    auto echoing = rondo::create_task(echo, std::ref(there), std::ref(back));
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) {
        co_await there.put(1);
        bench::keep(co_await back.get());
    }
    m.stop();
    there.shutdown();
    co_await echoing;
}

rondo::coro<> drain(rondo::queue<int>& items) {
    while (auto item = co_await items.next()) bench::keep(*item);
}

rondo::coro<> one_way(meter& m) {
    rondo::queue<int> items(64);
    auto draining = rondo::create_task(drain, std::ref(items));
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) co_await items.put(1);
    items.shutdown();
    co_await draining;
    m.stop();
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv, {{"queue", in_rondo(round_trip)}, {"queue/one-way", in_rondo(one_way)}});
}
