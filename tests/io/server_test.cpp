// server: accepting, handlers, and the ways in which it ends.
#include "io/io_test.hpp"

#include "io/raw_client.hpp"

#include <cerrno>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class Server : public test::io_test {};
RONDO_IN_EACH_WORLD(Server);

coro<> greet(stream_reader, stream_writer writer) {
    co_await writer.write("hello");
    co_await writer.aclose();
}

coro<> wait_for_the_end(stream_reader reader, stream_writer writer) {
    static_cast<void>(co_await reader.read_all());
    writer.close();
}

coro<std::string> what_it_says(std::uint16_t port) {
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    const bytes said = co_await reader.read_all();
    co_return said.str();
}

TEST_P(Server, ServesCoroutinesAndPlainFunctions) {
    run_io([]() -> coro<> {
        auto a = co_await start_server(greet, "127.0.0.1", 0);
        EXPECT_EQ(co_await what_it_says(a.port()), "hello");
        auto b = co_await start_server([](stream_reader, stream_writer w) { w.write_nowait("plain"); }, "127.0.0.1", 0);
        EXPECT_EQ(co_await what_it_says(b.port()), "plain");
    });
}

TEST_P(Server, KeepsTheHandlerItWasGiven) {
    run_io([]() -> coro<> {
        std::optional<server> s;
        {
            std::string captured = "a string too long to be stored in place";
            s = co_await start_server(
                [captured](stream_reader, stream_writer w) -> coro<> {
                    co_await yield();
                    co_await w.write(captured);
                },
                "127.0.0.1", 0);
        }
        EXPECT_EQ(co_await what_it_says(s->port()), "a string too long to be stored in place");
    });
}

TEST_P(Server, IsSilentUntilItStartsServing) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0, {.start_serving = false});
        EXPECT_FALSE(s.is_serving());
        EXPECT_TRUE((co_await as_result(open_connection("127.0.0.1", s.port()))).holds<connection_refused_error>());
        co_await s.start_serving();
        co_await s.start_serving(); // idempotent
        EXPECT_TRUE(s.is_serving());
        EXPECT_EQ(co_await what_it_says(s.port()), "hello");
    });
}

TEST_P(Server, AHandlerThatFailsIsReportedAndItsConnectionClosed) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server(
            [](stream_reader reader, stream_writer) -> coro<> {
                static_cast<void>(co_await reader.read(1));
                throw std::domain_error("x");
            },
            "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        co_await writer.write("!");
        EXPECT_TRUE((co_await reader.read_all()).empty());
        while (reports.count() == 0) co_await yield();
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 1u);
        EXPECT_TRUE(told[0].mentions("unhandled exception in connection handler"));
        EXPECT_TRUE(told[0].holds<std::domain_error>());
    });
}

TEST_P(Server, APlainHandlerThatThrowsIsReported) {
    run_io([this]() -> coro<> {
        auto s =
            co_await start_server([](stream_reader, stream_writer) { throw std::domain_error("x"); }, "127.0.0.1", 0);
        EXPECT_EQ(co_await what_it_says(s.port()), "");
        while (reports.count() == 0) co_await yield();
        EXPECT_TRUE(reports.take()[0].holds<std::domain_error>());
    });
}

TEST_P(Server, ACancelledHandlerClosesSilently) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(
            [](stream_reader reader, stream_writer) -> coro<> {
                static_cast<void>(current_task().cancel());
                static_cast<void>(co_await reader.read(1));
            },
            "127.0.0.1", 0);
        EXPECT_EQ(co_await what_it_says(s.port()), "");
    });
}

TEST_P(Server, CloseLeavesConnectionsAlone) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(wait_for_the_end, "127.0.0.1", 0);
        const std::uint16_t port = s.port();
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        co_await pass_by(70);
        s.close();
        s.close();
        EXPECT_FALSE(s.is_serving());
        EXPECT_TRUE(s.addresses().empty());
        EXPECT_TRUE((co_await as_result(open_connection("127.0.0.1", port))).holds<connection_refused_error>());
        auto closed = create_task([&]() -> coro<> { co_await s.wait_closed(); });
        co_await pass_by(70);
        EXPECT_FALSE(closed.done()); // a connection is left
        writer.write_eof();
        co_await closed;
    });
}

TEST_P(Server, CloseClientsEndsTheConnections) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(wait_for_the_end, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        co_await pass_by(70);
        s.close_clients();
        EXPECT_TRUE((co_await reader.read_all()).empty());
        EXPECT_TRUE(s.is_serving());
    });
}

TEST_P(Server, AbortClientsResetsThem) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(
            [](stream_reader reader, stream_writer) -> coro<> {
                static_cast<void>(co_await as_result(reader.read_all()));
            },
            "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        co_await pass_by(70);
        s.abort_clients();
        EXPECT_TRUE((co_await as_result(reader.read_all())).holds<connection_reset_error>());
    });
}

TEST_P(Server, ServeForeverIsAwaitedOnceAndEndsWithTheServer) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0, {.start_serving = false});
        auto serving = create_task([&]() -> coro<> { co_await s.serve_forever(); });
        co_await pass_by(2);
        EXPECT_TRUE(s.is_serving());
        EXPECT_TRUE((co_await as_result(s.serve_forever())).holds<runtime_error>());
        s.close();
        co_await serving;
        EXPECT_TRUE((co_await as_result(s.serve_forever())).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(s.start_serving())).holds<runtime_error>());
    });
}

TEST_P(Server, CancellingServeForeverClosesAndWaits) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(wait_for_the_end, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        auto serving = create_task([&]() -> coro<> { co_await s.serve_forever(); });
        co_await pass_by(70);
        serving.cancel();
        co_await pass_by(70);
        EXPECT_FALSE(s.is_serving());
        EXPECT_FALSE(serving.done()); // the connection is left
        writer.write_eof();
        EXPECT_TRUE((co_await as_result(std::move(serving))).cancelled());
    });
}

TEST_P(Server, ShutdownWithoutConnectionsIsImmediate) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        const shutdown_report report = co_await s.shutdown(no_timeout);
        EXPECT_EQ(report.finished + report.cancelled + report.aborted, 0u);
        EXPECT_FALSE(s.is_serving());
    });
}

/// Of the kernel: a client in which the loop has no part.
class ServerOfRawClients : public test::io_test {};
RONDO_ON_EACH_BACKEND(ServerOfRawClients);

TEST_P(ServerOfRawClients, ClosedWhileConnectionsArriveServesOrClosesEachOfThem) {
    run_io([]() -> coro<> {
        for (int round = 0; round < 40; ++round) {
            int served = 0;
            auto s = co_await start_server(
                [&](stream_reader, stream_writer w) {
                    ++served;
                    w.write_nowait("!");
                },
                "127.0.0.1", 0);
            const test::raw_client client;
            EXPECT_TRUE(client.connect(s.port()));
            co_await pass_by(round % 5 * 16);
            s.close();
            co_await s.wait_closed();
            char c = 0;
            const auto got =
                co_await as_result([](int fd, char* to) -> coro<long> { // the kernel has the answer already
                    for (;;) {
                        const long n = ::recv(fd, to, 1, MSG_DONTWAIT);
                        if (n >= 0 || errno != EAGAIN) co_return n;
                        co_await yield();
                    }
                }(client.fd(), &c));
            EXPECT_EQ(*got == 1, served == 1) << round;
        }
    });
}

} // namespace
} // namespace rondo
