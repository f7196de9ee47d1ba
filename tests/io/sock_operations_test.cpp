// Sockets by their descriptors: event_loop::sock_recv and its kin.
#include "io/io_test.hpp"

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;
using test::pattern;

class SockOperations : public test::io_test {
protected:
    /// Closes itself.
    class descriptor {
    public:
        descriptor(const test::world_calls& w, int fd) noexcept : world_(w), fd_(fd) { EXPECT_GE(fd, 0); }
        descriptor(const descriptor&) = delete;
        descriptor& operator=(const descriptor&) = delete;
        ~descriptor() { world_.close(fd_); }
        operator int() const noexcept { return fd_; }

    private:
        const test::world_calls world_;
        const int fd_;
    };
    class socket_pair {
    public:
        explicit socket_pair(const test::world_calls& w) : world_(w), fds(w.socket_pair()) {}
        socket_pair(const socket_pair&) = delete;
        socket_pair& operator=(const socket_pair&) = delete;
        ~socket_pair() {
            for (const int fd : fds) world_.close(fd);
        }

    private:
        const test::world_calls world_;

    public:
        const std::array<int, 2> fds;
    };
    descriptor new_socket(int type = SOCK_STREAM) { return {world(), world().socket(type)}; }
};
RONDO_IN_EACH_WORLD(SockOperations);

/// Of the kernel: flags of descriptors.
class SockOperationsInTheKernel : public SockOperations {};
RONDO_ON_EACH_BACKEND(SockOperationsInTheKernel);

TEST_P(SockOperations, ConnectAcceptSendAndReceive) {
    run_io([this]() -> coro<> {
        const descriptor listening = new_socket();
        const address where = world().bind(listening);
        world().listen(listening, 1);
        auto accepting =
            create_task([&]() -> coro<std::pair<int, address>> { co_return co_await loop().sock_accept(listening); });
        const descriptor client = new_socket();
        co_await loop().sock_connect(client, where);
        auto [accepted, peer] = co_await accepting;
        const descriptor server(world(), accepted);
        EXPECT_EQ(peer.ip(), "127.0.0.1");
        co_await loop().sock_sendall(client, "hello");
        EXPECT_EQ((co_await loop().sock_recv(server, 100)).str(), "hello");
        world().shutdown(client, SHUT_WR);
        EXPECT_EQ((co_await loop().sock_recv(server, 100)).str(), "");
    });
}

TEST_P(SockOperationsInTheKernel, WhatIsAcceptedDoesNotBlockAndIsNotInherited) {
    run_io([this]() -> coro<> {
        const descriptor listening = new_socket();
        const address where = world().bind(listening);
        world().listen(listening, 1);
        const descriptor client = new_socket();
        co_await loop().sock_connect(client, where);
        const descriptor server(world(), (co_await loop().sock_accept(listening)).first);
        EXPECT_EQ(::fcntl(server, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        EXPECT_EQ(::fcntl(server, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    });
}

TEST_P(SockOperations, RecvIntoGivesACountAndWaitsForTheFirstByte) {
    run_io([this]() -> coro<> {
        const socket_pair s(world());
        std::array<std::byte, 4> room{};
        auto receiving =
            create_task([&]() -> coro<std::size_t> { co_return co_await loop().sock_recv_into(s.fds[0], room); });
        co_await pass_by(70);
        EXPECT_FALSE(receiving.done());
        EXPECT_EQ(world().write(s.fds[1], "abcdefgh"), 8);
        EXPECT_EQ(co_await receiving, 4u);
        EXPECT_EQ(bytes_view(std::span<const std::byte>(room)).view(), "abcd");
        EXPECT_EQ((co_await loop().sock_recv(s.fds[0], 2)).str(), "ef");
    });
}

TEST_P(SockOperations, SendallSendsAllHoweverSlowTheReader) {
    run_io([this]() -> coro<> {
        const socket_pair s(world());
        const std::string sent = pattern(5'000'000);
        auto sending = create_task([&]() -> coro<> {
            co_await loop().sock_sendall(s.fds[0], sent);
            world().shutdown(s.fds[0], SHUT_WR);
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
        const descriptor a = new_socket(SOCK_DGRAM);
        const descriptor b = new_socket(SOCK_DGRAM);
        const address at_a = world().bind(a);
        const address at_b = world().bind(b);
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
        const descriptor a = new_socket(SOCK_DGRAM);
        const descriptor b = new_socket(SOCK_DGRAM);
        const address at_a = world().bind(a);
        const address at_b = world().bind(b);
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
        const descriptor client = new_socket();
        address nobody;
        {
            const descriptor gone = new_socket();
            nobody = world().bind(gone);
        }
        EXPECT_TRUE((co_await as_result(loop().sock_connect(client, nobody))).holds<connection_refused_error>());
        const socket_pair s(world());
        world().shutdown(s.fds[0], SHUT_WR);
        EXPECT_TRUE((co_await as_result(loop().sock_sendall(s.fds[0], "x"))).holds<broken_pipe_error>());
    });
}

TEST_P(SockOperations, ACancelledOneTakesNothingAndTheNextWorks) {
    run_io([this]() -> coro<> {
        const socket_pair s(world());
        for (int i = 0; i < 20; ++i) {
            auto receiving = create_task([&]() -> coro<bytes> { co_return co_await loop().sock_recv(s.fds[0], 10); });
            co_await pass_by(i % 3);
            receiving.cancel();
            EXPECT_TRUE((co_await as_result(receiving)).holds<cancelled_error>());
            EXPECT_EQ(world().write(s.fds[1], "x"), 1);
            EXPECT_EQ((co_await loop().sock_recv(s.fds[0], 10)).str(), "x");
        }
    });
}

TEST_P(SockOperations, BytesThatHadComeWhenItWasCancelledAreNotLostAndNeitherIsTheCancellation) {
    run_io([this]() -> coro<> {
        for (int i = 0; i < 6; ++i) {
            const socket_pair s(world());
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
            EXPECT_EQ(world().write(s.fds[1], "x"), 1);
            co_await pass_by(i);
            receiving.cancel();
            EXPECT_TRUE((co_await as_result(receiving)).holds<cancelled_error>());
            EXPECT_TRUE(cancelled);
            char left = 0;
            const bool in_the_socket = world().read(s.fds[0], &left, 1) == 1;
            EXPECT_NE(got == "x", in_the_socket) << "after " << i << " passes";
        }
    });
}

TEST_P(SockOperations, ATaskThatIsCancelledAlreadyBeginsNothing) {
    run_io([this]() -> coro<> {
        const socket_pair s(world());
        EXPECT_EQ(world().write(s.fds[1], "x"), 1);
        auto receiving = create_task([&]() -> coro<bytes> {
            static_cast<void>(current_task().cancel());
            co_return co_await loop().sock_recv(s.fds[0], 10);
        });
        EXPECT_TRUE((co_await as_result(receiving)).holds<cancelled_error>());
        EXPECT_EQ((co_await loop().sock_recv(s.fds[0], 10)).str(), "x");
    });
}

TEST_P(SockOperationsInTheKernel, DebugModeRefusesABlockingSocketEverywhere) {
    run_io([this]() -> coro<> {
        const descriptor blocking(world(), ::socket(AF_INET, SOCK_STREAM, 0));
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
