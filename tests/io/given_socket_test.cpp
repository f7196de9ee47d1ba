// Sockets that the program has made: the option sock.
#include "io/protocol_kit.hpp"
#include "io/socket_pair.hpp"
#include "support/temporary_directory.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::recorder;

/// Of the kernel: sockets that a program has made, and their flags.
class GivenSocket : public test::io_test {};
RONDO_ON_EACH_BACKEND(GivenSocket);

auto recorders() {
    return [] { return std::make_shared<recorder>(); };
}

coro<> greet(stream_reader, stream_writer writer) {
    co_await writer.write("hello");
    co_await writer.aclose();
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

/// Blocking, as a program that knows nothing of loops makes it.
int bound_to_loopback(int type = SOCK_STREAM) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    ::sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const ::sockaddr*>(&where), sizeof where), 0);
    return fd;
}
address name_of(int fd) {
    ::sockaddr_in where{};
    ::socklen_t size = sizeof where;
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<::sockaddr*>(&where), &size), 0);
    return address("127.0.0.1", ntohs(where.sin_port));
}
int connected_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const ::sockaddr*>(&where), sizeof where), 0);
    return fd;
}
int bound_to_path(const std::string& path, int type = SOCK_STREAM) {
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    ::sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const ::sockaddr*>(&where), sizeof where), 0);
    return fd;
}

TEST_P(GivenSocket, AConnectedOneBecomesStreams) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        const int fd = connected_to(s.port());
        auto [reader, writer] = co_await open_connection("", 0, {.sock = fd});
        EXPECT_FALSE(blocks(fd));
        EXPECT_EQ(writer.get_extra<extra::socket>(), fd);
        EXPECT_EQ(writer.peer_address(), s.addresses().front());
        EXPECT_EQ((co_await reader.read_all()).str(), "hello");
        co_await writer.aclose();
        EXPECT_FALSE(is_open(fd));
    });
}

TEST_P(GivenSocket, OrGetsAProtocol) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        auto [t, p] = co_await loop().create_connection(recorders(), "", 0, {.sock = connected_to(s.port())});
        co_await p->over.wait();
        EXPECT_EQ(p->data, "hello");
    });
}

TEST_P(GivenSocket, AUnixOneToo) {
    run_io([this]() -> coro<> {
        test::unix_pair streams(SOCK_STREAM);
        auto a = co_await open_unix_connection("", {.sock = std::exchange(streams.fds[0], -1)});
        auto [t, p] =
            co_await loop().create_unix_connection(recorders(), "", {.sock = std::exchange(streams.fds[1], -1)});
        co_await a.writer.write("both ways");
        co_await p->has(9);
        t->write("so it is");
        EXPECT_EQ((co_await a.reader.read_exactly(8)).str(), "so it is");
        t->close();

        test::unix_pair by_the_other_name(SOCK_STREAM); // asyncio's create_connection() takes any stream socket
        auto b = co_await open_connection("", 0, {.sock = std::exchange(by_the_other_name.fds[0], -1)});
        EXPECT_EQ(b.writer.peer_address(), address());
    });
}

TEST_P(GivenSocket, ABoundOneIsListenedOn) {
    run_io([]() -> coro<> {
        const int fd = bound_to_loopback();
        const address where = name_of(fd);
        auto s = co_await start_server(greet, "", 0, {.sock = fd});
        EXPECT_FALSE(blocks(fd));
        EXPECT_EQ(s.addresses(), std::vector{where});
        auto c = co_await open_connection("127.0.0.1", where.port());
        EXPECT_EQ((co_await c.reader.read_all()).str(), "hello");
        s.close();
        co_await s.wait_closed();
        EXPECT_FALSE(is_open(fd));
    });
}

TEST_P(GivenSocket, OneThatListensAlreadyKeepsWhoHasConnected) {
    run_io([this]() -> coro<> {
        const int fd = bound_to_loopback();
        EXPECT_EQ(::listen(fd, 5), 0);
        const int early = connected_to(name_of(fd).port());
        std::shared_ptr<recorder> p;
        auto s = co_await loop().create_server([&] { return p = std::make_shared<recorder>(); }, "", 0, {.sock = fd});
        EXPECT_EQ(::send(early, "early", 5, 0), 5);
        while (!p) co_await yield();
        co_await p->has(5);
        EXPECT_EQ(p->data, "early");
        ::close(early);
        co_await p->over.wait();
    });
}

TEST_P(GivenSocket, AUnixServersFileIsRemovedWhenItCloses) {
    const test::temporary_directory folder;
    run_io([&]() -> coro<> {
        for (const bool cleanup : {true, false}) {
            const std::string path = folder / (cleanup ? "removed" : "kept");
            auto s = co_await start_unix_server(greet, "", {.cleanup_socket = cleanup, .sock = bound_to_path(path)});
            EXPECT_EQ(s.addresses(), std::vector{address::unix_path(path)});
            auto c = co_await open_unix_connection(path);
            EXPECT_EQ((co_await c.reader.read_all()).str(), "hello");
            s.close();
        }
        EXPECT_EQ(folder.names(), std::vector<std::string>{"kept"});
        auto factory = recorders();
        auto s = co_await loop().create_unix_server(factory, "", {.sock = bound_to_path(folder / "by protocol")});
        EXPECT_TRUE(s.is_serving());
    });
}

