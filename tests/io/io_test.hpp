// The fixture of the io floor's tests: a loop on each backend, a bound on how long a test may hang, and a few ends of
// connections that the tests share.
#pragma once

#include "io/world_calls.hpp"
#include "support/loop_test.hpp"

#include <rondo/rondo.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rondo::test {

using namespace std::chrono_literals;

class io_test : public loop_test {
protected:
    /// Runs the body; one that hangs fails. The bound is far beyond what sanitizers on a busy machine need.
    template <std::invocable F> void run_io(F body) {
        run([&body]() -> coro<> { co_await timeout(100s, std::ref(body)); });
    }
    /// Where the loop's descriptors are.
    world_calls world() { return world_calls(loop()); }
};

/// A connection within this loop, and the server that it came through.
struct pair_of_streams {
    connection client;
    connection server;
};

/// Both ends of a new TCP connection over loopback.
inline coro<pair_of_streams> connected_pair(std::size_t limit = default_limit) {
    queue<connection> accepted(1);
    auto listening = co_await start_server(
        [&](stream_reader r, stream_writer w) { accepted.put_nowait(connection{std::move(r), std::move(w)}); },
        "127.0.0.1", 0, {.limit = limit});
    connection client = co_await open_connection("127.0.0.1", listening.port(), {.limit = limit});
    connection server = co_await accepted.get();
    co_return pair_of_streams{std::move(client), std::move(server)};
}

/// Bytes that differ from place to place, so that a piece that is lost, doubled or displaced is noticed.
inline std::string pattern(std::size_t size) {
    constexpr std::size_t period = 65'521; // a prime: no buffer's size divides it
    std::string text(std::min(size, period), '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>((i * 2654435761u) >> 13);
    text.reserve(size);
    while (text.size() < size) text.append(text, 0, std::min(period, size - text.size()));
    return text;
}

} // namespace rondo::test
