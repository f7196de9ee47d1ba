// What a task costs that sleeps: a million of them, everything included, by what the process grows.

#include "support/in_rondo.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

using bench::in_rondo;
using bench::meter;

rondo::coro<> sleep_long() { co_await rondo::sleep(std::chrono::hours(1)); }

/// The process ends from inside: what taking the tasks down costs is not the question.
[[noreturn]] void report(double value, std::uint64_t n) {
    std::printf("{\"value\": %.4f, \"operations\": %llu}\n", value, static_cast<unsigned long long>(n));
    std::fflush(stdout);
    std::_Exit(0);
}

rondo::coro<> resident(meter& m) {
    const auto before = bench::resident_bytes();
    for (std::uint64_t i = 0; i < m.n; ++i) rondo::spawn(sleep_long);
    co_await rondo::yield();
    co_await rondo::yield();
    report(static_cast<double>(bench::resident_bytes() - before) / static_cast<double>(m.n), m.n);
}

rondo::coro<> create(meter& m) {
    m.start();
    for (std::uint64_t i = 0; i < m.n; ++i) rondo::spawn(sleep_long);
    co_await rondo::yield();
    co_await rondo::yield();
    m.stop();
    report(m.result(), m.n);
}

constexpr std::uint64_t million = 1'000'000;

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"sleepers", in_rondo(resident), million}, {"sleepers/create", in_rondo(create), million}});
}
