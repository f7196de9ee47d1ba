// What a step of a generator costs, by next() and by a range-for; of an asynchronous one, too.

#include "support/in_rondo.hpp"

namespace {

using bench::in_rondo;
using bench::meter;

[[gnu::noinline]] rondo::generator<std::uint64_t> count_to(std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) co_yield i;
}

void by_next(meter& m) {
    auto numbers = count_to(m.n);
    bench::keep(numbers);
    std::uint64_t sum = 0;
    m.start();
    while (auto number = numbers.next()) sum += *number;
    m.stop();
    bench::keep(sum);
}

void by_range_for(meter& m) {
    auto numbers = count_to(m.n);
    bench::keep(numbers);
    std::uint64_t sum = 0;
    m.start();
    for (const std::uint64_t number : numbers) sum += number;
    m.stop();
    bench::keep(sum);
}

rondo::async_generator<std::uint64_t> count_async(std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) co_yield i;
}

rondo::coro<> asynchronous(meter& m) {
    auto numbers = count_async(m.n);
    std::uint64_t sum = 0;
    m.start();
    while (auto number = co_await numbers.next()) sum += *number;
    m.stop();
    bench::keep(sum);
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(
        argc, argv,
        {{"generator", by_next}, {"generator/range-for", by_range_for}, {"generator/async", in_rondo(asynchronous)}});
}
