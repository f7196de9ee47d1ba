// What holds for the two halves of a connection.
#include "io/io_test.hpp"

#include "io/inbound.hpp"
#include "io/make_stream.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace rondo {
namespace {

using test::connected_pair;
using test::pass_by;
using test::pattern;

class Connection : public test::io_test {};
RONDO_IN_EACH_WORLD(Connection);

/// Of the kernel: options of sockets.
class ConnectionInTheKernel : public Connection {};
RONDO_ON_EACH_BACKEND(ConnectionInTheKernel);

coro<> echo(stream_reader reader, stream_writer writer) {
    for (;;) {
        const bytes some = co_await reader.read(65536);
        if (some.empty()) break;
        co_await writer.write(some);
    }
    co_await writer.aclose();
}

/// Until the task waits and says this.
coro<> until_blocked(any_task t, std::string says) {
    for (;;) {
        const detail::awaiter* a = t.record().blocked_on;
        if (a && a->describe().find(says) != std::string::npos) co_return;
        co_await yield();
    }
}

TEST_P(Connection, CarriesBytesBothWays) {
    run_io([]() -> coro<> {
        auto server = co_await start_server(echo, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", server.port());
        co_await writer.write("hello ");
        writer.write_nowait("world\n");
        EXPECT_EQ((co_await reader.read_line())->view(), "hello world\n");
        writer.write_eof();
        EXPECT_TRUE((co_await reader.read(1)).empty());
        co_await writer.aclose();
        server.close();
        co_await server.wait_closed();
    });
}

TEST_P(Connection, KnowsItsAddresses) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        EXPECT_EQ(p.client.writer.local_address(), p.server.writer.peer_address());
        EXPECT_EQ(p.client.writer.peer_address(), p.server.writer.local_address());
        EXPECT_EQ(p.client.writer.peer_address().ip(), "127.0.0.1");
        EXPECT_NE(p.client.writer.peer_address().port(), 0);
    });
}

TEST_P(ConnectionInTheKernel, DoesNotDelaySmallPackets) {
    run_io([this]() -> coro<> {
        auto p = co_await connected_pair();
        for (const stream_writer* w : {&p.client.writer, &p.server.writer}) {
            int value = 0;
            const int fd = detail::stream_access::core(*w).descriptor();
            EXPECT_EQ(detail::loop_access::backend(loop()).os().get_option(fd, IPPROTO_TCP, TCP_NODELAY, value), 0);
            EXPECT_NE(value, 0);
        }
    });
}

TEST_P(Connection, AReadIsCompleteWhereverTheMessageWasCut) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string message = "length: 7\r\n\r\nabcdefg";
        for (std::size_t cut = 1; cut < message.size(); ++cut) {
            auto t = create_task([&]() -> coro<std::string> {
                std::string got = (co_await p.client.reader.read_until("\r\n\r\n")).str();
                got += (co_await p.client.reader.read_exactly(7)).view();
                co_return got;
            });
            co_await p.server.writer.write(std::string_view(message).substr(0, cut));
            const std::size_t there = cut < 13 ? cut : cut - 13;
            co_await until_blocked(t, ", " + std::to_string(there) + " bytes are there");
            co_await p.server.writer.write(std::string_view(message).substr(cut));
            EXPECT_EQ(co_await t, message) << cut;
        }
    });
}

TEST_P(Connection, CarriesMoreThanAllBuffersHold) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(20'000'000);
        auto sent = create_task([&]() -> coro<> {
            co_await p.client.writer.write(data);
            p.client.writer.write_eof();
        });
        const bytes got = co_await p.server.reader.read_all();
        EXPECT_TRUE(got == data);
        co_await sent;
    });
}

TEST_P(Connection, ReadsOfAllSizesSeeTheSameStream) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(5'000'000);
        auto sent = create_task([&]() -> coro<> {
            std::size_t at = 0;
            for (std::size_t n = 1; at < data.size(); n = n * 31 % 100'003 + 1) {
                const auto piece = std::string_view(data).substr(at, n);
                if (n % 3 == 0) p.client.writer.write_nowait(piece);
                else co_await p.client.writer.write(piece);
                at += piece.size();
                co_await p.client.writer.drain();
            }
            p.client.writer.write_eof();
        });
        std::string got;
        std::vector<std::byte> buffer(70'000);
        for (std::size_t n = 1; got.size() < data.size(); n = n * 37 % 90'001 + 1) {
            const std::size_t left = data.size() - got.size();
            if (n % 4 == 0) got += (co_await p.server.reader.read_exactly(std::min(n, left))).view();
            else if (n % 4 == 1) got += (co_await p.server.reader.read(n)).view();
            else {
                const std::size_t count =
                    co_await p.server.reader.read_into(std::span(buffer).first(std::min(n, buffer.size())));
                got += bytes_view(buffer.data(), count).view();
            }
        }
        EXPECT_TRUE(got == data);
        EXPECT_TRUE((co_await p.server.reader.read(1)).empty());
        co_await sent;
    });
}

