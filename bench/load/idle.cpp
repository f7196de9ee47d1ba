// Memory of idle connections: bench-idle PORT PID CONNECTIONS. Each has had one byte echoed. Prints, as one line of JSON, by how
// much the server's resident set has grown for each; what the kernel keeps is not in it.

#include "connections.hpp"
#include "watched.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: %s PORT PID CONNECTIONS\n", argv[0]);
        return 2;
    }
    const int port = std::atoi(argv[1]);
    const pid_t server = std::atoi(argv[2]);
    const auto count = static_cast<std::size_t>(std::atol(argv[3]));
    try {
        load::idle_connections connections;
        connections.open(port, 100); // what the server makes once
        const auto before = load::resident_of(server);
        connections.open(port, count);
        const auto grown = static_cast<double>(load::resident_of(server)) - static_cast<double>(before);
        std::printf("{\"value\": %.1f, \"connections\": %zu}\n", grown / static_cast<double>(count), count);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench-idle: %s\n", error.what());
        return 1;
    }
}
