// Back-pressure: what a slow side does to a fast one, and what cancelling a write means.
#include "io/io_test.hpp"

#include "io/inbound.hpp"
#include "io/make_stream.hpp"

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::connected_pair;
using test::pass_by;
using test::pattern;

class FlowControl : public test::io_test {};
RONDO_IN_EACH_WORLD(FlowControl);

// More than the kernel's buffers of both ends of a loopback connection hold.
constexpr std::size_t more_than_the_kernel_takes = 64'000'000;

std::size_t queued(const stream_writer& w) { return detail::stream_access::core(w).queued(); }
std::size_t unread(const stream_reader& r) { return detail::stream_access::incoming(r).unread(); }

/// Until so many passes have gone by in which `count` stayed the same.
coro<> until_still(const std::size_t* count) {
    for (int still = 0; still < 500; ++still) {
        const std::size_t before = *count;
        co_await yield();
        if (*count != before) still = 0;
    }
}

TEST_P(FlowControl, AWriterThatIsNotReadStops) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string piece = pattern(1000);
        std::size_t written = 0;
        auto t = create_task([&]() -> coro<> {
            for (;;) {
                co_await p.client.writer.write(piece);
                ++written;
            }
        });
        co_await until_still(&written);
        EXPECT_FALSE(t.done());
        EXPECT_LE(queued(p.client.writer), detail::stream_core::high_water + piece.size());
        EXPECT_LT(written, more_than_the_kernel_takes / piece.size());

        const std::size_t before = written; // it goes on when somebody reads
        while (written < before + 10'000) co_await p.server.reader.read(65536);
        t.cancel();
        static_cast<void>(co_await as_result(std::move(t)));
    });
}

TEST_P(FlowControl, WhatNobodyReadsIsReceivedUpToTwiceTheLimit) {
    run_io([]() -> coro<> {
        constexpr std::size_t limit = 10'000;
        auto p = co_await connected_pair(limit);
        const std::string data = pattern(1'000'000);
        auto sent = create_task([&]() -> coro<> {
            co_await p.client.writer.write(data);
            p.client.writer.write_eof();
        });
        while (unread(p.server.reader) <= 2 * limit) co_await yield();
        std::size_t there = unread(p.server.reader);
        co_await until_still(&there);
        EXPECT_EQ(unread(p.server.reader), there);
        EXPECT_LE(there, 2 * limit + 65536); // one receive beyond

        std::string got; // down to the limit before more is received
        while (unread(p.server.reader) > limit + 1) {
            got += (co_await p.server.reader.read(1)).view();
            EXPECT_EQ(unread(p.server.reader) + got.size(), there);
        }
        got += (co_await p.server.reader.read_all()).view();
        EXPECT_TRUE(got == data);
        co_await sent;
    });
}

TEST_P(FlowControl, AReaderThatWaitsForMoreThanTwiceTheLimitGetsIt) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair(1000);
        const std::string data = pattern(500'000);
        auto sent = create_task([&]() -> coro<> { co_await p.client.writer.write(data); });
        co_await pass_by(100);
        EXPECT_TRUE(co_await p.server.reader.read_exactly(data.size()) == data);
        co_await sent;
    });
}

TEST_P(FlowControl, SeveralTasksMayDrain) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(more_than_the_kernel_takes);
        p.client.writer.write_nowait(data);
        std::vector<task<>> drains;
        for (int i = 0; i < 3; ++i)
            drains.push_back(create_task([&]() -> coro<> { co_await p.client.writer.drain(); }));
        co_await pass_by(100);
        for (const task<>& t : drains) EXPECT_FALSE(t.done());
        EXPECT_TRUE(drains[0].cancel()); // one that gives up does not disturb the others
        EXPECT_TRUE((co_await as_result(drains[0])).cancelled());
        std::size_t got = 0;
        while (got < data.size()) got += (co_await p.server.reader.read(1'000'000)).size();
        for (std::size_t i = 1; i < 3; ++i) co_await drains[i];
        EXPECT_LE(queued(p.client.writer), detail::stream_core::low_water);
    });
}

TEST_P(FlowControl, DrainOfAClosingWriterYieldsOnce) {
    run_io([&]() -> coro<> {
        auto p = co_await connected_pair();
        p.client.writer.close();
        const auto before = passes();
        static_cast<void>(co_await as_result(p.client.writer.drain()));
        EXPECT_EQ(passes(), before + 1);
        co_await p.client.writer.wait_closed();
        EXPECT_TRUE((co_await as_result(p.client.writer.drain())).holds<connection_reset_error>());
    });
}

