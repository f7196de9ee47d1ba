// Operations that are asked to end, and the end of the backend.
#include "loop/backend_fixture.hpp"

#include <cerrno>

namespace rondo::detail {
namespace {

using namespace testing_support;

class BackendCancel : public EachBackend {};

TEST_P(BackendCancel, APendingOperationEndsOnce) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    ASSERT_FALSE(io->submit(recv));
    poll_a_few_times();
    io->cancel(recv);
    EXPECT_TRUE(recv.pending()) << "completes in a later wait() only";
    settle(recv);
    EXPECT_EQ(recv.result, -ECANCELED);
    poll_a_few_times();
    EXPECT_EQ(recv.completions, 1);
    write_all(b.fd, "x");
    EXPECT_EQ(run_recv(a.fd, buffer), 1) << "the next reader gets what comes";
}

TEST_P(BackendCancel, InTheSamePassAsItsSubmission) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    ASSERT_FALSE(io->submit(recv));
    io->cancel(recv);
    settle(recv);
    EXPECT_EQ(recv.result, -ECANCELED);
    EXPECT_EQ(recv.completions, 1);
}

TEST_P(BackendCancel, EveryKindOfOperation) {
    const auto [listening, address] = listener();
    auto [client, server] = connection();
    std::array<char, 4> buffer{};
    std::vector<char> much(64 << 20, 'x');
    iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    std::pair<int, int> pipe;
    ASSERT_EQ(io->os().make_pipe(0, pipe), 0);

    std::array<probe_operation, 6> operations;
    set_recv(operations[0], client, buffer);
    operations[1].kind = operation_kind::accept;
    operations[1].fd = listening;
    operations[1].address = nullptr;
    operations[2].kind = operation_kind::recvmsg;
    operations[2].fd = server;
    operations[2].message = &message;
    operations[3].kind = operation_kind::read;
    operations[3].fd = pipe.first;
    operations[3].buffer = buffer.data();
    operations[3].size = buffer.size();
    operations[4].fd = pipe.first;
    operations[4].flags = POLLIN;
    set_send(operations[5], client, std::string_view(much.data(), much.size()), MSG_WAITALL);
    for (probe_operation& op : operations) ASSERT_FALSE(io->submit(op));
    poll_a_few_times();
    for (probe_operation& op : operations) io->cancel(op);
    for (probe_operation& op : operations) settle(op);
    for (std::size_t i = 0; i < 5; ++i) {
        if (i == 2) continue; // has received what operation 5 sent
        EXPECT_EQ(operations[i].result, -ECANCELED) << i;
    }
    EXPECT_EQ(operations[2].result, 4);
    EXPECT_GT(operations[5].result, 0) << "what was sent is not denied";
    EXPECT_LT(operations[5].result, static_cast<std::int64_t>(much.size()));
    for (const int fd : {listening, client, server, pipe.first, pipe.second}) io->os().close(fd);
}

TEST_P(BackendCancel, AConnectThatHangs) {
    // A listener whose queue is full lets further connections wait.
    const auto [listening, address] = listener(0);
    sockaddr_in to = address;
    std::vector<int> clients;
    std::array<probe_operation, 8> connects;
    std::size_t waiting = 0;
    for (probe_operation& connect : connects) {
        clients.push_back(io->os().open_socket(AF_INET, SOCK_STREAM, 0));
        connect.kind = operation_kind::connect;
        connect.fd = clients.back();
        connect.address = reinterpret_cast<sockaddr*>(&to);
        connect.address_size = sizeof to;
        io->submit(connect);
    }
    poll_a_few_times();
    for (probe_operation& connect : connects) {
        if (!connect.pending()) continue;
        ++waiting;
        io->cancel(connect);
        settle(connect);
        EXPECT_EQ(connect.result, -ECANCELED);
    }
    EXPECT_GT(waiting, 0u);
    for (const int client : clients) io->os().close(client);
    io->os().close(listening);
}

TEST_P(BackendCancel, WhatHasCompletedKeepsItsResult) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    std::array<probe_operation, 2> readers;
    for (probe_operation& reader : readers) {
        set_recv(reader, a.fd, std::span(buffer).first(1));
        ASSERT_FALSE(io->submit(reader));
    }
    io->cancel(readers[0]);
    io->cancel(readers[0]); // twice is once
    settle(readers[0]);
    EXPECT_EQ(readers[0].result, -ECANCELED);
    io->cancel(readers[0]); // idle: nothing
    EXPECT_FALSE(readers[0].pending());
    write_all(b.fd, "x");
    settle(readers[1]);
    EXPECT_EQ(readers[1].result, 1);
    io->cancel(readers[1]);
    poll_a_few_times();
    EXPECT_EQ(readers[1].completions, 1);
    EXPECT_EQ(readers[1].result, 1);
}

