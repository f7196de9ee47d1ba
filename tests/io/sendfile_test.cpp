// sock_sendfile() and sendfile(): files on sockets and transports.
#include "io/io_test.hpp"
#include "io/protocol_kit.hpp"
#include "io/socket_pair.hpp"
#include "loop/backend/backend.hpp"
#include "support/forwarding_backend.hpp"
#include "support/temporary_directory.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <netinet/in.h>

namespace rondo {
namespace {

using test::pass_by;
using test::pattern;
using test::unix_pair;

// More than the kernel's buffers of both ends of a loopback connection hold.
constexpr std::size_t more_than_the_kernel_takes = 64'000'000;

/// Counts sendfile operations, and answers them as the test says.
struct sendfile_script {
    int calls = 0;
    std::int64_t refuse_with = 0; // not 0: what each one gives
};

class scripted_sendfile final : public test::forwarding_backend {
public:
    scripted_sendfile(std::unique_ptr<detail::backend> real, sendfile_script& script)
        : forwarding_backend(std::move(real)), script_(script) {}
    bool submit(detail::operation& op) noexcept override {
        if (op.kind != detail::operation_kind::sendfile) return forwarding_backend::submit(op);
        ++script_.calls;
        if (script_.refuse_with == 0) return forwarding_backend::submit(op);
        op.result = script_.refuse_with;
        return true;
    }

private:
    sendfile_script& script_;
};

/// Of the kernel: sendfile(2).
class Sendfile : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<scripted_sendfile>(kind, script);
    }
    /// An open file with these contents.
    int file_with(std::string_view text) {
        test::put(directory / "file", text);
        file_ = unique_fd(::open((directory / "file").c_str(), O_RDONLY | O_CLOEXEC));
        EXPECT_TRUE(static_cast<bool>(file_));
        return file_.get();
    }
    static std::size_t position(int file) { return static_cast<std::size_t>(::lseek(file, 0, SEEK_CUR)); }
    coro<std::string> receive(int fd, std::size_t n) {
        std::string all;
        while (all.size() < n) {
            const bytes part = co_await loop().sock_recv(fd, n - all.size());
            if (part.empty()) break;
            all += part.view();
        }
        co_return all;
    }

    test::temporary_directory directory;
    sendfile_script script;

private:
    unique_fd file_;
};
RONDO_ON_EACH_BACKEND(Sendfile);

TEST_P(Sendfile, SendsTheWholeFileByTheKernelAndGivesItsSize) {
    run_io([this]() -> coro<> {
        unix_pair s;
        const std::string text = pattern(5'000'000);
        const int file = file_with(text);
        auto receiving = create_task([&]() -> coro<std::string> { return receive(s[1], text.size()); });
        EXPECT_EQ(co_await loop().sock_sendfile(s[0], file), text.size());
        EXPECT_TRUE(co_await receiving == text);
        EXPECT_EQ(position(file), text.size());
        EXPECT_GT(script.calls, 5);
    });
}

TEST_P(Sendfile, BeginsAtTheOffsetEndsAfterTheCountAndLeavesThePositionBehindIt) {
    run_io([this]() -> coro<> {
        unix_pair s;
        const int file = file_with("0123456789");
        EXPECT_EQ(co_await loop().sock_sendfile(s[0], file, {.offset = 2, .count = 5}), 5u);
        EXPECT_EQ((co_await loop().sock_recv(s[1], 100)).view(), "23456");
        EXPECT_EQ(position(file), 7u);
        EXPECT_EQ(co_await loop().sock_sendfile(s[0], file, {.offset = 8, .count = 100}), 2u);
        EXPECT_EQ(position(file), 10u);
        EXPECT_EQ(co_await loop().sock_sendfile(s[0], file, {.offset = 20}), 0u);
        EXPECT_EQ(position(file), 20u);
    });
}

