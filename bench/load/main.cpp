// Load on an echo server, and what it cost the server:
//
//     bench-load PORT PID CONNECTIONS SIZE DEPTH SECONDS [spin] [calls] [counter=FILE]
//
// prints one line of JSON. `value` is the server's CPU nanoseconds per request; `generator` this program's own, which should be
// the same whoever serves; `generator_share` how busy it was, of a core: near 1 it is what limits requests_per_second, which
// then says nothing of the server.

#include "generator.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

int main(int argc, char** argv) {
    if (argc < 7) {
        std::fprintf(stderr, "usage: %s PORT PID CONNECTIONS SIZE DEPTH SECONDS [spin] [calls] [counter=FILE]\n",
                     argv[0]);
        return 2;
    }
    load::plan plan{.port = std::atoi(argv[1]),
                    .connections = static_cast<unsigned>(std::atoi(argv[3])),
                    .size = static_cast<std::size_t>(std::atol(argv[4])),
                    .depth = static_cast<unsigned>(std::atoi(argv[5])),
                    .seconds = std::atof(argv[6])};
    bool count_calls = false;
    std::string counter;
    for (int i = 7; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "spin") plan.spin = true;
        else if (option == "calls") count_calls = true;
        else if (option.starts_with("counter=")) counter = option.substr(8);
    }
    try {
        load::generator generator(plan);
        load::watched_server server(std::atoi(argv[2]), counter, count_calls);
        const load::outcome result = generator.run(server);
        if (result.requests == 0) throw std::runtime_error("no request was answered");
        const auto requests = static_cast<double>(result.requests);
        const auto each = [&](std::uint64_t n) { return static_cast<double>(n) / requests; };
        std::printf("{\"value\": %.2f, \"requests_per_second\": %.0f, \"p50\": %.2f, \"p99\": %.2f",
                    each(server.cpu_nanoseconds()), requests / result.seconds, result.latencies.percentile(0.5),
                    result.latencies.percentile(0.99));
        std::printf(", \"generator_share\": %.3f, \"generator\": %.2f", result.own_cpu_share,
                    result.own_cpu_share * result.seconds * 1e9 / requests);
        if (const auto n = server.allocations()) std::printf(", \"allocations\": %.5f", each(*n));
        if (const auto n = server.system_calls()) std::printf(", \"system_calls\": %.5f", each(*n));
        std::printf("}\n");
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench-load: %s\n", error.what());
        return 1;
    }
}
