// Transports and streams at their edges: while they close, with more pieces than a call takes, with errors on the other half.
#include "io/protocol_kit.hpp"

#include "io/raw_client.hpp"
#include "io/receive_buffer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <climits>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::calls;
using test::connected_pair;
using test::pass_by;
using test::pattern;
using test::protocol_pair;
using test::recorder;

constexpr std::size_t more_than_the_kernel_takes = 20'000'000;

class TransportEdges : public test::io_test {};
RONDO_IN_EACH_WORLD(TransportEdges);

TEST_P(TransportEdges, WhileItClosesReadingCanBePausedAndResumedAndNothingIsRead) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->set_write_buffer_limits({.high = 2 * more_than_the_kernel_takes});
        p.transport->write(std::string(more_than_the_kernel_takes, 'x'));
        p.transport->close();
        p.transport->pause_reading();
        p.transport->pause_reading();
        EXPECT_FALSE(p.transport->is_reading());
        co_await p.peer.writer.write("too late");
        p.transport->resume_reading();
        p.transport->resume_reading();
        EXPECT_FALSE(p.transport->is_reading());
        co_await pass_by(70);
        EXPECT_EQ(p.protocol->calls, calls{"made"});
        static_cast<void>(co_await as_result(p.peer.reader.read_all())); // what was not read here makes the end a reset
        co_await p.protocol->over.wait();
        p.transport->pause_reading();
        p.transport->resume_reading();
        EXPECT_EQ(p.protocol->calls, (calls{"made", "lost"}));
    });
}

TEST_P(TransportEdges, MorePiecesThanOneCallTakesArriveInTheirOrder) {
    run_io([]() -> coro<> {
        constexpr std::size_t count = 3 * IOV_MAX + 1;
        const std::string data = pattern(count * 7);
        std::vector<bytes_view> small;
        for (std::size_t i = 0; i < count; ++i) small.push_back(std::string_view(data).substr(i * 7, 7));
        const std::string large_data = pattern(count * 5000);
        std::vector<bytes_view> large;
        for (std::size_t i = 0; i < count; ++i) large.push_back(std::string_view(large_data).substr(i * 5000, 5000));

        auto p = co_await protocol_pair();
        p.transport->set_write_buffer_limits({.high = 4 * large_data.size()});
        p.transport->writelines(small);
        p.transport->writelines(large); // which the kernel does not take at once
        p.transport->writelines(small);
        EXPECT_GT(p.transport->get_write_buffer_size(), 0u);
        EXPECT_TRUE((co_await p.peer.reader.read_exactly(data.size())).view() == data);
        EXPECT_TRUE((co_await p.peer.reader.read_exactly(large_data.size())).view() == large_data);
        EXPECT_TRUE((co_await p.peer.reader.read_exactly(data.size())).view() == data);

        auto writing = create_task([&]() -> coro<> { co_await p.peer.writer.write(large); }); // from where they are
        co_await p.protocol->has(large_data.size());
        co_await writing;
        EXPECT_TRUE(p.protocol->data == large_data);
        p.transport->close();
    });
}

TEST_P(TransportEdges, WhatIsToldAtOnceGrowsTo64KiBAndNoFurther) {
    run_io([]() -> coro<> {
        struct measuring : recorder {
            void data_received(std::span<const std::byte> data) override {
                largest = std::max(largest, data.size());
                recorder::data_received(data);
            }
            std::size_t largest = 0;
        };
        auto p = co_await protocol_pair(std::make_shared<measuring>());
        constexpr std::size_t all = 4'000'000;
        p.transport->pause_reading();
        p.peer.writer.write_nowait(std::string(all, 'x'));
        co_await pass_by(200); // so that much has come
        p.transport->resume_reading();
        co_await p.protocol->has(all);
        EXPECT_EQ(p.protocol->largest, detail::receive_buffer::largest_guess);
        EXPECT_EQ(detail::receive_buffer::largest_guess, 65536u);
        p.transport->close();
    });
}

class StreamEdges : public test::io_test {};
RONDO_IN_EACH_WORLD(StreamEdges);

TEST_P(StreamEdges, DrainAndWriteThrowTheReadersError) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        co_await p.client.writer.drain();
        p.client.reader.set_exception(std::make_exception_ptr(std::domain_error("x")));
        EXPECT_TRUE((co_await as_result(p.client.writer.drain())).holds<std::domain_error>());
        EXPECT_TRUE((co_await as_result(p.client.writer.write("sent all the same"))).holds<std::domain_error>());
        EXPECT_EQ((co_await p.server.reader.read_exactly(17)).view(), "sent all the same");
    });
}

TEST_P(StreamEdges, FeedEofWakesTheReaderAndNothingComesAfterIt) {
    run_io([]() -> coro<> {
        stream_reader reader;
        auto reading = create_task([&]() -> coro<bytes> { co_return co_await reader.read_all(); });
        reader.feed_data("first");
        co_await pass_by(3);
        EXPECT_FALSE(reading.done());
        reader.feed_data(", last");
        EXPECT_FALSE(reader.at_eof());
        reader.feed_eof();
        EXPECT_EQ((co_await reading).str(), "first, last");
        EXPECT_TRUE(reader.at_eof());
        EXPECT_THROW(reader.feed_data("more"), runtime_error);
        reader.feed_eof(); // as in asyncio, once more is not too much
        EXPECT_TRUE((co_await reader.read(1)).empty());
        const auto r = co_await as_result(reader.read_exactly(1));
        EXPECT_TRUE(r.holds<incomplete_read_error>());
    });
}

