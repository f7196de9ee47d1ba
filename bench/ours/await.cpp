// What co_await costs: a child that completes, ten levels of them (for each level), and a future that is done.

#include "support/in_rondo.hpp"

namespace {

using bench::in_rondo;
using bench::meter;

[[gnu::noinline]] rondo::coro<int> leaf(int x) { co_return x + 1; }

[[gnu::noinline]] rondo::coro<int> nested(int depth) {
    if (depth == 0) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

rondo::coro<> child(meter& m) {
    int x = 0;
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(x = co_await leaf(x));
    m.stop();
}

rondo::coro<> ten_levels(meter& m) {
    m.start();
    for (std::uint64_t i = 0; i < m.n; i += 10) bench::keep(co_await nested(9));
    m.stop();
}

rondo::coro<> done_future(meter& m) {
    auto done = rondo::create_future<int>();
    done.set_result(1);
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) bench::keep(co_await done);
    m.stop();
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"await", in_rondo(child)},
                           {"await/ten-levels", in_rondo(ten_levels)},
                           {"await/done-future", in_rondo(done_future)}});
}
