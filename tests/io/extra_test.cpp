// get_extra(), stream_writer::transport(), and descriptors that are a transport's.
#include "io/protocol_kit.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace rondo {
namespace {

using test::connected_pair;
using test::pass_by;
using test::pattern;
using test::protocol_pair;
using test::recorder;

class Extra : public test::io_test {};
RONDO_IN_EACH_WORLD(Extra);

/// Of the kernel: datagrams and processes.
class ExtraOfTheKernel : public Extra {};
RONDO_ON_EACH_BACKEND(ExtraOfTheKernel);

TEST_P(Extra, OfASocket) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        const transport& t = *p.transport;
        EXPECT_EQ(t.get_extra<extra::peername>(), t.peer_address());
        EXPECT_EQ(t.get_extra<extra::peername>(), p.peer.writer.get_extra<extra::sockname>());
        EXPECT_EQ(t.get_extra<extra::sockname>(), p.peer.writer.get_extra<extra::peername>());
        EXPECT_EQ(t.get_extra<extra::socket>(), t.fd());
        EXPECT_FALSE(t.get_extra<extra::pipe>().has_value());
        EXPECT_FALSE(t.get_extra<extra::subprocess>().has_value());
        const address peer = t.peer_address();
        p.transport->close();
        co_await p.protocol->over.wait();
        EXPECT_EQ(t.get_extra<extra::peername>(), peer) << "is remembered";
        EXPECT_FALSE(t.get_extra<extra::sockname>().has_value());
        EXPECT_FALSE(t.get_extra<extra::socket>().has_value());
    });
}

TEST_P(Extra, WhatHasNoNameHasNone) {
    run_io([this]() -> coro<> {
        const auto ends = world().socket_pair();
        auto [t, p] = co_await loop().connect_accepted_socket([] { return std::make_shared<recorder>(); }, ends[0]);
        EXPECT_FALSE(t->get_extra<extra::peername>().has_value());
        EXPECT_FALSE(t->get_extra<extra::sockname>().has_value());
        EXPECT_EQ(t->get_extra<extra::socket>(), ends[0]);
        t->close();
        co_await p->over.wait();
        world().close(ends[1]);
    });
}

TEST_P(ExtraOfTheKernel, OfADatagramSocket) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().create_datagram_endpoint([] { return std::make_shared<datagram_protocol>(); },
                                                               {.local_address = address("127.0.0.1", 0)});
        EXPECT_EQ(t->get_extra<extra::sockname>(), t->local_address());
        EXPECT_EQ(t->get_extra<extra::socket>(), t->fd());
        EXPECT_FALSE(t->get_extra<extra::peername>().has_value());
        EXPECT_FALSE(t->get_extra<extra::pipe>().has_value());
        t->close();
    });
}

struct queued {
    using type = std::size_t;
    static std::optional<type> of(const base_transport& t) {
        const auto* stream = dynamic_cast<const transport*>(&t);
        return stream ? std::optional(stream->get_write_buffer_size()) : std::nullopt;
    }
};

TEST_P(Extra, ATagMayBeOnesOwn) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        EXPECT_EQ(p.client.writer.get_extra<queued>(), 0u);
        stream_writer elsewhere = std::move(p.client.writer);
        EXPECT_FALSE(p.client.writer.get_extra<queued>().has_value()) << "moved from";
    });
}

class WriterTransport : public test::io_test {};
RONDO_IN_EACH_WORLD(WriterTransport);

/// Of the kernel: a process.
class WriterTransportOfAProcess : public WriterTransport {};
RONDO_ON_EACH_BACKEND(WriterTransportOfAProcess);

TEST_P(WriterTransport, SetsTheLimitsThatTheWriterWaitsFor) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        transport& t = p.client.writer.transport();
        t.set_write_buffer_limits({.high = 0});
        EXPECT_EQ(t.get_write_buffer_limits(), std::make_pair(std::size_t{0}, std::size_t{0}));
        const std::string sent = pattern(10'000'000);
        p.client.writer.write_nowait(sent);
        EXPECT_GT(t.get_write_buffer_size(), 0u);
        auto drained = create_task([&]() -> coro<> { co_await p.client.writer.drain(); });
        co_await pass_by(70);
        EXPECT_FALSE(drained.done());
        EXPECT_TRUE(co_await p.server.reader.read_exactly(sent.size()) == sent);
        co_await drained;
        EXPECT_EQ(t.get_write_buffer_size(), 0u);
    });
}