TEST_P(GivenSocket, WhatIsNoneOrComesBesideAnAddressIsAValueErrorAndLeftAlone) {
    const test::temporary_directory folder;
    run_io([&]() -> coro<> {
        const int stream = bound_to_loopback();
        const int datagram = bound_to_loopback(SOCK_DGRAM);
        const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        const test::unix_pair pair(SOCK_STREAM);
        const auto refused = [](auto operation) -> coro<bool> {
            co_return (co_await as_result(std::move(operation))).template holds<value_error>();
        };
        const std::string path = folder / "x";
        for (const int fd : {datagram, file, 1'000'000}) {
            EXPECT_TRUE(co_await refused(open_connection("", 0, {.sock = fd}))) << fd;
            EXPECT_TRUE(co_await refused(open_unix_connection("", {.sock = fd}))) << fd;
            EXPECT_TRUE(co_await refused(loop().create_connection(recorders(), "", 0, {.sock = fd}))) << fd;
            EXPECT_TRUE(co_await refused(loop().create_unix_connection(recorders(), "", {.sock = fd}))) << fd;
            EXPECT_TRUE(co_await refused(start_server(greet, "", 0, {.sock = fd}))) << fd;
            EXPECT_TRUE(co_await refused(start_unix_server(greet, "", {.sock = fd}))) << fd;
        }
        EXPECT_TRUE(co_await refused(open_connection("127.0.0.1", 0, {.sock = stream})));
        EXPECT_TRUE(co_await refused(open_connection("", 1, {.sock = stream})));
        EXPECT_TRUE(co_await refused(open_connection("", 0, {.limit = 0, .sock = stream})));
        EXPECT_TRUE(co_await refused(open_unix_connection("", {.sock = stream}))) << "it is no Unix socket";
        EXPECT_TRUE(co_await refused(open_unix_connection(path, {.sock = pair[0]})));
        EXPECT_TRUE(co_await refused(start_server(greet, "127.0.0.1", 0, {.sock = stream})));
        EXPECT_TRUE(co_await refused(start_server(greet, "", 1, {.sock = stream})));
        EXPECT_TRUE(co_await refused(start_server(greet, {"", ""}, 0, {.sock = stream})));
        EXPECT_TRUE(co_await refused(start_unix_server(greet, "", {.sock = stream})));
        EXPECT_TRUE(co_await refused(start_unix_server(greet, path, {.sock = pair[0]})));
        for (const int fd : {stream, datagram, pair[0]}) {
            EXPECT_TRUE(is_open(fd));
            EXPECT_TRUE(blocks(fd));
        }
        for (const int fd : {stream, datagram, file}) ::close(fd);
    });
}

TEST_P(GivenSocket, IsClosedWhenTheFactoryThrows) {
    run_io([this]() -> coro<> {
        const auto fails = []() -> std::shared_ptr<recorder> { throw std::domain_error("no protocol today"); };
        test::unix_pair ends(SOCK_STREAM);
        const int fd = std::exchange(ends.fds[0], -1);
        EXPECT_TRUE(
            (co_await as_result(loop().create_connection(fails, "", 0, {.sock = fd}))).holds<std::domain_error>());
        EXPECT_FALSE(is_open(fd));
    });
}

class datagram_recorder : public datagram_protocol {
public:
    void datagram_received(std::span<const std::byte> data, const address& from) override {
        received.push_back(test::text_of(data));
        sender = from;
        news.set();
    }
    std::vector<std::string> received;
    address sender;
    event news;
};

TEST_P(GivenSocket, OfDatagramsMayBeBoundOrConnected) {
    run_io([this]() -> coro<> {
        const auto factory = [] { return std::make_shared<datagram_recorder>(); };
        const int one = bound_to_loopback(SOCK_DGRAM);
        const address at_one = name_of(one);
        auto [t1, p1] = co_await loop().create_datagram_endpoint(factory, {.sock = one});
        EXPECT_FALSE(blocks(one));
        EXPECT_EQ(t1->fd(), one);
        EXPECT_EQ(t1->local_address(), at_one);
        EXPECT_EQ(t1->peer_address(), address());

        const int two = bound_to_loopback(SOCK_DGRAM);
        const address at_two = name_of(two);
        ::sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(at_one.port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(two, reinterpret_cast<const ::sockaddr*>(&to), sizeof to), 0);
        auto [t2, p2] = co_await loop().create_datagram_endpoint(factory, {.sock = two});
        EXPECT_EQ(t2->peer_address(), at_one);
        t2->sendto("to whom it is connected");
        EXPECT_THROW(t2->sendto("x", at_two), value_error);
        co_await p1->news.wait();
        EXPECT_EQ(p1->received, std::vector<std::string>{"to whom it is connected"});
        EXPECT_EQ(p1->sender, at_two);
        t1->sendto("and back", p1->sender);
        co_await p2->news.wait();
        EXPECT_EQ(p2->received, std::vector<std::string>{"and back"});
        t1->abort();
        t2->abort();
    });
}

TEST_P(GivenSocket, OfDatagramsTakesNoOtherOptions) {
    run_io([this]() -> coro<> {
        const int stream = bound_to_loopback();
        const int datagram = bound_to_loopback(SOCK_DGRAM);
        const address somewhere("127.0.0.1", 0);
        const std::vector<datagram_options> bad{{.sock = stream},
                                                {.local_address = somewhere, .sock = datagram},
                                                {.remote_address = somewhere, .sock = datagram},
                                                {.family = AF_INET, .sock = datagram},
                                                {.reuse_port = true, .sock = datagram},
                                                {.allow_broadcast = true, .sock = datagram},
                                                {.protocol = IPPROTO_UDP, .sock = datagram}};
        for (const datagram_options& options : bad) {
            const auto factory = [] { return std::make_shared<datagram_recorder>(); };
            EXPECT_TRUE((co_await as_result(loop().create_datagram_endpoint(factory, options))).holds<value_error>());
        }
        EXPECT_TRUE(is_open(stream) && blocks(stream));
        EXPECT_TRUE(is_open(datagram) && blocks(datagram));
        ::close(stream);
        ::close(datagram);
    });
}

} // namespace
} // namespace rondo