TEST_P(BackendCancel, FromTheCompletionOfAnotherThatIsReadyToo) {
    auto [a, b] = stream_pair();
    auto [c, d] = stream_pair();
    std::array<char, 4> buffer{};
    std::array<probe_operation, 2> readers;
    set_recv(readers[0], a.fd, std::span(buffer).first(2));
    set_recv(readers[1], c.fd, std::span(buffer).last(2));
    for (std::size_t i = 0; i < 2; ++i) readers[i].then = [&, i](probe_operation&) { io->cancel(readers[1 - i]); };
    for (probe_operation& reader : readers) ASSERT_FALSE(io->submit(reader));
    poll_a_few_times();
    write_all(b.fd, "x");
    write_all(d.fd, "y");
    for (const probe_operation& reader : readers) settle(reader);
    for (const probe_operation& reader : readers) {
        EXPECT_EQ(reader.completions, 1);
        EXPECT_TRUE(reader.result == 1 || reader.result == -ECANCELED);
    }
    // What was not received is still there.
    std::array<char, 4> rest{};
    if (readers[0].result < 0) {
        EXPECT_EQ(run_recv(a.fd, rest), 1);
    }
    if (readers[1].result < 0) {
        EXPECT_EQ(run_recv(c.fd, rest), 1);
    }
}

TEST_P(BackendCancel, ThenClosedThenTheNumberIsUsedAgain) {
    std::array<char, 4> buffer{};
    int last = -1;
    for (int round = 0; round < 20; ++round) {
        auto [client, server] = connection();
        probe_operation recv;
        set_recv(recv, server, buffer);
        ASSERT_FALSE(io->submit(recv));
        if (round % 2) poll_a_few_times();
        io->cancel(recv);
        settle(recv);
        EXPECT_EQ(recv.result, -ECANCELED);
        EXPECT_TRUE(last < 0 || last == server) << "this test is about a number that comes back";
        last = server;
        // The next life of the number has its own data.
        EXPECT_EQ(run_send(client, "new"), 3);
        EXPECT_EQ(run_recv(server, buffer), 3);
        ASSERT_FALSE(io->submit(recv));
        poll_a_few_times();
        EXPECT_TRUE(recv.pending());
        io->os().close(client);
        settle(recv);
        EXPECT_EQ(recv.result, 0);
        io->os().close(server);
    }
}

TEST_P(BackendCancel, ADescriptorClosedBehindOurBackIsForgotten) {
    std::array<char, 4> buffer{};
    int last = -1;
    for (int round = 0; round < 20; ++round) {
        auto [a, b] = stream_pair(); // not opened through os(), not closed through it
        EXPECT_TRUE(last < 0 || last == a.fd) << "this test is about a number that comes back";
        last = a.fd;
        probe_operation poll(operation_kind::poll, a.fd);
        poll.flags = POLLIN;
        ASSERT_FALSE(io->submit(poll));
        if (round % 3) poll_a_few_times();
        write_all(b.fd, "x");
        settle(poll);
        EXPECT_TRUE(poll.result & POLLIN);
        EXPECT_EQ(run_recv(a.fd, buffer), 1);
        if (round % 2) poll_a_few_times();
    }
}

TEST_P(BackendCancel, DrainEndsEverything) {
    auto [a, b] = stream_pair();
    const auto [listening, address] = listener();
    std::array<std::array<char, 4>, 50> buffers{};
    std::vector<std::unique_ptr<probe_operation>> operations;
    for (auto& buffer : buffers) {
        operations.push_back(std::make_unique<probe_operation>());
        set_recv(*operations.back(), a.fd, buffer);
    }
    operations.push_back(std::make_unique<probe_operation>(operation_kind::accept, listening));
    operations.back()->address = nullptr;
    for (auto& op : operations) ASSERT_FALSE(io->submit(*op));
    poll_a_few_times();
    operations.push_back(std::make_unique<probe_operation>()); // not seen by the kernel yet
    set_recv(*operations.back(), a.fd, buffers[0]);
    ASSERT_FALSE(io->submit(*operations.back()));
    io->cancel(*operations[7]);
    io->drain();
    for (const auto& op : operations) {
        EXPECT_FALSE(op->pending());
        EXPECT_EQ(op->completions, 1);
        EXPECT_EQ(op->result, -ECANCELED);
    }
    io->drain(); // nothing left: nothing happens
    io->os().close(listening);
}

TEST_P(BackendCancel, DrainEndsWhatACompletionAdds) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation second;
    set_recv(second, a.fd, buffer);
    probe_operation first;
    set_recv(first, a.fd, buffer);
    first.then = [&](probe_operation&) { EXPECT_FALSE(io->submit(second)); };
    ASSERT_FALSE(io->submit(first));
    io->drain();
    EXPECT_EQ(first.completions, 1);
    EXPECT_EQ(second.completions, 1);
    EXPECT_EQ(second.result, -ECANCELED);
}

RONDO_FOR_EACH_BACKEND(BackendCancel);

} // namespace
} // namespace rondo::detail
