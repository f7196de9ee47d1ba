// A TCP echo server with streams, as a user writes it: echo PORT. RONDO_BACKEND says on what.

#include <rondo/rondo.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

rondo::coro<> echo(rondo::stream_reader reader, rondo::stream_writer writer) {
    std::vector<std::byte> buffer(65536);
    while (const std::size_t n = co_await reader.read_into(buffer)) co_await writer.write(std::span(buffer).first(n));
}

rondo::coro<> serve(std::uint16_t port) {
    auto server = co_await rondo::start_server(echo, "127.0.0.1", port, {.backlog = 4096});
    co_await server.serve_forever();
}

} // namespace

int main(int, char** argv) { rondo::run(serve, static_cast<std::uint16_t>(std::atoi(argv[1]))); }