TEST_P(Sendfile, WithoutTheKernelsHelpItReadsAndSends) {
    script.refuse_with = -EINVAL;
    run_io([this]() -> coro<> {
        unix_pair s;
        const std::string text = pattern(3'000'000);
        const int file = file_with(text);
        auto receiving = create_task([&]() -> coro<std::string> { return receive(s[1], text.size() - 1'000'001); });
        EXPECT_EQ(co_await loop().sock_sendfile(s[0], file, {.offset = 1'000'000, .count = 1'999'999}), 1'999'999u);
        EXPECT_TRUE(co_await receiving == text.substr(1'000'000, 1'999'999));
        EXPECT_EQ(position(file), 2'999'999u);
        EXPECT_EQ(script.calls, 1);
    });
}

TEST_P(Sendfile, WithoutItAndWithoutAFallbackItIsNotAvailableAndNothingIsSent) {
    script.refuse_with = -EINVAL;
    run_io([this]() -> coro<> {
        unix_pair s;
        const int file = file_with("text");
        const auto r = co_await as_result(loop().sock_sendfile(s[0], file, {.offset = 1, .fallback = false}));
        EXPECT_TRUE(r.holds<sendfile_not_available_error>());
        EXPECT_EQ(position(file), 1u);
        char left = 0;
        EXPECT_LT(::recv(s[1], &left, 1, MSG_DONTWAIT), 0);
    });
}

TEST_P(Sendfile, AnErrorInTheMiddleNamesTheCallAndTheFilesPositionSaysHowFarItCame) {
    run_io([this]() -> coro<> {
        unix_pair s;
        const std::string text = pattern(more_than_the_kernel_takes);
        const int file = file_with(text);
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sock_sendfile(s[0], file); });
        const std::string received = co_await receive(s[1], 1'000'000);
        EXPECT_TRUE(received == text.substr(0, received.size()));
        s.close(1);
        const auto r = co_await as_result(sending);
        EXPECT_TRUE(r.holds<broken_pipe_error>() || r.holds<connection_reset_error>());
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find("sock_sendfile") != std::string::npos);
        EXPECT_GE(position(file), received.size());
        EXPECT_LT(position(file), text.size());
    });
}

TEST_P(Sendfile, ABrokenConnectionRaisesNoSigpipe) {
    const auto before = std::signal(SIGPIPE, SIG_DFL); // would end the process
    run_io([this]() -> coro<> {
        unix_pair s;
        const int file = file_with("text");
        s.close(1);
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(s[0], file))).holds<broken_pipe_error>());
        ::sigset_t pending;
        ::sigpending(&pending);
        EXPECT_FALSE(::sigismember(&pending, SIGPIPE));
    });
    std::signal(SIGPIPE, before);
}

TEST_P(Sendfile, CancelledItLeavesThePositionBehindWhatWasSentAndTheSocketUsable) {
    for (const std::int64_t how : {0, -EINVAL}) {
        script.refuse_with = how;
        run_io([this]() -> coro<> {
            unix_pair s;
            const std::string text = pattern(more_than_the_kernel_takes);
            const int file = file_with(text);
            auto sending = create_task([&]() -> coro<std::size_t> { return loop().sock_sendfile(s[0], file); });
            std::string received = co_await receive(s[1], 400'000);
            sending.cancel();
            const auto r = co_await as_result(sending);
            EXPECT_TRUE(r.cancelled());
            co_await loop().sock_sendall(s[0], "");
            ::shutdown(s[0], SHUT_WR);
            received += co_await receive(s[1], text.size());
            EXPECT_EQ(received.size(), position(file));
            EXPECT_TRUE(received == text.substr(0, received.size()));
        });
    }
}

TEST_P(Sendfile, ChecksItsArgumentsAndTouchesNothing) {
    run_io([this]() -> coro<> {
        unix_pair s;
        const int file = file_with("text");
        ::lseek(file, 3, SEEK_SET);
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(s[0], file, {.count = 0}))).holds<value_error>());
        unix_pair datagrams(SOCK_DGRAM | SOCK_NONBLOCK);
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(datagrams[0], file))).holds<value_error>());
        unix_pair blocking(SOCK_STREAM);
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(blocking[0], file))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(file, file))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(-1, file))).holds<std::system_error>());
        EXPECT_EQ(position(file), 3u);
        EXPECT_TRUE((co_await as_result(loop().sock_sendfile(s[0], -1))).holds<std::system_error>());
        event_loop other;
        EXPECT_TRUE((co_await as_result(other.sock_sendfile(s[0], file))).holds<runtime_error>());
    });
}

