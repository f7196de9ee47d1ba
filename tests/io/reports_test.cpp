// What the exception handler is told of connections, endpoints and servers: which one, whose, and where it was asked for.
#include "io/protocol_kit.hpp"

#include "io/raw_client.hpp"
#include "support/manual_clock.hpp"

#include <cerrno>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;
using test::protocol_pair;
using test::recorder;

/// A report, as it was during the call.
struct told {
    std::string message;
    std::exception_ptr exception;
    std::string task;
    rondo::transport* transport;
    rondo::base_transport* any_transport;
    std::shared_ptr<base_protocol> protocol;
    int socket;
    address peer;
    unsigned line;
    std::string file;
};

class Reports : public test::io_test {
protected:
    void SetUp() override {
        test::io_test::SetUp();
        if (IsSkipped()) return;
        loop().set_exception_handler([this](event_loop&, const error_context& what) {
            all.push_back(
                {what.message, what.exception, what.task ? what.task.name() : "", what.transport, what.any_transport,
                 what.protocol, what.socket, what.any_transport ? what.any_transport->peer_address() : address(),
                 what.created_at ? what.created_at->line() : 0, what.created_at ? what.created_at->file_name() : ""});
        });
    }
    coro<told> next() {
        while (all.empty()) co_await yield();
        told first = std::move(all.front());
        all.erase(all.begin());
        co_return first;
    }
    std::vector<told> all;
};
RONDO_IN_EACH_WORLD(Reports);

/// Of the kernel: datagrams and processes.
class ReportsOfTheKernel : public Reports {};
RONDO_ON_EACH_BACKEND(ReportsOfTheKernel);

constexpr unsigned line(std::source_location where = std::source_location::current()) { return where.line(); }
bool is_here(const told& t, unsigned at) { return t.line == at && t.file.ends_with("reports_test.cpp"); }

TEST_P(Reports, OfAHandlersFailureHasItsTaskItsTransportAndWhereTheServerWasStarted) {
    run_io([this]() -> coro<> {
        rondo::transport* served = nullptr;
        int fd = -1;
        const auto handler = [&](stream_reader reader, stream_writer writer) -> coro<> {
            current_task().set_name("the handler");
            served = &writer.transport();
            fd = writer.transport().fd();
            static_cast<void>(co_await reader.read(1));
            throw std::domain_error("x");
        };
        const unsigned here = line() + 1;
        auto s = co_await start_server(handler, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        co_await writer.write("!");
        const told t = co_await next();
        EXPECT_EQ(t.message.find("unhandled exception in connection handler"), 0u);
        EXPECT_EQ(t.task, "the handler");
        EXPECT_EQ(t.transport, served);
        EXPECT_EQ(t.any_transport, served);
        EXPECT_EQ(t.peer, writer.local_address());
        EXPECT_EQ(t.socket, fd);
        EXPECT_EQ(t.protocol, nullptr);
        EXPECT_TRUE(is_here(t, here)) << t.file << ":" << t.line;
    });
}

TEST_P(Reports, OfAPlainHandlerAndAFactoryHaveTheTransportAndThePlaceToo) {
    run_io([this]() -> coro<> {
        const auto plain = [](stream_reader, stream_writer) { throw std::domain_error("x"); };
        const unsigned here = line() + 1;
        auto s = co_await start_server(plain, "127.0.0.1", 0);
        auto a = co_await open_connection("127.0.0.1", s.port());
        const told t = co_await next();
        EXPECT_TRUE(t.task.empty());
        EXPECT_NE(t.transport, nullptr);
        EXPECT_EQ(t.peer, a.writer.local_address());
        EXPECT_TRUE(is_here(t, here)) << t.line;

        const auto fails = []() -> std::shared_ptr<protocol> { throw std::domain_error("x"); };
        auto f = co_await loop().create_server(fails, "127.0.0.1", 0);
        const unsigned there = line() - 1;
        auto b = co_await open_connection("127.0.0.1", f.port());
        const told u = co_await next();
        EXPECT_NE(u.transport, nullptr);
        EXPECT_EQ(u.peer, b.writer.local_address());
        EXPECT_TRUE(is_here(u, there)) << u.line;
    });
}

TEST_P(Reports, OfACallbackHaveProtocolTransportSocketAndWhereItWasConnected) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server(
            [](stream_reader r, stream_writer w) -> coro<> {
                co_await w.write("x");
                static_cast<void>(co_await r.read_all());
            },
            "127.0.0.1", 0);
        const auto p = std::make_shared<recorder>();
        int fd = -1;
        p->on_data = [&] {
            fd = p->to->fd();
            throw std::domain_error("x");
        };
        const auto factory = [&] { return p; };
        const unsigned here = line() + 1;
        auto [t, same] = co_await loop().create_connection(factory, "127.0.0.1", s.port());
        const told r = co_await next();
        EXPECT_EQ(r.message, "unhandled exception in data_received()");
        EXPECT_EQ(r.transport, t.get());
        EXPECT_EQ(r.any_transport, t.get());
        EXPECT_EQ(r.protocol, p);
        EXPECT_EQ(r.socket, fd);
        EXPECT_TRUE(is_here(r, here)) << r.line;
        p->on_lost = [] { throw std::domain_error("y"); };
        co_await p->over.wait();
        EXPECT_EQ((co_await next()).protocol, p); // it is not the transport's any more
    });
}