TEST_P(FlowControl, CancellingAWriteInTheMiddleBreaksTheStream) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(more_than_the_kernel_takes);
        auto t = create_task([&]() -> coro<> { co_await p.client.writer.write(data); });
        const std::string start = (co_await p.server.reader.read_exactly(10)).str();
        t.cancel();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        auto next = co_await as_result(p.client.writer.write("next message"));
        const auto* e = detail::exception_cast<broken_pipe_error>(next.error());
        EXPECT_TRUE(e && std::string(e->what()).find("the stream is broken") != std::string::npos);
        EXPECT_TRUE((co_await as_result(p.client.writer.drain())).holds<broken_pipe_error>());
        p.client.writer.write_nowait("nothing");

        co_await p.server.writer.write("still there"); // the other direction is not broken
        EXPECT_EQ(co_await p.client.reader.read_exactly(11), "still there");

        p.client.writer.close(); // the peer must not take half a message for a whole one
        EXPECT_EQ(start, data.substr(0, 10));
        EXPECT_TRUE((co_await as_result(p.server.reader.read_all())).holds<connection_reset_error>());
    });
}

TEST_P(FlowControl, CancellingAWriteBeforeItsFirstByteUndoesIt) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string first = pattern(more_than_the_kernel_takes);
        const std::string second(100'000, '2');
        auto a = create_task([&]() -> coro<> { co_await p.client.writer.write(first); });
        auto b = create_task([&]() -> coro<> { co_await p.client.writer.write(second); });
        co_await pass_by(100);
        EXPECT_FALSE(a.done());
        b.cancel();
        EXPECT_TRUE((co_await as_result(std::move(b))).cancelled());
        auto c = create_task([&]() -> coro<> {
            co_await p.client.writer.write("third");
            p.client.writer.write_eof();
        });
        const bytes got = co_await p.server.reader.read_all();
        EXPECT_EQ(got.size(), first.size() + 5);
        EXPECT_TRUE(got.view().substr(0, first.size()) == first);
        EXPECT_TRUE(got.view().ends_with("third"));
        co_await a;
        co_await c;
    });
}

TEST_P(FlowControl, AWriteOfATaskThatIsBeingCancelledSendsNothing) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(100'000);
        auto t = create_task([&]() -> coro<> {
            static_cast<void>(current_task().cancel());
            co_await p.client.writer.write(data);
        });
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        p.client.writer.close();
        EXPECT_TRUE((co_await p.server.reader.read_all()).empty());
    });
}

TEST_P(FlowControl, AScopeThatEndsAWriteBreaksTheStreamToo) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(more_than_the_kernel_takes);
        const auto outcome = co_await move_on_after(std::chrono::milliseconds(1), p.client.writer.write(data));
        EXPECT_FALSE(outcome.has_value());
        EXPECT_TRUE((co_await as_result(p.client.writer.write("x"))).holds<broken_pipe_error>());
    });
}

TEST_P(FlowControl, WritersBehindABrokenMessageAreTold) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(more_than_the_kernel_takes);
        auto a = create_task([&]() -> coro<> { co_await p.client.writer.write(data); });
        co_await pass_by(100);
        auto b =
            create_task([&]() -> coro<> { co_await p.client.writer.write(std::string_view(data).substr(0, 50'000)); });
        auto c = create_task([&]() -> coro<> { co_await p.client.writer.drain(); });
        co_await pass_by(5);
        a.cancel();
        EXPECT_TRUE((co_await as_result(std::move(b))).holds<broken_pipe_error>());
        EXPECT_TRUE((co_await as_result(std::move(c))).holds<broken_pipe_error>());
        EXPECT_TRUE((co_await as_result(std::move(a))).cancelled());
    });
}

TEST_P(FlowControl, AWriterThatWaitsIsToldWhenThePeerIsGone) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(more_than_the_kernel_takes);
        auto t = create_task([&]() -> coro<> { co_await p.client.writer.write(data); });
        co_await pass_by(100);
        EXPECT_FALSE(t.done());
        detail::stream_access::core(p.server.writer).abort(nullptr);
        auto r = co_await as_result(std::move(t));
        EXPECT_TRUE(r.holds<connection_error>());
    });
}

TEST_P(FlowControl, AbortReleasesAWriterThatWaits) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        const std::string data = pattern(more_than_the_kernel_takes);
        auto t = create_task([&]() -> coro<> { co_await p.client.writer.write(data); });
        co_await pass_by(100);
        detail::stream_access::core(p.client.writer).abort(nullptr);
        EXPECT_TRUE((co_await as_result(std::move(t))).holds<connection_error>());
    });
}

} // namespace
} // namespace rondo