class ServerEdges : public test::io_test {};
RONDO_IN_EACH_WORLD(ServerEdges);

TEST_P(ServerEdges, WaitClosedOfOneThatIsOpenWaits) {
    run_io([]() -> coro<> {
        auto s = co_await start_server([](stream_reader, stream_writer) {}, "127.0.0.1", 0);
        auto waiting = create_task([&]() -> coro<> { co_await s.wait_closed(); });
        auto c = co_await open_connection("127.0.0.1", s.port());
        EXPECT_TRUE((co_await c.reader.read_all()).empty()); // its only connection has ended
        co_await pass_by(140);
        EXPECT_FALSE(waiting.done());
        s.close();
        co_await waiting;
        co_await s.wait_closed(); // and again
    });
}

TEST_P(ServerEdges, CloseClientsSendsWhatIsQueuedFirst) {
    run_io([this]() -> coro<> {
        const std::string data = pattern(more_than_the_kernel_takes);
        event written;
        auto s = co_await start_server(
            [&](stream_reader reader, stream_writer writer) -> coro<> {
                writer.write_nowait(data);
                written.set();
                static_cast<void>(co_await reader.read_all());
            },
            "127.0.0.1", 0);
        auto c = co_await open_connection("127.0.0.1", s.port());
        co_await written.wait();
        s.close_clients();
        EXPECT_TRUE((co_await c.reader.read_all()).view() == data);

        std::shared_ptr<recorder> served;
        auto t = co_await loop().create_server([&] { return served = std::make_shared<recorder>(); }, "127.0.0.1", 0);
        auto d = co_await open_connection("127.0.0.1", t.port());
        while (!served || !served->to) co_await yield();
        served->to->write(data);
        t.close_clients();
        EXPECT_TRUE((co_await d.reader.read_all()).view() == data);
        co_await served->over.wait();
        EXPECT_EQ(served->error, nullptr);
    });
}

/// Of the kernel: options of sockets, descriptors that block, clients in which the loop has no part.
class TransportsInTheKernel : public test::io_test {};
RONDO_ON_EACH_BACKEND(TransportsInTheKernel);

bool has_no_delay(int fd) {
    int on = 0;
    ::socklen_t size = sizeof on;
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    return on != 0;
}

TEST_P(TransportsInTheKernel, ProtocolTransportsDoNotDelaySmallPackets) {
    run_io([this]() -> coro<> {
        std::shared_ptr<recorder> served;
        auto s = co_await loop().create_server([&] { return served = std::make_shared<recorder>(); }, "127.0.0.1", 0);
        auto [t, p] =
            co_await loop().create_connection([] { return std::make_shared<recorder>(); }, "127.0.0.1", s.port());
        while (!served || !served->to) co_await yield();
        EXPECT_TRUE(has_no_delay(t->fd()));
        EXPECT_TRUE(has_no_delay(served->to->fd()));
        t->abort();
    });
}

TEST_P(TransportsInTheKernel, AnAcceptedTcpSocketIsLikeOneThatWasConnected) {
    run_io([this]() -> coro<> {
        const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::listen(listening, 1), 0);
        ::sockaddr_in name{};
        ::socklen_t size = sizeof name;
        EXPECT_EQ(::getsockname(listening, reinterpret_cast<::sockaddr*>(&name), &size), 0);
        const test::raw_client client;
        EXPECT_TRUE(client.connect(ntohs(name.sin_port)));
        const int fd = ::accept(listening, nullptr, nullptr); // it blocks, as a program without a loop has it
        auto [t, p] = co_await loop().connect_accepted_socket([] { return std::make_shared<recorder>(); }, fd);
        EXPECT_EQ(t->fd(), fd);
        EXPECT_EQ(t->peer_address().ip(), "127.0.0.1");
        EXPECT_EQ(t->local_address().port(), ntohs(name.sin_port));
        EXPECT_TRUE(has_no_delay(fd));
        EXPECT_EQ(::send(client.fd(), "hello", 5, 0), 5);
        co_await p->has(5);
        t->write(std::string(more_than_the_kernel_takes, 'x')); // would wait, if it still blocked
        EXPECT_GT(t->get_write_buffer_size(), 0u);
        t->abort();
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "data", "pause", "lost"}));
        ::close(listening);
    });
}

TEST_P(TransportsInTheKernel, InOnePassAcceptsAsManyAsItsBacklogSays) {
    run_io([this]() -> coro<> {
        constexpr int backlog = 4;
        constexpr int in_flight = 8;
        constexpr std::size_t count = 60;
        const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::listen(listening, static_cast<int>(count)), 0);
        ::sockaddr_in name{};
        ::socklen_t size = sizeof name;
        EXPECT_EQ(::getsockname(listening, reinterpret_cast<::sockaddr*>(&name), &size), 0);
        std::vector<std::unique_ptr<test::raw_client>> clients;
        while (clients.size() < count) {
            clients.push_back(std::make_unique<test::raw_client>());
            EXPECT_TRUE(clients.back()->connect(ntohs(name.sin_port)));
        }
        std::map<std::uint64_t, int> in_pass;
        std::size_t served = 0;
        auto s = co_await start_server(
            [&](stream_reader, stream_writer) {
                ++served;
                ++in_pass[passes()];
            },
            "", 0, {.backlog = backlog, .sock = listening});
        while (served < count) co_await yield();
        for (const auto& [pass, n] : in_pass) EXPECT_LE(n, backlog + 1 + in_flight);
    });
}

} // namespace
} // namespace rondo