// On transports

TEST_P(Sendfile, OnATransportItComesAfterWhatWasWrittenAndBeforeWhatIsWrittenNext) {
    for (const std::int64_t how : {0, -EINVAL}) {
        script.refuse_with = how;
        run_io([this]() -> coro<> {
            auto p = co_await test::protocol_pair();
            const std::string text = pattern(5'000'000);
            const int file = file_with(text);
            auto reading = create_task([&]() -> coro<bytes> { co_return co_await p.peer.reader.read_all(); });
            const std::string before = pattern(300'000);
            p.transport->write(before);
            EXPECT_EQ(co_await loop().sendfile(*p.transport, file, {.offset = 10}), text.size() - 10);
            EXPECT_EQ(position(file), text.size());
            p.transport->write("after");
            p.transport->close();
            const bytes all = co_await reading;
            EXPECT_TRUE(all.view() == before + text.substr(10) + "after");
        });
    }
}

TEST_P(Sendfile, WhileItGoesOnWritingIsARuntimeErrorAndReadingIsNot) {
    run_io([this]() -> coro<> {
        auto p = co_await test::protocol_pair();
        const std::string text = pattern(more_than_the_kernel_takes);
        const int file = file_with(text);
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(*p.transport, file); });
        EXPECT_EQ((co_await p.peer.reader.read_exactly(1000)).view(), text.substr(0, 1000));
        EXPECT_FALSE(sending.done());
        EXPECT_THROW(p.transport->write("x"), runtime_error);
        EXPECT_TRUE((co_await as_result(loop().sendfile(*p.transport, file))).holds<runtime_error>());
        co_await p.peer.writer.write("from the other side");
        co_await p.protocol->has(19);
        EXPECT_FALSE(sending.done());
        EXPECT_TRUE((co_await p.peer.reader.read_exactly(text.size() - 1000)).view() == text.substr(1000));
        EXPECT_EQ(co_await sending, text.size());
        p.transport->write("x");
        EXPECT_EQ((co_await p.peer.reader.read_exactly(1)).view(), "x");
    });
}