TEST_P(ReportsOfTheKernel, OfDatagramsAndSubprocessesHaveTheirTransport) {
    run_io([this]() -> coro<> {
        struct failing : datagram_protocol {
            void connection_made(datagram_transport&) override { throw std::domain_error("x"); }
        };
        const auto datagrams = [] { return std::make_shared<failing>(); };
        const unsigned here = line() + 1;
        auto [t, p] = co_await loop().create_datagram_endpoint(datagrams, {.local_address = address("127.0.0.1", 0)});
        const told d = co_await next();
        EXPECT_EQ(d.transport, nullptr);
        EXPECT_EQ(d.any_transport, t.get());
        EXPECT_EQ(d.protocol, p);
        EXPECT_EQ(d.socket, t->fd());
        EXPECT_TRUE(is_here(d, here)) << d.line;
        t->close();

        struct child : subprocess_protocol {
            void process_exited() override { throw std::domain_error("x"); }
        };
        const auto children = [] { return std::make_shared<child>(); };
        const unsigned there = line() + 1;
        auto [st, sp] = co_await loop().subprocess_exec(children, {"/bin/true"});
        const told e = co_await next();
        EXPECT_EQ(e.any_transport, st.get());
        EXPECT_EQ(e.protocol, sp);
        EXPECT_EQ(e.socket, -1);
        EXPECT_TRUE(is_here(e, there)) << e.line;
    });
}

TEST_P(ReportsOfTheKernel, FiveWritesThatAreDroppedAreToldOnce) {
    run_io([this]() -> coro<> {
        auto p = co_await protocol_pair();
        p.peer.writer.transport().abort();
        co_await p.protocol->over.wait();
        for (int i = 0; i < 4; ++i) p.transport->write("x");
        for (int i = 0; i < 9; ++i) p.transport->write(""); // nothing is lost by that
        co_await pass_by(3);
        EXPECT_TRUE(all.empty());
        for (int i = 0; i < 20; ++i) p.transport->write("x");
        const told t = co_await next();
        EXPECT_EQ(t.message.find("5 writes were dropped"), 0u) << t.message;
        EXPECT_EQ(t.transport, p.transport.get());
        EXPECT_NE(t.exception, nullptr);
        EXPECT_TRUE(t.file.ends_with("protocol_kit.hpp"));
        co_await pass_by(3);
        EXPECT_TRUE(all.empty());

        auto q = co_await test::connected_pair();
        q.client.writer.close();
        for (int i = 0; i < 5; ++i) q.client.writer.write_nowait("x"); // after close(), as asyncio counts them too
        EXPECT_EQ((co_await next()).transport, &q.client.writer.transport());

        const auto nobody = [] { return std::make_shared<datagram_protocol>(); };
        auto [d, dp] = co_await loop().create_datagram_endpoint(nobody, {.remote_address = address("127.0.0.1", 9)});
        d->close();
        for (int i = 0; i < 20; ++i) d->sendto("");
        EXPECT_EQ((co_await next()).any_transport, d.get());
        co_await pass_by(3);
        EXPECT_TRUE(all.empty());
    });
}

