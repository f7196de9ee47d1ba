// create_connection, create_unix_connection, connect_accepted_socket, create_server and create_unix_server.
#include "io/protocol_kit.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::calls;
using test::pass_by;
using test::protocol_pair;
using test::recorder;

class CreateConnection : public test::io_test {};
RONDO_IN_EACH_WORLD(CreateConnection);

/// Of the kernel: sockets of other kinds.
class CreateConnectionInTheKernel : public CreateConnection {};
RONDO_ON_EACH_BACKEND(CreateConnectionInTheKernel);

auto recorders(std::vector<std::shared_ptr<recorder>>& made) {
    return [&made] { return made.emplace_back(std::make_shared<recorder>()); };
}

class echo : public protocol {
public:
    void connection_made(transport& t) override { to_ = &t; }
    void data_received(std::span<const std::byte> data) override { to_->write(data); }

private:
    transport* to_ = nullptr;
};

TEST_P(CreateConnection, TheTypeOfTheProtocolIsTheFactorys) {
    run_io([this]() -> coro<> {
        auto server = co_await loop().create_server([] { return std::make_shared<echo>(); }, "127.0.0.1", 0);
        endpoint<recorder> e =
            co_await loop().create_connection([] { return std::make_shared<recorder>(); }, "127.0.0.1", server.port());
        e.transport->write("hello");
        co_await e.protocol->has(5);
        EXPECT_EQ(e.protocol->data, "hello");
        e.transport->close();
        co_await e.protocol->over.wait();
        co_await server.shutdown(1s);
    });
}

TEST_P(CreateConnection, AFactoryMayBeMoveOnly) {
    run_io([this]() -> coro<> {
        auto server = co_await loop().create_server(
            [only = std::make_unique<int>(1)] { return std::make_shared<echo>(); }, "127.0.0.1", 0);
        auto [t, p] = co_await loop().create_connection(
            [only = std::make_unique<int>(1)] { return std::make_shared<recorder>(); }, "127.0.0.1", server.port());
        t->write("x");
        co_await p->has(1);
        t->abort();
    });
}

TEST_P(CreateConnection, WhatTheFactoryThrowsIsThrownAndTheConnectionClosed) {
    run_io([]() -> coro<> {
        queue<connection> accepted(1);
        auto listening = co_await start_server(
            [&](stream_reader r, stream_writer w) { accepted.put_nowait(connection{std::move(r), std::move(w)}); },
            "127.0.0.1", 0);
        const auto fails = []() -> std::shared_ptr<recorder> { throw value_error("no protocol today"); };
        EXPECT_TRUE((co_await as_result(running_loop().create_connection(fails, "127.0.0.1", listening.port())))
                        .holds<value_error>());
        EXPECT_EQ((co_await (co_await accepted.get()).reader.read_all()).str(), "");
        const auto null = [] { return std::shared_ptr<recorder>(); };
        EXPECT_TRUE((co_await as_result(running_loop().create_connection(null, "127.0.0.1", listening.port())))
                        .holds<runtime_error>());
    });
}

TEST_P(CreateConnection, NobodyThereIsAnErrorAndTheFactoryIsNotCalled) {
    run_io([this]() -> coro<> {
        std::uint16_t port = 0;
        {
            auto gone = co_await loop().create_server([] { return std::make_shared<echo>(); }, "127.0.0.1", 0);
            port = gone.port();
        }
        std::vector<std::shared_ptr<recorder>> made;
        EXPECT_TRUE((co_await as_result(loop().create_connection(recorders(made), "127.0.0.1", port)))
                        .holds<connection_refused_error>());
        EXPECT_TRUE(made.empty());
    });
}

TEST_P(CreateConnection, CancelledBeforeConnectionMadeItIsStillToldOfBothAndClosed) {
    run_io([this]() -> coro<> {
        auto server = co_await loop().create_server([] { return std::make_shared<echo>(); }, "127.0.0.1", 0);
        std::vector<std::shared_ptr<recorder>> made;
        task<> connecting;
        const auto factory = [&] {
            auto p = made.emplace_back(std::make_shared<recorder>());
            connecting.cancel();
            return p;
        };
        connecting = create_task([&]() -> coro<> {
            co_await loop().create_connection(factory, "127.0.0.1", server.port());
            ADD_FAILURE() << "it was cancelled";
        });
        EXPECT_TRUE((co_await as_result(connecting)).holds<cancelled_error>());
        if (made.size() == 1) {
            co_await made[0]->over.wait();
            EXPECT_EQ(made[0]->calls, (calls{"made", "lost"}));
        }
        EXPECT_EQ(made.size(), 1u);
    });
}

TEST_P(CreateConnection, AnotherLoopsIsARuntimeError) {
    event_loop other;
    run_io([&]() -> coro<> {
        const auto factory = [] { return std::make_shared<recorder>(); };
        EXPECT_TRUE((co_await as_result(other.create_connection(factory, "127.0.0.1", 1))).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(other.create_server(factory, "127.0.0.1", 0))).holds<runtime_error>());
    });
}

