// Children with three pipes, started, read to their ends and reaped, one after another: wall time of each. RONDO_BENCH_CHILD is
// the program; `large` first makes the process a GiB large.

#include "support/in_rondo.hpp"

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using bench::in_rondo;
using bench::meter;

rondo::coro<> one_child(std::string program) {
    auto child = co_await rondo::create_subprocess_exec(
        {std::move(program)}, {.in = rondo::stdio::pipe, .out = rondo::stdio::pipe, .err = rondo::stdio::pipe});
    bench::keep(co_await child.communicate());
}

rondo::coro<> one_by_one(meter& m) {
    const char* program = std::getenv("RONDO_BENCH_CHILD");
    if (!program) throw rondo::value_error("RONDO_BENCH_CHILD names no program");
    co_await one_child(program);
    m.start();
    const auto before = bench::wall_nanoseconds();
    for (std::uint64_t i = 0; i < m.n; ++i) co_await one_child(program);
    m.value(static_cast<double>(bench::wall_nanoseconds() - before) / 1000.0 / static_cast<double>(m.n));
    m.stop();
}

rondo::coro<> in_a_large_process(meter& m) {
    const std::vector<char> ballast(std::size_t{1} << 30, 1);
    bench::keep(ballast);
    co_await one_by_one(m);
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(
        argc, argv,
        {{"subprocess", in_rondo(one_by_one), 300}, {"subprocess/large", in_rondo(in_a_large_process), 300}});
}
