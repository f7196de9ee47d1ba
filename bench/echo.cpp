// What an echo round trip of 64 bytes over loopback TCP costs, both ends on one loop: streams, as a user writes them.

#include "support/in_loop.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace {

rondo::coro<> echo(rondo::stream_reader reader, rondo::stream_writer writer) {
    std::array<std::byte, 4096> buffer;
    while (std::size_t n = co_await reader.read_into(buffer)) co_await writer.write(std::span(buffer).first(n));
}

rondo::coro<> echo_round_trip(benchmark::State& state) {
    auto server = co_await rondo::start_server(echo, "127.0.0.1", 0);
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    const std::array<std::byte, 64> message{};
    std::array<std::byte, 64> answer;
    for (auto _ : state) {
        co_await writer.write(std::span(message));
        for (std::size_t got = 0; got < answer.size();)
            got += co_await reader.read_into(std::span(answer).subspan(got));
    }
}

RONDO_BENCHMARK(echo_round_trip);

} // namespace

BENCHMARK_MAIN();
