// What a task costs from create_task() to the end of whoever waits for it: a thousand at a time, one at a time, and in groups.

#include "support/in_rondo.hpp"

#include <vector>

namespace {

using bench::in_rondo;
using bench::meter;

[[gnu::noinline]] rondo::coro<int> leaf(int x) { co_return x + 1; }

rondo::coro<> batches(meter& m) {
    std::vector<rondo::task<int>> tasks;
    tasks.reserve(1000);
    m.n += 1000 - m.n % 1000;
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 1000) {
        for (int k = 0; k < 1000; ++k) tasks.push_back(rondo::create_task(leaf(k)));
        for (auto& t : tasks) bench::keep(co_await t);
        tasks.clear();
    }
    m.stop();
}

rondo::coro<> one_by_one(meter& m) {
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(co_await rondo::create_task(leaf(1)));
    m.stop();
}

rondo::coro<> with_arguments(meter& m) {
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(co_await rondo::create_task(leaf, 1));
    m.stop();
}

rondo::coro<> group_of_hundred(rondo::task_group& group) {
    for (int i = 0; i < 100; ++i) group.create_task(leaf, i);
    co_return;
}

rondo::coro<> groups(meter& m) {
    m.n += 100 - m.n % 100;
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 100) co_await rondo::task_group::run(group_of_hundred);
    m.stop();
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"spawn", in_rondo(batches)},
                           {"spawn/one-by-one", in_rondo(one_by_one)},
                           {"spawn/with-arguments", in_rondo(with_arguments)},
                           {"spawn/group", in_rondo(groups)}});
}
