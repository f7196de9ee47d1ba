// Pipes with a protocol: connect_read_pipe and connect_write_pipe.
#include "io/protocol_kit.hpp"
#include "support/temporary_directory.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

namespace rondo {
namespace {

using test::calls;
using test::pass_by;
using test::pattern;
using test::recorder;

class PipeProtocol : public test::io_test {};
RONDO_IN_EACH_WORLD(PipeProtocol);

auto recorders() {
    return [] { return std::make_shared<recorder>(); };
}

TEST_P(PipeProtocol, DataGoesThroughWholeThenTheEnd) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [rt, r] = co_await loop().connect_read_pipe(recorders(), ends[0]);
        auto [wt, w] = co_await loop().connect_write_pipe(recorders(), ends[1]);
        const std::string sent = pattern(1'000'000);
        wt->write(sent);
        wt->write("the end");
        EXPECT_EQ(w->calls, (calls{"made", "pause"}));
        wt->write_eof();
        co_await r->over.wait();
        co_await w->over.wait();
        EXPECT_TRUE(r->data == sent + "the end");
        EXPECT_EQ(r->calls, (calls{"made", "data", "eof", "lost"}));
        EXPECT_EQ(w->calls, (calls{"made", "pause", "resume", "lost"}));
        EXPECT_EQ(r->error, nullptr);
        EXPECT_EQ(w->error, nullptr);
        EXPECT_EQ(rt->fd(), -1);
    });
}

TEST_P(PipeProtocol, TheWriterIsToldThatNobodyReadsAnyMore) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [t, p] = co_await loop().connect_write_pipe(recorders(), ends[1]);
        world().close(ends[0]);
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "lost"}));
        EXPECT_EQ(p->error, nullptr);
        t->write("ignored");
    });
}

TEST_P(PipeProtocol, WhatNobodyReadIsABrokenPipe) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [t, p] = co_await loop().connect_write_pipe(recorders(), ends[1]);
        t->write(std::string(1'000'000, 'x'));
        co_await pass_by(70);
        world().close(ends[0]);
        co_await p->over.wait();
        EXPECT_TRUE(detail::exception_cast<broken_pipe_error>(p->error));
    });
}

TEST_P(PipeProtocol, ReadingCanBePausedAndTheEndWaitsForItToo) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [t, p] = co_await loop().connect_read_pipe(recorders(), ends[0]);
        t->pause_reading();
        EXPECT_EQ(world().write(ends[1], "hello"), 5);
        world().close(ends[1]);
        co_await pass_by(100);
        EXPECT_EQ(p->calls, calls{"made"});
        t->resume_reading();
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "data", "eof", "lost"}));
    });
}

TEST_P(PipeProtocol, CloseOfAPausedOneWhoseOtherEndIsGoneIsTold) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [t, p] = co_await loop().connect_read_pipe(recorders(), ends[0]);
        co_await pass_by(3);
        t->pause_reading();
        world().close(ends[1]);
        co_await pass_by(100);
        t->close();
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "lost"}));
    });
}

TEST_P(PipeProtocol, AReadingEndCannotBeWrittenTo) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [t, p] = co_await loop().connect_read_pipe(recorders(), ends[0]);
        EXPECT_FALSE(t->can_write_eof());
        EXPECT_THROW(t->write("x"), runtime_error);
        EXPECT_THROW(t->write_eof(), runtime_error);
        t->close();
        co_await p->over.wait();
        world().close(ends[1]);
    });
}

TEST_P(PipeProtocol, SocketsWillDo) {
    run_io([this]() -> coro<> {
        const auto ends = world().socket_pair();
        auto [rt, r] = co_await loop().connect_read_pipe(recorders(), ends[0]);
        auto [wt, w] = co_await loop().connect_write_pipe(recorders(), ends[1]);
        wt->write("over a socket");
        co_await r->has(13);
        rt->close();
        co_await w->over.wait();
    });
}

/// Of the kernel: what kinds of descriptors there are, and their flags.
class DescriptorsAsPipes : public test::io_test {};
RONDO_ON_EACH_BACKEND(DescriptorsAsPipes);

TEST_P(DescriptorsAsPipes, DoNotBlockAnyMore) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [rt, r] = co_await loop().connect_read_pipe(recorders(), ends[0]);
        auto [wt, w] = co_await loop().connect_write_pipe(recorders(), ends[1]);
        EXPECT_EQ(::fcntl(ends[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        EXPECT_EQ(::fcntl(ends[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        wt->close();
        co_await r->over.wait();
        co_await w->over.wait();
    });
}

TEST_P(DescriptorsAsPipes, ACharacterDeviceWillDo) {
    run_io([this]() -> coro<> {
        auto [nt, n] = co_await loop().connect_write_pipe(recorders(), ::open("/dev/null", O_WRONLY | O_CLOEXEC));
        nt->write("gone");
        co_await pass_by(70);
        EXPECT_EQ(n->calls, calls{"made"});
        nt->close();
        co_await n->over.wait();
        EXPECT_EQ(n->error, nullptr);
    });
}

TEST_P(DescriptorsAsPipes, AFileIsAValueErrorAndLeftAlone) {
    run_io([this]() -> coro<> {
        const test::temporary_directory folder;
        for (const int file : {::open((folder / "regular").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                               ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)}) {
            EXPECT_TRUE((co_await as_result(loop().connect_read_pipe(recorders(), file))).holds<value_error>());
            EXPECT_TRUE((co_await as_result(loop().connect_write_pipe(recorders(), file))).holds<value_error>());
            EXPECT_EQ(::fcntl(file, F_GETFL) & O_NONBLOCK, 0);
            EXPECT_EQ(::close(file), 0);
        }
        EXPECT_TRUE((co_await as_result(loop().connect_read_pipe(recorders(), -1))).holds<value_error>());
    });
}

} // namespace
} // namespace rondo
