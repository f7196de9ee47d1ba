// The simulated network against what Linux does.
#include <rondo/io/connect_pipe.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/timeout.hpp>

#include "io/protocol_kit.hpp"
#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "sim/plain_world.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::stream_reader;
using rondo::stream_writer;
using rondo::test::in_a_plain_world;

coro<> echo(stream_reader r, stream_writer w) {
    for (;;) {
        const auto some = co_await r.read(100);
        if (some.empty()) break;
        co_await w.write(some);
    }
    co_await w.aclose();
}

coro<> talk(rondo::connection c, std::string text) {
    co_await c.writer.write(text);
    c.writer.write_eof();
    const auto back = co_await c.reader.read_all();
    EXPECT_EQ(back.view(), text);
    co_await c.writer.aclose();
}

RONDO_SIM_TEST(SimulatedNetwork, CarriesEveryByteOverTcp, {.schedules = 300}) {
    auto server = co_await rondo::start_server(echo, "127.0.0.1", 0);
    co_await talk(co_await rondo::open_connection("127.0.0.1", server.port()), "over version four");
}

RONDO_SIM_TEST(SimulatedNetwork, CarriesEveryByteOverTcpOnVersionSix, {.schedules = 100}) {
    auto server = co_await rondo::start_server(echo, "::1", 0);
    co_await talk(co_await rondo::open_connection("::1", server.port()), "over version six");
}

RONDO_SIM_TEST(SimulatedNetwork, CarriesEveryByteOverUnixSockets, {.schedules = 100}) {
    auto server = co_await rondo::start_unix_server(echo, "/run/echo.sock");
    co_await talk(co_await rondo::open_unix_connection("/run/echo.sock"), "through a file");
}