TEST_P(Sendfile, OnAWritersTransportWritingThroughTheWriterIsARuntimeErrorToo) {
    run_io([this]() -> coro<> {
        auto [here, there] = co_await test::connected_pair();
        const std::string text = pattern(more_than_the_kernel_takes);
        const int file = file_with(text);
        auto sending =
            create_task([&]() -> coro<std::size_t> { return loop().sendfile(here.writer.transport(), file); });
        EXPECT_EQ((co_await there.reader.read_exactly(1000)).view(), text.substr(0, 1000));
        EXPECT_TRUE((co_await as_result(here.writer.write("x"))).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(here.writer.write(std::string(100'000, 'x')))).holds<runtime_error>());
        EXPECT_THROW(here.writer.write_nowait("x"), runtime_error);
        EXPECT_TRUE((co_await there.reader.read_exactly(text.size() - 1000)).view() == text.substr(1000));
        EXPECT_EQ(co_await sending, text.size());
        co_await here.writer.write("x");
        EXPECT_EQ((co_await there.reader.read_exactly(1)).view(), "x");
    });
}

TEST_P(Sendfile, CloseDuringItComesAfterTheFile) {
    run_io([this]() -> coro<> {
        auto p = co_await test::protocol_pair();
        const std::string text = pattern(more_than_the_kernel_takes);
        const int file = file_with(text);
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(*p.transport, file); });
        EXPECT_EQ((co_await p.peer.reader.read_exactly(1)).view(), text.substr(0, 1));
        p.transport->close();
        EXPECT_TRUE((co_await p.peer.reader.read_all()).view() == text.substr(1));
        EXPECT_EQ(co_await sending, text.size());
        co_await p.protocol->over.wait();
        EXPECT_EQ(p.protocol->error, nullptr);
    });
}

TEST_P(Sendfile, AbortDuringItEndsItWithAnError) {
    for (const std::int64_t how : {0, -EINVAL}) {
        script.refuse_with = how;
        run_io([this]() -> coro<> {
            auto p = co_await test::protocol_pair();
            const std::string text = pattern(more_than_the_kernel_takes);
            const int file = file_with(text);
            auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(*p.transport, file); });
            co_await p.peer.reader.read_exactly(100'000);
            p.transport->abort();
            EXPECT_TRUE((co_await as_result(sending)).holds<connection_reset_error>());
            EXPECT_GE(position(file), 100'000u);
            EXPECT_LT(position(file), text.size());
            co_await p.protocol->over.wait();
            EXPECT_EQ(p.protocol->error, nullptr);
        });
    }
}

TEST_P(Sendfile, APeerThatGoesAwayEndsItWithAnErrorAndTheProtocolHearsOfIt) {
    run_io([this]() -> coro<> {
        auto p = co_await test::protocol_pair();
        const int file = file_with(pattern(more_than_the_kernel_takes));
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(*p.transport, file); });
        co_await p.peer.reader.read_exactly(1000);
        co_await p.peer.writer.aclose();
        const auto r = co_await as_result(sending);
        EXPECT_TRUE(r.holds<connection_error>());
        co_await p.protocol->over.wait();
    });
}

TEST_P(Sendfile, CancelledOnATransportTheConnectionGoesOn) {
    run_io([this]() -> coro<> {
        auto p = co_await test::protocol_pair();
        const std::string text = pattern(more_than_the_kernel_takes);
        const int file = file_with(text);
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(*p.transport, file); });
        const std::string first = (co_await p.peer.reader.read_exactly(1000)).str();
        sending.cancel();
        EXPECT_TRUE((co_await as_result(sending)).cancelled());
        p.transport->write("and more");
        p.transport->close();
        const std::string all = first + (co_await p.peer.reader.read_all()).str();
        EXPECT_TRUE(all == text.substr(0, position(file)) + "and more");
    });
}

TEST_P(Sendfile, CancelledWhileItWaitsItsTurnNothingOfItIsSent) {
    run_io([this]() -> coro<> {
        auto p = co_await test::protocol_pair();
        const int file = file_with("the file");
        const std::string before = pattern(more_than_the_kernel_takes);
        p.transport->write(before);
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(*p.transport, file); });
        co_await pass_by(5);
        sending.cancel();
        EXPECT_TRUE((co_await as_result(sending)).cancelled());
        p.transport->write("after");
        p.transport->close();
        EXPECT_TRUE((co_await p.peer.reader.read_all()).view() == before + "after");
    });
}

TEST_P(Sendfile, OfATransportThatIsClosingHasEndedOrIsAPipeIsARuntimeError) {
    run_io([this]() -> coro<> {
        const int file = file_with("text");
        auto p = co_await test::protocol_pair();
        EXPECT_TRUE((co_await as_result(loop().sendfile(*p.transport, file, {.count = 0}))).holds<value_error>());
        p.transport->write_eof();
        EXPECT_TRUE((co_await as_result(loop().sendfile(*p.transport, file))).holds<runtime_error>());
        p.transport->close();
        EXPECT_TRUE((co_await as_result(loop().sendfile(*p.transport, file))).holds<runtime_error>());
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        const unique_fd reading_end(ends[0]);
        auto [pipe, protocol] =
            co_await loop().connect_write_pipe([] { return std::make_shared<test::recorder>(); }, ends[1]);
        EXPECT_TRUE((co_await as_result(loop().sendfile(*pipe, file))).holds<runtime_error>());
        pipe->abort();
    });
}