TEST_P(WriterTransport, WritesAndEndsAsTheWriterDoes) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        transport& t = p.client.writer.transport();
        t.write("hello");
        EXPECT_TRUE(t.can_write_eof());
        t.write_eof();
        EXPECT_THROW(t.write("more"), runtime_error);
        EXPECT_TRUE(co_await p.server.reader.read_all() == "hello");
        EXPECT_FALSE(t.is_closing());
        t.close();
        EXPECT_TRUE(p.client.writer.is_closing());
        co_await p.client.writer.wait_closed();
        EXPECT_EQ(t.fd(), -1);
    });
}

TEST_P(WriterTransport, PausesWhatIsReceivedForTheReader) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        transport& t = p.client.writer.transport();
        EXPECT_TRUE(t.is_reading());
        t.pause_reading();
        EXPECT_FALSE(t.is_reading());
        co_await pass_by(10);
        co_await p.server.writer.write("first");
        auto reading = create_task([&]() -> coro<bytes> { co_return co_await p.client.reader.read_exactly(12); });
        co_await pass_by(70);
        co_await p.server.writer.write(", later");
        co_await pass_by(70);
        EXPECT_FALSE(reading.done());
        t.resume_reading();
        EXPECT_TRUE(co_await reading == "first, later");
    });
}

TEST_P(WriterTransport, HasNoProtocol) {
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        transport& t = p.client.writer.transport();
        EXPECT_EQ(t.get_protocol(), nullptr);
        EXPECT_THROW(t.set_protocol(std::make_shared<recorder>()), runtime_error);
        EXPECT_THROW(t.set_protocol(nullptr), runtime_error);
    });
}

TEST_P(WriterTransportOfAProcess, OfAProcessIsItsPipe) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe, .out = stdio::pipe});
        transport& t = p.in->transport();
        EXPECT_EQ(p.in->get_extra<extra::pipe>(), t.fd());
        EXPECT_FALSE(p.in->get_extra<extra::socket>().has_value());
        t.write("through the pipe");
        t.write_eof();
        EXPECT_EQ(co_await p.out->read_all(), "through the pipe");
        EXPECT_EQ(co_await p.wait(), 0);
    });
}

class OwnedDescriptor : public test::io_test {
protected:
    void expect_refused(int fd) {
        for (const bool for_writing : {false, true}) {
            try {
                if (for_writing) loop().add_writer(fd, [] {});
                else loop().add_reader(fd, [] {});
                ADD_FAILURE() << "was not refused";
            } catch (const runtime_error& e) {
                EXPECT_NE(std::string(e.what()).find("belongs to a transport"), std::string::npos) << e.what();
            }
        }
    }
};
RONDO_IN_EACH_WORLD(OwnedDescriptor);

/// Of the kernel: datagrams and processes.
class OwnedDescriptorInTheKernel : public OwnedDescriptor {};
RONDO_ON_EACH_BACKEND(OwnedDescriptorInTheKernel);

TEST_P(OwnedDescriptor, OfAStreamCannotBeWatched) {
    run_io([this]() -> coro<> {
        auto p = co_await protocol_pair();
        expect_refused(p.transport->fd());
        expect_refused(p.peer.writer.transport().fd());
    });
}

TEST_P(OwnedDescriptorInTheKernel, OfADatagramEndpointCannotBeWatchedUntilItIsLost) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().create_datagram_endpoint([] { return std::make_shared<datagram_protocol>(); },
                                                               {.local_address = address("127.0.0.1", 0)});
        const int fd = t->fd();
        expect_refused(fd);
        t->close();
        while (t->fd() >= 0) co_await yield();
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        EXPECT_EQ(::dup2(ends[0], fd), fd);
        loop().add_reader(fd, [] {});
        EXPECT_TRUE(loop().remove_reader(fd));
        for (const int each : {ends[0], ends[1], fd}) ::close(each);
    });
}

TEST_P(OwnedDescriptorInTheKernel, OfAPipeOfAProcessCannotBeWatched) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec([] { return std::make_shared<subprocess_protocol>(); }, {"cat"},
                                                      {.in = stdio::pipe, .out = stdio::pipe});
        expect_refused(t->get_pipe_transport(0)->fd());
        expect_refused(t->get_pipe_transport(1)->fd());
        t->close();
    });
}

} // namespace
} // namespace rondo
