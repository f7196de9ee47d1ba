// A TCP echo server with streams, as a user writes it: echo PORT [MICROSECONDS]. RONDO_BACKEND says on what; it polls so long
// before it sleeps.

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace {

rondo::coro<> echo(rondo::stream_reader reader, rondo::stream_writer writer) {
    for (;;) {
        const rondo::bytes data = co_await reader.read(65536);
        if (data.empty()) co_return;
        co_await writer.write(data);
    }
}

rondo::coro<> serve(std::uint16_t port) {
    auto server = co_await rondo::start_server(echo, "127.0.0.1", port, {.backlog = 4096});
    co_await server.serve_forever();
}

} // namespace

int main(int argc, char** argv) {
    const std::chrono::microseconds busy(argc > 2 ? std::atoi(argv[2]) : 0);
    rondo::run({.busy_poll = busy}, serve, static_cast<std::uint16_t>(std::atoi(argv[1])));
}