TEST_P(CreateConnection, AnAcceptedSocketGetsAProtocol) {
    run_io([this]() -> coro<> {
        const auto ends = world().socket_pair();
        auto [ta, a] = co_await loop().connect_accepted_socket([] { return std::make_shared<recorder>(); }, ends[0]);
        auto [tb, b] = co_await loop().connect_accepted_socket([] { return std::make_shared<echo>(); }, ends[1]);
        ta->write("both ways");
        co_await a->has(9);
        EXPECT_EQ(a->data, "both ways");
        tb->close();
        co_await a->over.wait();
        EXPECT_EQ(a->error, nullptr);
    });
}

TEST_P(CreateConnectionInTheKernel, WhatIsNoStreamSocketIsAValueErrorAndLeftAlone) {
    run_io([this]() -> coro<> {
        const auto factory = [] { return std::make_shared<recorder>(); };
        const int datagrams = ::socket(AF_INET, SOCK_DGRAM, 0);
        EXPECT_TRUE((co_await as_result(loop().connect_accepted_socket(factory, datagrams))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(loop().connect_accepted_socket(factory, -1))).holds<value_error>());
        EXPECT_EQ(::close(datagrams), 0);
    });
}

TEST_P(CreateConnection, UnixSocketsToo) {
    run_io([this]() -> coro<> {
        const std::string name = std::string(1, '\0') + "rondo-create-unix-" + std::to_string(::getpid());
        std::vector<std::shared_ptr<recorder>> served;
        auto server = co_await loop().create_unix_server(recorders(served), name);
        auto [t, p] = co_await loop().create_unix_connection([] { return std::make_shared<recorder>(); }, name);
        EXPECT_EQ(t->peer_address(), address::unix_path(name));
        t->write("hello");
        t->close();
        while (served.empty()) co_await yield();
        co_await served[0]->over.wait();
        EXPECT_EQ(served[0]->calls, (calls{"made", "data", "eof", "lost"}));
        const auto factory = [] { return std::make_shared<recorder>(); };
        EXPECT_TRUE((co_await as_result(loop().create_unix_connection(factory, ""))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(loop().create_unix_server(factory, ""))).holds<value_error>());
    });
}

TEST_P(CreateConnection, AServerMakesEachConnectionAProtocolOfItsOwn) {
    run_io([this]() -> coro<> {
        std::vector<std::shared_ptr<recorder>> served;
        auto server = co_await loop().create_server(recorders(served), "127.0.0.1", 0);
        std::vector<connection> clients;
        for (int i = 0; i < 3; ++i) {
            clients.push_back(co_await open_connection("127.0.0.1", server.port()));
            co_await clients.back().writer.write(std::to_string(i));
        }
        while (served.size() < 3) co_await yield();
        std::string all;
        for (const auto& p : served) {
            co_await p->has(1);
            all += p->data;
        }
        EXPECT_EQ(all, "012");
        server.close();
        co_await clients[0].writer.write("closed servers keep their connections");
        co_await served[0]->has(38);
        server.close_clients();
        co_await server.wait_closed();
        for (const auto& p : served) EXPECT_EQ(p->calls.back(), "lost"); // told before wait_closed() returns
    });
}

TEST_P(CreateConnection, AServersAbortBreaksOff) {
    run_io([this]() -> coro<> {
        std::vector<std::shared_ptr<recorder>> served;
        auto server = co_await loop().create_server(recorders(served), "127.0.0.1", 0);
        auto client = co_await open_connection("127.0.0.1", server.port());
        while (served.empty() || !served[0]->to) co_await yield();
        served[0]->to->write(std::string(64'000'000, 'x'));
        server.abort_clients();
        EXPECT_TRUE((co_await as_result(client.reader.read_all())).holds<connection_reset_error>());
        co_await served[0]->over.wait();
        EXPECT_EQ(served[0]->error, nullptr);
    });
}

TEST_P(CreateConnection, ShutdownGivesProtocolsTheirTimeThenClosesThem) {
    run_io([this]() -> coro<> {
        std::vector<std::shared_ptr<recorder>> served;
        auto server = co_await loop().create_server(recorders(served), "127.0.0.1", 0);
        auto client = co_await open_connection("127.0.0.1", server.port());
        while (served.empty() || !served[0]->to) co_await yield();
        const shutdown_report r = co_await server.shutdown(0s);
        EXPECT_EQ(r.cancelled, 1u);
        EXPECT_EQ(served[0]->calls, (calls{"made", "lost"}));
    });
}

TEST_P(CreateConnection, AFactoryThatThrowsInAServerIsReportedAndItsConnectionClosed) {
    run_io([this]() -> coro<> {
        bool fail = true;
        auto server = co_await loop().create_server(
            [&]() -> std::shared_ptr<echo> {
                if (std::exchange(fail, false)) throw value_error("not yet");
                return std::make_shared<echo>();
            },
            "127.0.0.1", 0);
        auto first = co_await open_connection("127.0.0.1", server.port());
        EXPECT_EQ((co_await first.reader.read_all()).str(), "");
        auto second = co_await open_connection("127.0.0.1", server.port());
        co_await second.writer.write("x");
        EXPECT_EQ((co_await second.reader.read_exactly(1)).str(), "x");
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 1u);
        EXPECT_TRUE(!told.empty() && told[0].holds<value_error>());
    });
}

} // namespace
} // namespace rondo