TEST_P(Connection, PiecesOfOneWriteStayTogether) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string head = pattern(100);
        const std::string body = pattern(300'000);
        auto writers = co_await gather(
            [&]() -> coro<> {
                const std::array<bytes_view, 3> pieces = {head, bytes_view(), body};
                co_await p.client.writer.write(pieces);
            }(),
            [&]() -> coro<> {
                const std::array<bytes_view, 2> pieces = {bytes_view("small"), bytes_view(" pieces")};
                co_await p.client.writer.write(pieces);
            }(),
            [&]() -> coro<> {
                EXPECT_TRUE(co_await p.server.reader.read_exactly(100) == head);
                EXPECT_TRUE(co_await p.server.reader.read_exactly(300'000) == body);
                EXPECT_EQ(co_await p.server.reader.read_exactly(12), "small pieces");
            }());
        static_cast<void>(writers);
    });
}

TEST_P(Connection, EachDirectionEndsByItself) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        EXPECT_TRUE(p.client.writer.can_write_eof());
        p.client.writer.write_nowait("last words");
        p.client.writer.write_eof();
        EXPECT_EQ(co_await p.server.reader.read_all(), "last words");
        EXPECT_TRUE(p.server.reader.at_eof());
        co_await p.server.writer.write("answer"); // the other direction is still open
        p.server.writer.write_eof();
        EXPECT_EQ(co_await p.client.reader.read_all(), "answer");
        co_await p.client.writer.aclose();
        co_await p.server.writer.aclose();
    });
}

TEST_P(Connection, NothingCanBeWrittenAfterTheEnd) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        p.client.writer.write_eof();
        EXPECT_TRUE((co_await as_result(p.client.writer.write("x"))).holds<runtime_error>());
        EXPECT_THROW(p.client.writer.write_nowait("x"), runtime_error);
        p.server.writer.close();
        EXPECT_TRUE((co_await as_result(p.server.writer.write("x"))).holds<connection_reset_error>());
        EXPECT_NO_THROW(p.server.writer.write_nowait("x")); // dropped, as in asyncio
        p.server.writer.write_eof();                        // nothing
        p.server.writer.close();                            // again
    });
}

TEST_P(Connection, CloseSendsWhatIsQueued) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(3'000'000);
        p.client.writer.write_nowait(data);
        p.client.writer.close();
        EXPECT_TRUE(p.client.writer.is_closing());
        const bytes got = co_await p.server.reader.read_all();
        EXPECT_TRUE(got == data);
        co_await p.client.writer.wait_closed();
        co_await p.client.writer.wait_closed(); // any number of times
    });
}

TEST_P(Connection, CloseEndsTheOwnReader) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        auto t = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read(1); });
        co_await pass_by(5);
        p.client.writer.close();
        EXPECT_TRUE((co_await t).empty());
        EXPECT_TRUE((co_await p.server.reader.read(1)).empty());
    });
}

TEST_P(Connection, DestroyingTheWriterClosesIt) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        {
            stream_writer gone = std::move(p.client.writer);
            gone.write_nowait("bye");
        }
        EXPECT_EQ(co_await p.server.reader.read_all(), "bye");
    });
}

TEST_P(Connection, AResetReachesReadersAndWriters) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        auto reading = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read(1); });
        auto closed = create_task([&]() -> coro<> { co_await p.client.writer.wait_closed(); });
        co_await pass_by(5);
        detail::stream_access::core(p.server.writer).abort(nullptr);
        EXPECT_TRUE((co_await as_result(std::move(reading))).holds<connection_reset_error>());
        EXPECT_TRUE((co_await as_result(std::move(closed))).holds<connection_reset_error>());
        EXPECT_TRUE((co_await as_result(p.client.reader.read_line())).holds<connection_reset_error>());
        EXPECT_TRUE((co_await as_result(p.client.writer.write("x"))).holds<connection_reset_error>());
        EXPECT_TRUE((co_await as_result(p.client.writer.drain())).holds<connection_reset_error>());
        EXPECT_TRUE((co_await as_result(p.client.writer.aclose())).holds<connection_reset_error>());
        EXPECT_TRUE(p.client.reader.exception() != nullptr);
        EXPECT_EQ(detail::exception_cast<connection_error>(p.client.reader.exception())->code(),
                  std::errc::connection_reset);
    });
}

