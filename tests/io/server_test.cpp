// server: accepting, handlers, and the ways in which it ends.
#include "io/io_test.hpp"

#include "support/operator_new.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class Server : public test::io_test {};
RONDO_ON_EACH_BACKEND(Server);

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

TEST_P(Server, OfEveryInterfaceHasOnePort) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "", 0);
        EXPECT_NE(s.port(), 0);
        for (const address& a : s.addresses()) EXPECT_EQ(a.port(), s.port()) << a.str();
        EXPECT_EQ(co_await what_it_says(s.port()), "hello");
    });
}

TEST_P(Server, APortInUseIsNamed) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        auto r = co_await as_result(start_server(greet, "127.0.0.1", s.port()));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(e && std::string(e->what()).find("127.0.0.1:" + std::to_string(s.port())) != std::string::npos);
    });
}

TEST_P(Server, CanBindItsPortAgainAtOnceAfterClose) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        const std::uint16_t port = s.port();
        EXPECT_EQ(co_await what_it_says(port), "hello");
        s.close();
        auto again = co_await start_server(greet, "127.0.0.1", port);
        EXPECT_EQ(co_await what_it_says(port), "hello");
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

TEST_P(Server, ShutdownSaysWhatBecameOfEachConnection) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(
            [](stream_reader reader, stream_writer writer) -> coro<> {
                const bytes kind = co_await reader.read_exactly(1);
                if (kind == "f") co_return;
                if (kind == "c") co_await sleep_forever();
                for (;;) { // ignores its cancellation
                    auto r = co_await as_result(reader.read_exactly(1000));
                    if (!r && !r.cancelled()) co_return;
                }
            },
            "127.0.0.1", 0);
        std::vector<connection> clients;
        for (const char* kind : {"f", "f", "c", "x"}) {
            clients.push_back(co_await open_connection("127.0.0.1", s.port()));
            if (std::string_view(kind) != "f") co_await clients.back().writer.write(kind);
        }
        auto ending = create_task([&]() -> coro<shutdown_report> { co_return co_await s.shutdown(500ms); });
        co_await pass_by(70);
        for (int i = 0; i < 2; ++i) co_await clients[static_cast<std::size_t>(i)].writer.write("f");
        const shutdown_report report = co_await ending;
        EXPECT_EQ(report.finished, 2u);
        EXPECT_EQ(report.cancelled, 1u);
        EXPECT_EQ(report.aborted, 1u);
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

/// A blocking socket of the test's own, so that the loop has no part in it.
class raw_client {
public:
    raw_client() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {}
    ~raw_client() { ::close(fd_); }
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;
    bool connect(std::uint16_t port) const {
        ::sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(fd_, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) == 0;
    }
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

TEST_P(Server, OutOfDescriptorsItPausesAndRecovers) {
    if (!test::counts_operator_new()) GTEST_SKIP() << "a sanitizer's runtime needs descriptors of its own";
    run_io([this]() -> coro<> {
        int served = 0;
        auto s = co_await start_server([&](stream_reader, stream_writer) { ++served; }, "127.0.0.1", 0);
        raw_client client;
        co_await pass_by(70);
        ::rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        ::rlimit none = before;
        const int next = ::dup(client.fd());
        ::close(next);
        none.rlim_cur = static_cast<::rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &none);
        EXPECT_TRUE(client.connect(s.port()));
        while (reports.count() == 0) co_await sleep(1ms);
        co_await pass_by(140); // the accepts that were in flight are called back before there are descriptors again
        ::setrlimit(RLIMIT_NOFILE, &before);
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 1u);
        EXPECT_TRUE(told[0].mentions("trying again in a second"));
        EXPECT_EQ(served, 0);
        while (served == 0) co_await sleep(1ms);
    });
}

TEST_P(Server, ClosedWhileConnectionsArriveServesOrClosesEachOfThem) {
    run_io([]() -> coro<> {
        for (int round = 0; round < 40; ++round) {
            int served = 0;
            auto s = co_await start_server(
                [&](stream_reader, stream_writer w) {
                    ++served;
                    w.write_nowait("!");
                },
                "127.0.0.1", 0);
            raw_client client;
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
