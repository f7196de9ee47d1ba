// The operations, on both backends.
#include "loop/backend_fixture.hpp"

#include <fcntl.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <span>

namespace rondo::detail {
namespace {

using namespace testing_support;

class Backend : public EachBackend {};

TEST_P(Backend, ReceivesWhatIsThere) {
    auto [a, b] = stream_pair();
    write_all(b.fd, "hello");
    std::array<char, 16> buffer{};
    EXPECT_EQ(run_recv(a.fd, buffer), 5);
    EXPECT_STREQ(buffer.data(), "hello");
}

TEST_P(Backend, ReceivesWhatComesLater) {
    auto [a, b] = stream_pair();
    std::array<char, 16> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    ASSERT_FALSE(io->submit(recv));
    poll_a_few_times();
    EXPECT_TRUE(recv.pending());
    write_all(b.fd, "later");
    settle(recv);
    EXPECT_EQ(recv.result, 5);
    EXPECT_EQ(recv.completions, 1);
}

TEST_P(Backend, ReadsInPiecesAsBigAsTheBuffer) {
    auto [client, server] = connection();
    std::array<char, 4> buffer{};
    EXPECT_EQ(run_send(client, "abcdefghij"), 10);
    EXPECT_EQ(run_recv(server, buffer), 4);
    EXPECT_EQ(run_recv(server, buffer), 4);
    EXPECT_EQ(run_recv(server, buffer), 2);
    EXPECT_EQ(std::string_view(buffer.data(), 2), "ij");
    EXPECT_EQ(run_send(client, "k"), 1);
    EXPECT_EQ(run_recv(server, buffer), 1);
    io->os().close(client);
    EXPECT_EQ(run_recv(server, buffer), 0);
    EXPECT_EQ(run_recv(server, buffer), 0);
    io->os().close(server);
}

TEST_P(Backend, TheEndIsZeroAndComesAfterTheData) {
    auto [client, server] = connection();
    EXPECT_EQ(run_send(client, "last"), 4);
    EXPECT_EQ(io->os().shutdown(client, SHUT_WR), 0);
    std::array<char, 16> buffer{};
    EXPECT_EQ(run_recv(server, buffer), 4);
    EXPECT_EQ(run_recv(server, buffer), 0);
    io->os().close(client);
    io->os().close(server);
}

TEST_P(Backend, TheEndWakesAReader) {
    auto [client, server] = connection();
    std::array<char, 16> buffer{};
    probe_operation recv;
    set_recv(recv, server, buffer);
    ASSERT_FALSE(io->submit(recv));
    io->os().close(client);
    settle(recv);
    EXPECT_EQ(recv.result, 0);
    io->os().close(server);
}

TEST_P(Backend, ReadsAndWritesPipes) {
    for (const int our_end : {0, 1}) {
        std::pair<int, int> ends;
        ASSERT_EQ(io->os().make_pipe(our_end, ends), 0);
        std::array<char, 8> buffer{};
        probe_operation read(operation_kind::read, ends.first);
        read.buffer = buffer.data();
        read.size = buffer.size();
        probe_operation write(operation_kind::write, ends.second);
        write.data = "pipe";
        write.size = 4;
        if (our_end == 0) {
            ASSERT_FALSE(io->submit(read));
            write_all(ends.second, "pipe");
            settle(read);
        } else {
            EXPECT_EQ(run(write), 4);
            EXPECT_EQ(::read(ends.first, buffer.data(), buffer.size()), 4);
            read.result = 4;
        }
        EXPECT_EQ(read.result, 4);
        EXPECT_STREQ(buffer.data(), "pipe");
        EXPECT_EQ(io->os().close(ends.second), 0);
        EXPECT_EQ(run(read), 0);
        EXPECT_EQ(io->os().close(ends.first), 0);
    }
}

TEST_P(Backend, ReadsFilesAtAnOffsetAndAtTheirOwnPosition) {
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    const int fd = ::fileno(file);
    probe_operation write(operation_kind::write, fd);
    write.data = "0123456789";
    write.size = 10;
    write.offset = 5;
    EXPECT_EQ(run(write), 10);
    std::array<char, 8> buffer{};
    probe_operation read(operation_kind::read, fd);
    read.buffer = buffer.data();
    read.size = 3;
    read.offset = 12;
    EXPECT_EQ(run(read), 3);
    EXPECT_STREQ(buffer.data(), "789");
    read.offset = static_cast<std::uint64_t>(-1);
    EXPECT_EQ(run(read), 3);
    EXPECT_EQ(run(read), 3);
    EXPECT_EQ(std::string_view(buffer.data(), 3), std::string_view("\0\0"
                                                                   "0",
                                                                   3)); // bytes 3, 4 and 5 of the file
    std::fclose(file);
}

TEST_P(Backend, SendsOnABrokenConnectionWithoutASignal) {
    auto [a, b] = stream_pair();
    b.close();
    EXPECT_EQ(run_send(a.fd, "x"), -EPIPE);
    probe_operation send(operation_kind::sendmsg, a.fd);
    iovec part{.iov_base = const_cast<char*>("x"), .iov_len = 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    send.message = &message;
    EXPECT_EQ(run(send), -EPIPE);
}

TEST_P(Backend, WritesToAPipeThatNobodyReadsFail) {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN; // write(2) has no MSG_NOSIGNAL
    struct sigaction before{};
    ::sigaction(SIGPIPE, &ignore, &before);
    std::pair<int, int> ends;
    ASSERT_EQ(io->os().make_pipe(1, ends), 0);
    probe_operation write(operation_kind::write, ends.second);
    const std::string much(1 << 20, 'x');
    write.data = much.data();
    write.size = much.size();
    const std::int64_t first = run(write);
    EXPECT_GT(first, 0);
    EXPECT_LT(first, static_cast<std::int64_t>(much.size()));
    ASSERT_FALSE(io->submit(write));
    poll_a_few_times();
    EXPECT_TRUE(write.pending()) << "the pipe is full";
    EXPECT_EQ(io->os().close(ends.first), 0);
    settle(write);
    EXPECT_EQ(write.result, -EPIPE);
    io->os().close(ends.second);
    ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_P(Backend, MovesMessagesWithSeveralParts) {
    auto [a, b] = stream_pair();
    std::array<char, 3> left{};
    std::array<char, 16> right{};
    std::array<iovec, 2> parts{{{left.data(), left.size()}, {right.data(), right.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    probe_operation recv(operation_kind::recvmsg, a.fd);
    recv.message = &message;
    ASSERT_FALSE(io->submit(recv));
    std::array<iovec, 2> sent{{{const_cast<char*>("one"), 3}, {const_cast<char*>("two!"), 4}}};
    msghdr out{};
    out.msg_iov = sent.data();
    out.msg_iovlen = sent.size();
    probe_operation send(operation_kind::sendmsg, b.fd);
    send.message = &out;
    EXPECT_EQ(run(send), 7);
    settle(recv);
    EXPECT_EQ(recv.result, 7);
    EXPECT_EQ(std::string_view(left.data(), 3), "one");
    EXPECT_STREQ(right.data(), "two!");
}

TEST_P(Backend, DatagramsKeepTheirBounds) {
    const int receiver = io->os().open_socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address = loopback();
    std::uint32_t size = sizeof address;
    ASSERT_EQ(io->os().bind(receiver, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(io->os().local_address(receiver, reinterpret_cast<sockaddr*>(&address), size), 0);
    const int sender = io->os().open_socket(AF_INET, SOCK_DGRAM, 0);
    probe_operation connect(operation_kind::connect, sender);
    connect.address = reinterpret_cast<sockaddr*>(&address);
    connect.address_size = sizeof address;
    EXPECT_EQ(run(connect), 0);
    std::array<char, 16> buffer{};
    probe_operation first;
    set_recv(first, receiver, buffer);
    ASSERT_FALSE(io->submit(first));
    EXPECT_EQ(run_send(sender, "one"), 3);
    EXPECT_EQ(run_send(sender, "four"), 4);
    settle(first);
    EXPECT_EQ(first.result, 3);
    EXPECT_EQ(run_recv(receiver, buffer), 4);
    io->os().close(sender);
    io->os().close(receiver);
}

TEST_P(Backend, AcceptsAndTellsFromWhere) {
    const auto [listening, address] = listener();
    probe_operation accept(operation_kind::accept, listening);
    sockaddr_in from{};
    accept.address = reinterpret_cast<sockaddr*>(&from);
    accept.address_size = sizeof from;
    ASSERT_FALSE(io->submit(accept));
    descriptor client(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to = address;
    ASSERT_EQ(::connect(client.fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    settle(accept);
    ASSERT_GE(accept.result, 0);
    const int server = static_cast<int>(accept.result);
    EXPECT_EQ(accept.address_size, sizeof from);
    sockaddr_in own{};
    socklen_t own_size = sizeof own;
    ASSERT_EQ(::getsockname(client.fd, reinterpret_cast<sockaddr*>(&own), &own_size), 0);
    EXPECT_EQ(from.sin_port, own.sin_port);
    EXPECT_TRUE(::fcntl(server, F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(::fcntl(server, F_GETFL) & O_NONBLOCK);
    io->os().close(server);
    io->os().close(listening);
}

TEST_P(Backend, AConnectionThatNobodyTakesIsRefused) {
    auto [listening, address] = listener();
    io->os().close(listening);
    const int fd = io->os().open_socket(AF_INET, SOCK_STREAM, 0);
    probe_operation connect(operation_kind::connect, fd);
    connect.address = reinterpret_cast<sockaddr*>(&address);
    connect.address_size = sizeof address;
    EXPECT_EQ(run(connect), -ECONNREFUSED);
    io->os().close(fd);
}

TEST_P(Backend, ConnectingTwiceIsAnError) {
    auto [client, server] = connection();
    sockaddr_in address{};
    std::uint32_t size = sizeof address;
    ASSERT_EQ(io->os().peer_address(client, reinterpret_cast<sockaddr*>(&address), size), 0);
    probe_operation connect(operation_kind::connect, client);
    connect.address = reinterpret_cast<sockaddr*>(&address);
    connect.address_size = sizeof address;
    EXPECT_EQ(run(connect), -EISCONN);
    io->os().close(client);
    io->os().close(server);
}

TEST_P(Backend, AFullUnixBacklogIsToldAtOnce) {
    descriptor listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX; // autobind: a fresh abstract name
    ASSERT_EQ(::bind(listening.fd, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
    ASSERT_EQ(::listen(listening.fd, 0), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(listening.fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::vector<int> clients;
    std::int64_t result = 0;
    while (result == 0 && clients.size() < 10) {
        clients.push_back(io->os().open_socket(AF_UNIX, SOCK_STREAM, 0));
        probe_operation connect(operation_kind::connect, clients.back());
        connect.address = reinterpret_cast<sockaddr*>(&address);
        connect.address_size = size;
        result = run(connect);
    }
    EXPECT_EQ(result, -EAGAIN);
    for (const int client : clients) io->os().close(client);
}

TEST_P(Backend, PollTellsReadinessAndTakesNothing) {
    auto [a, b] = stream_pair();
    probe_operation readable(operation_kind::poll, a.fd);
    readable.flags = POLLIN;
    ASSERT_FALSE(io->submit(readable));
    poll_a_few_times();
    EXPECT_TRUE(readable.pending());
    write_all(b.fd, "x");
    settle(readable);
    EXPECT_EQ(readable.result & (POLLIN | POLLOUT), POLLIN);
    EXPECT_EQ(run(readable) & POLLIN, POLLIN); // still: readiness is a level
    std::array<char, 4> buffer{};
    EXPECT_EQ(run_recv(a.fd, buffer), 1);
    probe_operation writable(operation_kind::poll, a.fd);
    writable.flags = POLLOUT;
    EXPECT_EQ(run(writable) & POLLOUT, POLLOUT);
    b.close();
    EXPECT_TRUE(run(readable) & (POLLHUP | POLLIN));
}

TEST_P(Backend, AReadAndAPollMayWaitOnOneDescriptor) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    probe_operation poll(operation_kind::poll, a.fd);
    poll.flags = POLLIN;
    ASSERT_FALSE(io->submit(poll));
    ASSERT_FALSE(io->submit(recv));
    write_all(b.fd, "xy");
    settle(recv);
    settle(poll);
    EXPECT_EQ(recv.result, 2);
    EXPECT_TRUE(poll.result & POLLIN);
}

TEST_P(Backend, EachOfSeveralReadersIsServedOnce) {
    auto [a, b] = stream_pair();
    std::vector<const probe_operation*> order;
    std::array<std::array<char, 1>, 4> buffers{};
    std::array<probe_operation, 4> readers;
    for (std::size_t i = 0; i < readers.size(); ++i) {
        set_recv(readers[i], a.fd, buffers[i]);
        readers[i].order = &order;
        ASSERT_FALSE(io->submit(readers[i]));
    }
    write_all(b.fd, "12");
    while (order.size() < 2) io->wait(time_point::max());
    poll_a_few_times();
    EXPECT_EQ(order.size(), 2u);
    write_all(b.fd, "34");
    for (const probe_operation& reader : readers) settle(reader);
    std::string seen;
    for (const auto& buffer : buffers) seen += buffer[0];
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, "1234");
    if (GetParam() == flavour::epoll) { // io_uring leaves the order to the kernel
        EXPECT_EQ(order, (std::vector<const probe_operation*>{&readers[0], &readers[1], &readers[2], &readers[3]}));
    }
}

TEST_P(Backend, ABadDescriptorIsAnError) {
    std::array<char, 4> buffer{};
    EXPECT_EQ(run_recv(-1, buffer), -EBADF);
    EXPECT_EQ(run_recv(1'000'000, buffer), -EBADF);
    probe_operation poll(operation_kind::poll, 1'000'000);
    poll.flags = POLLIN;
    EXPECT_EQ(run(poll), -EBADF);
    std::FILE* file = std::tmpfile();
    EXPECT_EQ(run_recv(::fileno(file), buffer), -ENOTSOCK);
    std::fclose(file);
}

TEST_P(Backend, NeverShowsEagain) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer, MSG_DONTWAIT);
    ASSERT_FALSE(io->submit(recv));
    poll_a_few_times();
    EXPECT_TRUE(recv.pending());
    write_all(b.fd, "x");
    settle(recv);
    EXPECT_EQ(recv.result, 1);
    for (int i = 0; i < 3; ++i) {
        ASSERT_FALSE(io->submit(recv));
        poll_a_few_times();
        EXPECT_TRUE(recv.pending());
        write_all(b.fd, "xy");
        settle(recv);
        EXPECT_EQ(recv.result, 2);
    }
    ASSERT_FALSE(io->submit(recv));
    poll_a_few_times();
    io->cancel(recv);
    settle(recv);
    EXPECT_EQ(recv.result, -ECANCELED);
}

TEST_P(Backend, ACompletionMaySubmitAgain) {
    auto [a, b] = stream_pair();
    std::array<char, 1> buffer{};
    std::string seen;
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    recv.then = [&](probe_operation& self) {
        do {
            if (self.result <= 0) return;
            seen += buffer[0];
        } while (io->submit(self));
    };
    ASSERT_FALSE(io->submit(recv));
    write_all(b.fd, "abc");
    b.close();
    settle(recv);
    EXPECT_EQ(seen, "abc");
}

RONDO_FOR_EACH_BACKEND(Backend);

} // namespace
} // namespace rondo::detail