TEST(SimulatedNetwork, ConnectingWhereNobodyListensIsRefused) {
    in_a_plain_world([]() -> coro<> {
        bool refused = false;
        try {
            co_await rondo::open_connection("127.0.0.1", 81);
        } catch (const rondo::connection_refused_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    });
}

TEST(SimulatedNetwork, AnAddressIsTakenOnceAndFreeAgainAfterClosing) {
    in_a_plain_world([]() -> coro<> {
        auto first = co_await rondo::start_server(echo, "127.0.0.1", 80);
        std::error_code code;
        try {
            co_await rondo::start_server(echo, "127.0.0.1", 80);
        } catch (const std::system_error& e) {
            code = e.code();
        }
        EXPECT_EQ(code, std::errc::address_in_use);
        first.close();
        co_await first.wait_closed();
        auto second = co_await rondo::start_server(echo, "127.0.0.1", 80);
        EXPECT_EQ(second.port(), 80);
    });
}

TEST(SimulatedNetwork, AReaderThatDoesNotReadHoldsTheWriterBack) {
    in_a_plain_world([]() -> coro<> {
        std::optional<rondo::connection> served;
        auto server = co_await rondo::start_server(
            [&](stream_reader r, stream_writer w) { served.emplace(std::move(r), std::move(w)); }, "127.0.0.1", 0,
            {.limit = 1000});
        auto client = co_await rondo::open_connection("127.0.0.1", server.port());
        const std::string much(1'000'000, 'x');
        auto writing = rondo::create_task([&]() -> coro<> { co_await client.writer.write(much); });
        co_await rondo::sim::wait_all_tasks_blocked();
        EXPECT_FALSE(writing.done());
        const auto all = co_await served->reader.read_exactly(much.size());
        EXPECT_EQ(all.size(), much.size());
        co_await writing;
        served.reset();
    });
}

TEST(SimulatedNetwork, AFullQueueOfAListenerMakesClientsAskAgainAfterASecond) {
    in_a_plain_world([]() -> coro<> {
        rondo::event_loop& loop = rondo::running_loop();
        auto& os = rondo::detail::loop_access::backend(loop).os();
        const rondo::detail::socket_address where(rondo::address("127.0.0.1", 80));
        const int listening = os.open_socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(os.bind(listening, where.get(), where.size), 0);
        EXPECT_EQ(os.listen(listening, 0), 0);
        const auto before = rondo::clock::now();
        auto first = co_await rondo::open_connection("127.0.0.1", 80);
        auto second = rondo::create_task(rondo::open_connection("127.0.0.1", 80));
        co_await rondo::sleep(500ms);
        EXPECT_FALSE(second.done());
        const auto one = co_await loop.sock_accept(listening);
        auto client = co_await second;
        EXPECT_EQ(rondo::clock::now() - before, 1s);
        const auto other = co_await loop.sock_accept(listening);
        EXPECT_EQ(other.second, client.writer.local_address());
        for (const int fd : {one.first, other.first, listening}) os.close(fd);
    });
}

TEST(SimulatedNetwork, ClosingWithUnreadBytesResetsTheOtherSide) {
    in_a_plain_world([]() -> coro<> {
        auto server = co_await rondo::start_server(
            [](stream_reader r, stream_writer w) -> coro<> {
                co_await rondo::sleep(1s);
                static_cast<void>(r);
                w.close();
            },
            "127.0.0.1", 0, {.limit = 1});
        auto client = co_await rondo::open_connection("127.0.0.1", server.port());
        client.writer.write_nowait(std::string(100'000, 'x'));
        bool reset = false;
        try {
            co_await client.reader.read_all();
        } catch (const rondo::connection_reset_error&) {
            reset = true;
        }
        EXPECT_TRUE(reset);
    });
}

TEST(SimulatedNetwork, AHalfClosedConnectionStillCarriesTheOtherDirection) {
    in_a_plain_world([]() -> coro<> {
        auto server = co_await rondo::start_server(
            [](stream_reader r, stream_writer w) -> coro<> {
                const auto all = co_await r.read_all();
                co_await rondo::sleep(1s);
                co_await w.write("got " + std::to_string(all.size()));
                co_await w.aclose();
            },
            "127.0.0.1", 0);
        auto client = co_await rondo::open_connection("127.0.0.1", server.port());
        co_await client.writer.write("12345");
        client.writer.write_eof();
        const auto answer = co_await client.reader.read_all();
        EXPECT_EQ(answer.view(), "got 5");
        client.writer.close();
    });
}

TEST(SimulatedNetwork, APipeEndsWhenItsWriterIsClosedAndBreaksWhenItsReaderIs) {
    in_a_plain_world([]() -> coro<> {
        auto& os = rondo::detail::loop_access::backend(rondo::running_loop()).os();
        std::pair<int, int> ends;
        EXPECT_EQ(os.make_pipe(0, ends), 0);
        auto& loop = rondo::running_loop();
        const auto recorders = [] { return std::make_shared<rondo::test::recorder>(); };
        auto [rt, reader] = co_await loop.connect_read_pipe(recorders, ends.first);
        auto [wt, writer] = co_await loop.connect_write_pipe(recorders, ends.second);
        wt->write("down the pipe");
        wt->write_eof();
        co_await reader->over.wait();
        co_await writer->over.wait();
        EXPECT_EQ(reader->data, "down the pipe");
        EXPECT_EQ(reader->error, nullptr);

        EXPECT_EQ(os.make_pipe(1, ends), 0);
        auto [second, broken] = co_await loop.connect_write_pipe(recorders, ends.second);
        second->write(std::string(1'000'000, 'x'));
        os.close(ends.first);
        co_await broken->over.wait();
        EXPECT_NE(broken->error, nullptr);
    });
}

TEST(SimulatedNetwork, EveryClassOfFaultHappens) {
    bool refused = false;
    bool reset = false;
    bool exhausted = false;
    const auto result =
        rondo::sim::explore({.schedules = 400, .faults = rondo::sim::fault_classes::all()}, [&]() -> coro<> {
            rondo::running_loop().set_exception_handler([](auto&, const auto&) {}); // an accept that failed is told
            try {
                auto server = co_await rondo::start_server(
                    [](stream_reader r, stream_writer w) -> coro<> {
                        try {
                            co_await echo(std::move(r), std::move(w));
                        } catch (const std::system_error&) {}
                    },
                    "127.0.0.1", 0);
                auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
                co_await writer.write("hello");
                writer.write_eof();
                co_await reader.read_all();
            } catch (const rondo::connection_refused_error&) {
                refused = true;
            } catch (const rondo::connection_reset_error&) {
                reset = true;
            } catch (const std::system_error& e) {
                exhausted = exhausted || e.code() == std::errc::too_many_files_open;
            }
        });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_TRUE(refused);
    EXPECT_TRUE(reset);
    EXPECT_TRUE(exhausted);
}

} // namespace