TEST_P(Reports, WritesAreNotCountedWhileTheyArriveNorAfterTheLoop) {
    std::shared_ptr<rondo::transport> kept;
    run_io([&]() -> coro<> {
        auto p = co_await protocol_pair();
        for (int i = 0; i < 20; ++i) p.transport->write("x");
        EXPECT_EQ((co_await p.peer.reader.read_exactly(20)).size(), 20u);
        kept = p.transport;
    });
    end_loop();
    for (int i = 0; i < 20; ++i) kept->write("x");
    EXPECT_TRUE(all.empty());
}

/// Nothing can be accepted.
class no_descriptors final : public test::manual_clock {
public:
    using manual_clock::manual_clock;
    bool submit(detail::operation& op) noexcept override {
        if (op.kind != detail::operation_kind::accept) return manual_clock::submit(op);
        op.result = -EMFILE;
        return true;
    }
};
class ReportsOfServers : public Reports {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<no_descriptors>(kind, clock);
    }
    test::manual_clock::hand clock;
};
RONDO_ON_EACH_BACKEND(ReportsOfServers);

TEST_P(ReportsOfServers, OfAFailedAcceptHaveTheListeningSocket) {
    run_io([this]() -> coro<> {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto nothing = [](stream_reader, stream_writer) {};
        const unsigned here = line() + 1;
        auto s = co_await start_server(nothing, "", 0, {.sock = fd}); // listen(2) gives it a port
        const told t = co_await next();
        EXPECT_EQ(t.socket, fd);
        EXPECT_TRUE(is_here(t, here)) << t.line;
    });
}

class Unclosed : public test::io_test {
protected:
    void SetUp() override {
        test::io_test::SetUp();
        if (!IsSkipped()) loop().set_debug(true);
    }
};
RONDO_ON_EACH_BACKEND(Unclosed);

std::string place(unsigned at) { return "reports_test.cpp:" + std::to_string(at); }

TEST_P(Unclosed, AWriterSaysInDebugModeWhereItWasMade) {
    testing::internal::CaptureStderr();
    unsigned client = 0;
    unsigned served = 0;
    unsigned child = 0;
    run_io([&]() -> coro<> {
        event done;
        const auto forgets = [&](stream_reader, stream_writer) { done.set(); };
        auto s = co_await start_server(forgets, "127.0.0.1", 0);
        served = line() - 1;
        {
            auto c = co_await open_connection("127.0.0.1", s.port());
            client = line() - 1;
            co_await done.wait();
        }
        auto cat = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe});
        child = line() - 1;
        cat.in.reset();
        co_await cat.wait();
    });
    const std::string said = testing::internal::GetCapturedStderr();
    for (const unsigned at : {client, served, child}) EXPECT_NE(said.find(place(at)), std::string::npos) << said;
    EXPECT_NE(said.find("a stream_writer that was destroyed was not closed (fd "), std::string::npos) << said;
}

TEST_P(Unclosed, OneThatWasClosedIsNotMentioned) {
    testing::internal::CaptureStderr();
    run_io([&]() -> coro<> {
        auto p = co_await test::connected_pair();
        p.client.writer.close();
        co_await p.server.writer.aclose();
        auto q = co_await protocol_pair();
        q.transport->close();
        co_await q.protocol->over.wait();
        q.peer.writer.close();
    });
    end_loop();
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_P(Unclosed, ATransportIsNamedWhenItsLoopCloses) {
    testing::internal::CaptureStderr();
    unsigned client = 0;
    unsigned datagrams = 0;
    run_io([&]() -> coro<> {
        const auto factory = [] { return std::make_shared<protocol>(); };
        const auto other = [] { return std::make_shared<datagram_protocol>(); };
        auto s = co_await loop().create_server(factory, "127.0.0.1", 0);
        co_await loop().create_connection(factory, "127.0.0.1", s.port());
        client = line() - 1;
        co_await loop().create_datagram_endpoint(other, {.local_address = address("127.0.0.1", 0)});
        datagrams = line() - 1;
    });
    end_loop();
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("a transport was not closed (fd "), std::string::npos) << said;
    EXPECT_NE(said.find("a datagram transport was not closed (fd "), std::string::npos) << said;
    EXPECT_NE(said.find(place(client)), std::string::npos) << said;
    EXPECT_NE(said.find(place(datagrams)), std::string::npos) << said;
}

} // namespace
} // namespace rondo