TEST_P(Connection, WhatCameBeforeAResetCanBeRead) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        co_await p.server.writer.write("line\nhalf");
        while (detail::stream_access::incoming(p.client.reader).unread() < 9) co_await yield();
        detail::stream_access::core(p.server.writer).abort(nullptr);
        while (!p.client.reader.exception()) co_await yield();
        EXPECT_EQ((co_await p.client.reader.read_line())->view(), "line\n");
        EXPECT_TRUE((co_await as_result(p.client.reader.read_line())).holds<connection_reset_error>());
        EXPECT_EQ(co_await p.client.reader.read(100), "half");
    });
}

TEST_P(Connection, NoticesTheEndWithoutBeingRead) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        p.server.writer.close();
        while (!p.client.reader.at_eof()) co_await yield();
    });
}

TEST_P(Connection, ACancelledReadLeavesItsBytesToTheNext) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        auto t = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read(100); });
        co_await pass_by(5);
        t.cancel();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        co_await p.server.writer.write("abc");
        EXPECT_EQ(co_await p.client.reader.read_exactly(3), "abc");
    });
}

TEST_P(Connection, NoByteIsLostToCancellationsAtAnyMoment) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(200'000);
        auto sent = create_task([&]() -> coro<> {
            for (std::size_t at = 0; at < data.size(); at += 500) {
                co_await p.server.writer.write(std::string_view(data).substr(at, 500));
                if (at % 1500 == 0) co_await yield();
            }
            p.server.writer.write_eof();
        });
        std::string got;
        int cancelled = 0;
        for (int round = 0; !p.client.reader.at_eof(); ++round) {
            auto t = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read(700); });
            co_await pass_by(round % 4);
            if (round % 3 == 1) t.cancel(); // before it has started, too
            auto r = co_await as_result(std::move(t));
            if (r) got += r->view();
            else ++cancelled;
        }
        EXPECT_TRUE(got == data);
        EXPECT_GT(cancelled, 0);
        co_await sent;
    });
}

TEST_P(Connection, OnlyOneTaskWaitsOnAReader) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        auto t = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read(100); });
        co_await pass_by(2);
        auto second = co_await as_result(p.client.reader.read_line());
        EXPECT_TRUE(second.holds<runtime_error>());
        EXPECT_NE(std::string(detail::exception_cast<runtime_error>(second.error())->what()).find("read_line()"),
                  std::string::npos);
        co_await p.server.writer.write("x");
        EXPECT_EQ(co_await t, "x");
    });
}

TEST_P(Connection, SaysWhatItWaitsFor) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        auto t = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read(1); });
        co_await pass_by(2);
        const std::string expected = "to " + p.client.writer.peer_address().str();
        EXPECT_NE(t.record().blocked_on->describe().find(expected), std::string::npos)
            << t.record().blocked_on->describe();
        t.cancel();
        static_cast<void>(co_await as_result(std::move(t)));
    });
}

TEST_P(Connection, RefusesFeedingAndALimitOfNothing) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        EXPECT_THROW(p.client.reader.feed_data("x"), runtime_error);
        EXPECT_THROW(p.client.reader.feed_eof(), runtime_error);
        EXPECT_TRUE((co_await as_result(open_connection("127.0.0.1", 1, {.limit = 0}))).holds<value_error>());
    });
}

TEST_P(Connection, AThousandAtOnce) {
    run_io([]() -> coro<> {
        constexpr int count = 1000;
        auto server = co_await start_server(echo, "127.0.0.1", 0, {.backlog = count});
        std::vector<coro<>> clients;
        int done = 0;
        for (int i = 0; i < count; ++i) {
            clients.push_back([](std::uint16_t port, int number, int* finished) -> coro<> {
                auto [reader, writer] = co_await open_connection("127.0.0.1", port);
                for (int round = 0; round < 3; ++round) {
                    const std::string line = std::to_string(number) + "." + std::to_string(round) + "\n";
                    co_await writer.write(line);
                    EXPECT_EQ((co_await reader.read_line())->view(), line);
                }
                co_await writer.aclose();
                ++*finished;
            }(server.port(), i, &done));
        }
        co_await gather(std::move(clients));
        EXPECT_EQ(done, count);
        server.close();
        co_await server.wait_closed();
    });
}

} // namespace
} // namespace rondo
