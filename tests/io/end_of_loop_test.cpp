// Streams, servers and processes when their loop ends.
#include "io/protocol_kit.hpp"

#include "support/manual_clock.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;
using test::pattern;

/// Of the kernel: peers in threads, which block.
class StreamsAtTheEnd : public test::io_test {};
RONDO_ON_EACH_BACKEND(StreamsAtTheEnd);

/// A listening socket that the loop has no part in.
class raw_listener {
public:
    raw_listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        ::sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(fd_, reinterpret_cast<const ::sockaddr*>(&at), sizeof at);
        ::listen(fd_, 1);
        ::socklen_t size = sizeof at;
        ::getsockname(fd_, reinterpret_cast<::sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
    }
    ~raw_listener() { ::close(fd_); }
    raw_listener(const raw_listener&) = delete;
    raw_listener& operator=(const raw_listener&) = delete;
    std::uint16_t port() const noexcept { return port_; }
    /// What the next connection brings, up to its end.
    std::string everything() const {
        const int fd = ::accept(fd_, nullptr, nullptr);
        std::string all;
        std::array<char, 65536> some{};
        for (long n = 0; (n = ::recv(fd, some.data(), some.size(), 0)) > 0;)
            all.append(some.data(), static_cast<std::size_t>(n));
        ::close(fd);
        return all;
    }

private:
    int fd_;
    std::uint16_t port_ = 0;
};

TEST_P(StreamsAtTheEnd, ATransportThatOutlivesItsLoopDoesNothing) {
    std::shared_ptr<transport> left;
    std::shared_ptr<test::recorder> told;
    run_io([&]() -> coro<> {
        auto p = co_await test::protocol_pair();
        p.transport->pause_reading();
        p.transport->write(std::string(10'000'000, 'x'));
        EXPECT_EQ(p.protocol->calls, (test::calls{"made", "pause"}));
        left = p.transport;
        told = p.protocol;
    });
    end_loop();
    EXPECT_EQ(told->calls.back(), "lost");
    const test::calls all = told->calls;
    left->resume_reading();
    left->pause_reading();
    left->set_write_buffer_limits({.high = 0});
    left->set_write_buffer_limits();
    left->write("x");
    left->write_eof();
    left->set_protocol(std::make_shared<test::recorder>());
    left->close();
    left->abort();
    EXPECT_EQ(left->get_protocol(), nullptr);
    EXPECT_EQ(left->fd(), -1);
    EXPECT_TRUE(left->is_closing());
    EXPECT_FALSE(left->is_reading());
    EXPECT_EQ(left->local_address(), address());
    EXPECT_FALSE(left->get_extra<extra::socket>().has_value());
    EXPECT_EQ(told->calls, all);
}

TEST_P(StreamsAtTheEnd, WhatWasWrittenLastIsStillSent) {
    const raw_listener peer;
    run_io([&]() -> coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", peer.port());
        co_await writer.write("last words");
    });
    end_loop();
    EXPECT_EQ(peer.everything(), "last words");
}

TEST_P(StreamsAtTheEnd, HandlesThatOutliveTheLoopAreLostAndHarmless) {
    std::optional<test::pair_of_streams> left;
    std::optional<server> serving;
    run_io([&]() -> coro<> {
        left = co_await test::connected_pair();
        serving = co_await start_server([](stream_reader, stream_writer) {}, "127.0.0.1", 0);
    });
    end_loop();
    EXPECT_TRUE(left->client.writer.is_closing());
    EXPECT_FALSE(serving->is_serving());
    left->client.writer.close();
    left->client.writer.write_nowait("x");
    serving->close();
}

TEST_P(StreamsAtTheEnd, HandlersAreCancelledAndTheirPeersSeeTheEnd) {
    const raw_listener peer;
    bool cancelled = false;
    run_io([&]() -> coro<> {
        auto s = co_await start_server(
            [&](stream_reader reader, stream_writer) -> coro<> {
                const auto r = co_await as_result(reader.read(1));
                cancelled = r.cancelled();
                r.value();
            },
            "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        co_await pass_by(70);
        spawn(
            [](stream_reader r, stream_writer w, std::uint16_t port) -> coro<> {
                auto [to_reader, to_writer] = co_await open_connection("127.0.0.1", port);
                static_cast<void>(co_await as_result(r.read_all())); // until the end of the loop
                co_await to_writer.write("ended");                   // cleanup still has a loop
                w.close();
            },
            std::move(reader), std::move(writer), peer.port());
        co_await pass_by(70);
    });
    end_loop();
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(peer.everything(), "ended");
}

class StreamsAtASlowEnd : public test::io_test {
protected:
    /// Each look at the clock is a moment later: what waits for time gets it, and what does not is not given more.
    class hurrying_clock final : public test::forwarding_backend {
    public:
        hurrying_clock(std::unique_ptr<detail::backend> real, const bool& hurries)
            : forwarding_backend(std::move(real)), now_(forwarding_backend::now()), hurries_(hurries) {}
        time_point now() const noexcept override { return now_; }
        void wait(time_point until) noexcept override {
            forwarding_backend::wait(hurries_ || until <= now_ ? time_point::min() : time_point::max());
            if (hurries_) now_ += 1ms;
        }

    private:
        time_point now_;
        const bool& hurries_;
    };
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<hurrying_clock>(kind, hurries);
    }
    bool hurries = false;
};
RONDO_ON_EACH_BACKEND(StreamsAtASlowEnd);

TEST_P(StreamsAtASlowEnd, APeerThatDoesNotReadKeepsItForASecond) {
    const raw_listener peer;
    run_io([&]() -> coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", peer.port());
        writer.write_nowait(pattern(50'000'000)); // more than the kernel takes
    });
    const time_point before = loop().time();
    time_point after{};
    class last_service final : public detail::loop_service {
    public:
        explicit last_service(time_point& t) : ended(t) {}
        void close(event_loop& l, detail::closing step) noexcept override {
            if (step == detail::closing::frames) ended = l.time();
        }
        time_point& ended;
    };
    static constexpr char key = 0;
    detail::loop_access::add_service(loop(), &key, std::make_unique<last_service>(after));
    hurries = true;
    end_loop();
    EXPECT_GE(after - before, 1s);
    EXPECT_LT(after - before, 2s);
}

} // namespace
} // namespace rondo
