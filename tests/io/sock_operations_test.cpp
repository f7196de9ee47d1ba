// Sockets by their descriptors: event_loop::sock_recv and its kin.
#include "io/io_test.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;
using test::pattern;

class SockOperations : public test::io_test {};
RONDO_ON_EACH_BACKEND(SockOperations);

class descriptor {
public:
    explicit descriptor(int fd = -1) noexcept : fd_(fd) { EXPECT_GE(fd, 0); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { ::close(fd_); }
    operator int() const noexcept { return fd_; }

private:
    int fd_;
};

int new_socket(int type, int family = AF_INET) { return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

struct socket_pair {
    socket_pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0); }
    ~socket_pair() {
        for (const int fd : fds) ::close(fd);
    }
    int fds[2]{};
};

address bind_to_loopback(int fd) {
    ::sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof a;
    EXPECT_EQ(::bind(fd, reinterpret_cast<const ::sockaddr*>(&a), size), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<::sockaddr*>(&a), &size), 0);
    return address("127.0.0.1", ntohs(a.sin_port));
}

TEST_P(SockOperations, ConnectAcceptSendAndReceive) {
    run_io([this]() -> coro<> {
        const descriptor listening(new_socket(SOCK_STREAM));
        const address where = bind_to_loopback(listening);
        EXPECT_EQ(::listen(listening, 1), 0);
        auto accepting =
            create_task([&]() -> coro<std::pair<int, address>> { co_return co_await loop().sock_accept(listening); });
        const descriptor client(new_socket(SOCK_STREAM));
        co_await loop().sock_connect(client, where);
        auto [accepted, peer] = co_await accepting;
        const descriptor server(accepted);
        EXPECT_EQ(::fcntl(server, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        EXPECT_EQ(::fcntl(server, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        EXPECT_EQ(peer.ip(), "127.0.0.1");
        co_await loop().sock_sendall(client, "hello");
        EXPECT_EQ((co_await loop().sock_recv(server, 100)).str(), "hello");
        ::shutdown(client, SHUT_WR);
        EXPECT_EQ((co_await loop().sock_recv(server, 100)).str(), "");
    });
}

TEST_P(SockOperations, RecvIntoGivesACountAndWaitsForTheFirstByte) {
    run_io([this]() -> coro<> {
        socket_pair s;
        std::array<std::byte, 4> room{};
        auto receiving =
            create_task([&]() -> coro<std::size_t> { co_return co_await loop().sock_recv_into(s.fds[0], room); });
        co_await pass_by(70);
        EXPECT_FALSE(receiving.done());
        EXPECT_EQ(::send(s.fds[1], "abcdefgh", 8, 0), 8);
        EXPECT_EQ(co_await receiving, 4u);
        EXPECT_EQ(bytes_view(std::span<const std::byte>(room)).view(), "abcd");
        EXPECT_EQ((co_await loop().sock_recv(s.fds[0], 2)).str(), "ef");
    });
}

TEST_P(SockOperations, SendallSendsAllHoweverSlowTheReader) {
    run_io([this]() -> coro<> {
        socket_pair s;
        const std::string sent = pattern(5'000'000);
        auto sending = create_task([&]() -> coro<> {
            co_await loop().sock_sendall(s.fds[0], sent);
            ::shutdown(s.fds[0], SHUT_WR);
        });
        std::string received;
        for (;;) {
            const bytes part = co_await loop().sock_recv(s.fds[1], 30'000);
            if (part.empty()) break;
            received += part.view();
        }
        co_await sending;
        EXPECT_TRUE(received == sent);
    });
}

TEST_P(SockOperations, DatagramsComeWithTheirSenders) {
    run_io([this]() -> coro<> {
        const descriptor a(new_socket(SOCK_DGRAM));
        const descriptor b(new_socket(SOCK_DGRAM));
        const address at_a = bind_to_loopback(a);
        const address at_b = bind_to_loopback(b);
        EXPECT_EQ(co_await loop().sock_sendto(a, "one", at_b), 3u);
        EXPECT_EQ(co_await loop().sock_sendto(a, "", at_b), 0u);
        auto [data, from] = co_await loop().sock_recvfrom(b, 100);
        EXPECT_EQ(data.str(), "one");
        EXPECT_EQ(from, at_a);
        EXPECT_TRUE((co_await loop().sock_recvfrom(b, 100)).first.empty());
    });
}

TEST_P(SockOperations, RecvfromIntoFillsTheBufferAsFarAsItIsAskedTo) {
    run_io([this]() -> coro<> {
        const descriptor a(new_socket(SOCK_DGRAM));
        const descriptor b(new_socket(SOCK_DGRAM));
        const address at_a = bind_to_loopback(a);
        const address at_b = bind_to_loopback(b);
        std::array<std::byte, 4> room{};
        const auto text = [&](std::size_t n) {
            return std::string(bytes_view(std::span<const std::byte>(room).first(n)).view());
        };
        for (const char* data : {"abcdefgh", "ijklmnop", "qr"}) co_await loop().sock_sendto(a, data, at_b);
        auto [whole, sender] = co_await loop().sock_recvfrom_into(b, room);
        EXPECT_EQ(text(whole), "abcd"); // the rest of the datagram is lost, as in recvfrom(2)
        EXPECT_EQ(sender, at_a);
        EXPECT_EQ(text((co_await loop().sock_recvfrom_into(b, room, 2)).first), "ij");
        EXPECT_EQ(text((co_await loop().sock_recvfrom_into(b, room, 4)).first), "qr");
        co_await loop().sock_sendto(a, "still there", at_b);
        EXPECT_TRUE((co_await as_result(loop().sock_recvfrom_into(b, room, 5))).holds<value_error>());
        EXPECT_EQ(text((co_await loop().sock_recvfrom_into(b, room, 0)).first), "stil");
    });
}

TEST_P(SockOperations, ErrorsNameTheOperation) {
    run_io([this]() -> coro<> {
        const auto r = co_await as_result(loop().sock_recv(-1, 1));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::bad_file_descriptor);
        EXPECT_TRUE(e && std::string(e->what()).find("sock_recv") != std::string::npos);
        const descriptor client(new_socket(SOCK_STREAM));
        address nobody;
        {
            const descriptor gone(new_socket(SOCK_STREAM));
            nobody = bind_to_loopback(gone);
        }
        EXPECT_TRUE((co_await as_result(loop().sock_connect(client, nobody))).holds<connection_refused_error>());
        socket_pair s;
        ::shutdown(s.fds[0], SHUT_WR);
        EXPECT_TRUE((co_await as_result(loop().sock_sendall(s.fds[0], "x"))).holds<broken_pipe_error>());
    });
}

TEST_P(SockOperations, ACancelledOneTakesNothingAndTheNextWorks) {
    run_io([this]() -> coro<> {
        socket_pair s;
        for (int i = 0; i < 20; ++i) {
            auto receiving = create_task([&]() -> coro<bytes> { co_return co_await loop().sock_recv(s.fds[0], 10); });
            co_await pass_by(i % 3);
            receiving.cancel();
            EXPECT_TRUE((co_await as_result(receiving)).holds<cancelled_error>());
            EXPECT_EQ(::send(s.fds[1], "x", 1, 0), 1);
            EXPECT_EQ((co_await loop().sock_recv(s.fds[0], 10)).str(), "x");
        }
    });
}

TEST_P(SockOperations, BytesThatHadComeWhenItWasCancelledAreNotLostAndNeitherIsTheCancellation) {
    run_io([this]() -> coro<> {
        for (int i = 0; i < 6; ++i) {
            socket_pair s;
            std::string got;
            bool cancelled = false;
            auto receiving = create_task([&]() -> coro<> {
                try {
                    got = (co_await loop().sock_recv(s.fds[0], 10)).str();
                    co_await sleep_forever();
                } catch (const cancelled_error&) {
                    cancelled = true;
                    throw;
                }
            });
            co_await pass_by(3);
            EXPECT_EQ(::send(s.fds[1], "x", 1, 0), 1);
            co_await pass_by(i);
            receiving.cancel();
            EXPECT_TRUE((co_await as_result(receiving)).holds<cancelled_error>());
            EXPECT_TRUE(cancelled);
            char left = 0;
            const bool in_the_socket = ::recv(s.fds[0], &left, 1, MSG_DONTWAIT) == 1;
            EXPECT_NE(got == "x", in_the_socket) << "after " << i << " passes";
        }
    });
}

TEST_P(SockOperations, ATaskThatIsCancelledAlreadyBeginsNothing) {
    run_io([this]() -> coro<> {
        socket_pair s;
        EXPECT_EQ(::send(s.fds[1], "x", 1, 0), 1);
        auto receiving = create_task([&]() -> coro<bytes> {
            static_cast<void>(current_task().cancel());
            co_return co_await loop().sock_recv(s.fds[0], 10);
        });
        EXPECT_TRUE((co_await as_result(receiving)).holds<cancelled_error>());
        EXPECT_EQ((co_await loop().sock_recv(s.fds[0], 10)).str(), "x");
    });
}

TEST_P(SockOperations, DebugModeRefusesABlockingSocketEverywhere) {
    run_io([this]() -> coro<> {
        const descriptor blocking(::socket(AF_INET, SOCK_STREAM, 0));
        std::array<std::byte, 1> room{};
        const address to("127.0.0.1", 1);
        const auto refused = [](auto operation) -> coro<bool> {
            co_return (co_await as_result(std::move(operation))).template holds<value_error>();
        };
        loop().set_debug(true);
        EXPECT_TRUE(co_await refused(loop().sock_recv(blocking, 1)));
        EXPECT_TRUE(co_await refused(loop().sock_recv_into(blocking, room)));
        EXPECT_TRUE(co_await refused(loop().sock_recvfrom(blocking, 1)));
        EXPECT_TRUE(co_await refused(loop().sock_recvfrom_into(blocking, room)));
        EXPECT_TRUE(co_await refused(loop().sock_sendall(blocking, "x")));
        EXPECT_TRUE(co_await refused(loop().sock_sendto(blocking, "x", to)));
        EXPECT_TRUE(co_await refused(loop().sock_connect(blocking, to)));
        EXPECT_TRUE(co_await refused(loop().sock_accept(blocking)));
        EXPECT_TRUE(co_await refused(loop().sock_sendfile(blocking, 0)));
        loop().set_debug(false);
        EXPECT_TRUE((co_await as_result(loop().sock_connect(blocking, to))).holds<connection_refused_error>());
    });
}

TEST_P(SockOperations, AnotherLoopsIsARuntimeError) {
    event_loop other;
    run_io([&]() -> coro<> { EXPECT_TRUE((co_await as_result(other.sock_recv(0, 1))).holds<runtime_error>()); });
}

} // namespace
} // namespace rondo
