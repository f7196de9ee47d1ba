// A chat server, twice: as protocol callbacks and as coroutines.

#include "chatterbox/servers.hpp"
#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <sys/resource.h>

namespace {

using namespace std::chrono_literals;

/// As many guests as the system allows: each is a descriptor, and the usual limit is 1,024.
void allow_many_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

rondo::coro<> program(std::string name, std::uint16_t port, bool protocols) {
    rondo::signal_receiver stop({SIGINT, SIGTERM});
    chatterbox::room room(std::move(name));
    auto server = co_await (protocols ? chatterbox::serve_with_protocols(room, port)
                                      : chatterbox::serve_with_streams(room, port));
    std::printf("%s listens on port %d; try: nc 127.0.0.1 %d\n", room.name().c_str(), server.port(), server.port());
    co_await stop.next();
    server.close();
    server.close_clients();
    co_await server.shutdown(1s);
    std::puts("closed");
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A chat server, twice: as protocol callbacks and as coroutines.");
    const auto port = options.number("--port", 0, 0, 65535, "where to listen; 0: a free port");
    const std::string name = options.text("--name", "chatterbox", "what guests are welcomed to");
    const bool protocols = options.flag("--protocols", "serve with callbacks");
    options.flag("--streams", "serve with coroutines, which is the default");
    options.done();
    allow_many_descriptors();
    rondo::run({.handle_sigint = false}, program, name, static_cast<std::uint16_t>(port), protocols);
}
