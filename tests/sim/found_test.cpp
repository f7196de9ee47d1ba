// What the simulator has found in the library.
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/gtest.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <system_error>

namespace {

using rondo::coro;

// The answer was lost, and the server went on waiting for the next question of a client that waited for the answer.
TEST(FoundBySimulation, ASendThatFailsEndsAConnectionWhosePeerIsStillThere) {
    std::size_t failed = 0;
    rondo::sim::fault_classes faults = rondo::sim::fault_classes::none();
    faults.latency = faults.resources = true;
    const rondo::sim::options how{.schedules = 3000, .strategy = rondo::sim::strategy::exhaustive(2), .faults = faults};
    rondo::sim::expect_no_failure(how, [&]() -> coro<> {
        rondo::running_loop().set_exception_handler([](auto&, const auto&) {}); // of accepting, when it fails
        try {
            auto server = co_await rondo::start_server(
                [](rondo::stream_reader r, rondo::stream_writer w) -> coro<> {
                    try {
                        while (auto line = co_await r.read_line()) co_await w.write(*line);
                    } catch (const std::system_error&) {}
                },
                "127.0.0.1", 0);
            auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
            co_await writer.write("question\n");
            static_cast<void>(co_await reader.read_line());
        } catch (const std::system_error&) {
            ++failed;
        }
    });
    EXPECT_GT(failed, 0U);
}

} // namespace
