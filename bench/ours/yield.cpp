// What it costs to let the others run: one task alone, whose every yield is a pass of the loop, and a thousand that share one.

#include "support/in_rondo.hpp"

#include <vector>

namespace {

using bench::in_rondo;
using bench::meter;

rondo::coro<> yield_often(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) co_await rondo::yield();
}

rondo::coro<> alone(meter& m) {
    m.start();
    co_await yield_often(m.n);
    m.stop();
}

rondo::coro<> thousand_tasks(meter& m) {
    std::vector<rondo::task<>> tasks;
    m.n += 1000 - m.n % 1000;
    for (int i = 0; i < 1000; ++i) tasks.push_back(rondo::create_task(yield_often, m.n / 1000));
    m.start();
    for (auto& t : tasks) co_await t;
    m.stop();
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv, {{"yield", in_rondo(thousand_tasks)}, {"yield/alone", in_rondo(alone)}});
}