TEST_P(Sendfile, ATransportWithoutTheFallbackIsNotAvailableWhereTheKernelCannot) {
    script.refuse_with = -EINVAL;
    run_io([this]() -> coro<> {
        auto p = co_await test::protocol_pair();
        const int file = file_with("text");
        const auto r = co_await as_result(loop().sendfile(*p.transport, file, {.fallback = false}));
        EXPECT_TRUE(r.holds<sendfile_not_available_error>());
        p.transport->write("still usable");
        EXPECT_EQ((co_await p.peer.reader.read_exactly(12)).view(), "still usable");
    });
}

/// A transport that is no socket's: what is written has room as the test says.
class other_transport final : public transport {
public:
    void close() override { closing = true; }
    void abort() override { closing = true; }
    bool is_closing() const noexcept override { return closing; }
    address peer_address() const override { return {}; }
    address local_address() const override { return {}; }
    int fd() const noexcept override { return -1; }
    void write(bytes_view data) override {
        written += data.view();
        largest = std::max(largest, data.size());
        buffered += data.size();
        if (buffered > 40'000 && !paused) {
            paused = true;
            to->pause_writing();
        }
        most = std::max(most, buffered);
    }
    void writelines(std::span<const bytes_view> pieces) override {
        for (const bytes_view& piece : pieces) write(piece);
    }
    void write_eof() override {}
    bool can_write_eof() const noexcept override { return false; }
    void set_write_buffer_limits(write_limits) override {}
    std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept override { return {10'000, 40'000}; }
    std::size_t get_write_buffer_size() const noexcept override { return buffered; }
    void pause_reading() override { reading = false; }
    void resume_reading() override { reading = true; }
    bool is_reading() const noexcept override { return reading; }
    void set_protocol(std::shared_ptr<protocol> p) override { to = std::move(p); }
    std::shared_ptr<protocol> get_protocol() const override { return to; }
    void drain() {
        buffered = 0;
        if (std::exchange(paused, false)) to->resume_writing();
    }

    std::shared_ptr<protocol> to;
    std::string written;
    std::size_t buffered = 0, most = 0, largest = 0;
    bool paused = false, closing = false, reading = true;
};

TEST_P(Sendfile, ATransportThatIsNoSocketsGetsThePiecesByWriteAsItHasRoom) {
    run_io([this]() -> coro<> {
        const std::string text = pattern(500'000);
        const int file = file_with(text);
        const auto p = std::make_shared<test::recorder>();
        other_transport t;
        t.to = p;
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(t, file, {.offset = 1}); });
        while (!sending.done()) {
            co_await yield();
            if (t.paused) {
                EXPECT_FALSE(t.reading);
                t.drain();
            }
        }
        EXPECT_EQ(sending.result(), text.size() - 1);
        EXPECT_TRUE(t.written == text.substr(1));
        EXPECT_EQ(t.largest, 16'384u);
        EXPECT_LE(t.most, 40'000u + 16'384u);
        EXPECT_EQ(t.to, p);
        EXPECT_TRUE(t.reading);
        EXPECT_EQ(position(file), text.size());
        EXPECT_EQ(p->calls.front(), "pause"); // as without a file
        const auto r = co_await as_result(loop().sendfile(t, file, {.fallback = false}));
        EXPECT_TRUE(r.holds<sendfile_not_available_error>());
    });
}

TEST_P(Sendfile, ATransportThatIsNoSocketsAndIsLostEndsItWithItsError) {
    run_io([this]() -> coro<> {
        const int file = file_with(pattern(500'000));
        const auto p = std::make_shared<test::recorder>();
        other_transport t;
        t.to = p;
        auto sending = create_task([&]() -> coro<std::size_t> { return loop().sendfile(t, file); });
        while (!t.paused) co_await yield();
        t.to->connection_lost(detail::os_error(EPIPE, "gone"));
        EXPECT_TRUE((co_await as_result(sending)).holds<broken_pipe_error>());
        EXPECT_EQ(p->calls.back(), "lost");
        EXPECT_EQ(position(file), t.written.size());
    });
}

} // namespace
} // namespace rondo
