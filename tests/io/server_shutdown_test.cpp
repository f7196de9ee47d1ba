// server::shutdown(): who gets how much time, and what is said of each connection.
#include "io/io_test.hpp"

#include "support/manual_clock.hpp"

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class ServerShutdown : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<test::manual_clock>(kind, clock);
    }
    test::manual_clock::hand clock;
};
RONDO_IN_EACH_WORLD(ServerShutdown);

/// "f" finishes when it is told to, "c" ends when it is cancelled, "x" ignores that, until its connection fails.
coro<> as_told(stream_reader reader, stream_writer writer) {
    const bytes kind = co_await reader.read_exactly(1);
    co_await writer.write("!");
    if (kind == "f") {
        static_cast<void>(co_await reader.read_exactly(1));
        co_return;
    }
    if (kind == "c") co_await sleep_forever();
    for (;;) {
        auto r = co_await as_result(reader.read_exactly(1000));
        if (!r && !r.cancelled()) co_return;
    }
}

/// A connection whose handler is of this kind and has begun.
coro<connection> client_of(const server& s, const char* kind) {
    connection c = co_await open_connection("127.0.0.1", s.port());
    co_await c.writer.write(kind);
    EXPECT_EQ(co_await c.reader.read_exactly(1), "!");
    co_return c;
}

TEST_P(ServerShutdown, SaysWhatBecameOfEachConnection) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server(as_told, "127.0.0.1", 0);
        std::vector<connection> clients;
        for (const char* kind : {"f", "f", "c", "x"}) clients.push_back(co_await client_of(s, kind));

        auto ending = create_task(s.shutdown(5s));
        co_await yield();
        EXPECT_FALSE(s.is_serving());
        for (std::size_t i : {0u, 1u}) {
            co_await clients[i].writer.write("f");
            EXPECT_TRUE((co_await clients[i].reader.read_all()).empty());
        }
        clock.moved += 5s - 1ns;
        co_await pass_by(70);
        EXPECT_FALSE(clients[2].reader.at_eof());

        clock.moved += 1ns;
        EXPECT_TRUE((co_await clients[2].reader.read_all()).empty());
        co_await pass_by(70);
        EXPECT_FALSE(ending.done());

        clock.moved += 1s;
        EXPECT_TRUE((co_await as_result(clients[3].reader.read_all())).holds<connection_reset_error>());
        const shutdown_report report = co_await std::move(ending);
        EXPECT_EQ(report.finished, 2u);
        EXPECT_EQ(report.cancelled, 1u);
        EXPECT_EQ(report.aborted, 1u);
        co_await s.wait_closed();
    });
}

TEST_P(ServerShutdown, EndsWithTheLastConnectionAndNotWithTheGracePeriod) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(as_told, "127.0.0.1", 0);
        connection c = co_await client_of(s, "f");
        auto ending = create_task(s.shutdown(no_timeout));
        co_await c.writer.write("f");
        const shutdown_report report = co_await std::move(ending);
        EXPECT_EQ(report.finished, 1u);
        EXPECT_EQ(report.cancelled + report.aborted, 0u);
    });
}

TEST_P(ServerShutdown, WithoutConnectionsIsImmediate) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(as_told, "127.0.0.1", 0);
        const shutdown_report report = co_await s.shutdown(no_timeout);
        EXPECT_EQ(report.finished + report.cancelled + report.aborted, 0u);
        EXPECT_FALSE(s.is_serving());
        EXPECT_EQ((co_await s.shutdown(no_timeout)).finished, 0u); // again
    });
}

TEST_P(ServerShutdown, WithoutGraceCancelsAtOnce) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(as_told, "127.0.0.1", 0);
        const connection c = co_await client_of(s, "c");
        const shutdown_report report = co_await s.shutdown(0s);
        EXPECT_EQ(report.cancelled, 1u);
        EXPECT_EQ(report.finished + report.aborted, 0u);
    });
}

TEST_P(ServerShutdown, CancelledItCancelsTheHandlersAndDoesNotWait) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(as_told, "127.0.0.1", 0);
        connection c = co_await client_of(s, "c");
        connection x = co_await client_of(s, "x");
        auto ending = create_task(s.shutdown(no_timeout));
        co_await pass_by(2);
        ending.cancel();
        EXPECT_TRUE((co_await as_result(std::move(ending))).cancelled());
        EXPECT_TRUE((co_await c.reader.read_all()).empty());
        x.writer.close();
        co_await s.wait_closed();
    });
}

TEST_P(ServerShutdown, AHandlerThatGoesOnRegardlessIsNotWaitedFor) {
    run_io([this]() -> coro<> {
        event may_end;
        auto s = co_await start_server(
            [&](stream_reader, stream_writer writer) -> coro<> {
                co_await writer.write("!");
                while (!may_end.is_set()) static_cast<void>(co_await as_result(may_end.wait()));
            },
            "127.0.0.1", 0);
        const connection c = co_await client_of(s, "x");
        auto ending = create_task(s.shutdown(5s));
        co_await pass_by(2);
        for (const duration step : {duration(5s), duration(1s), duration(1s)}) {
            EXPECT_FALSE(ending.done());
            clock.moved += step;
            co_await pass_by(70);
        }
        EXPECT_TRUE(ending.done());
        EXPECT_EQ((co_await std::move(ending)).aborted, 1u);
        may_end.set();
        co_await s.wait_closed();
    });
}

} // namespace
} // namespace rondo
