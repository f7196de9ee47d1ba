// Much at once: large transfers, many connections, queues that are too small.
#include "loop/backend_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include <sys/resource.h>

namespace rondo::detail {
namespace {

using namespace testing_support;

class BackendLimits : public EachBackend {};

std::vector<char> patterned(std::size_t size) {
    std::vector<char> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
    return bytes;
}

TEST_P(BackendLimits, ALargeTransferAgainstBackPressure) {
    auto [a, b] = stream_pair();
    const std::vector<char> sent = patterned(20'000'000);
    std::vector<char> received(sent.size());
    std::size_t written = 0;
    std::size_t read = 0;
    probe_operation send;
    probe_operation recv;
    while (read < sent.size()) {
        if (!send.pending() && written < sent.size()) {
            set_send(send, a.fd, std::string_view(sent.data() + written, sent.size() - written));
            send.then = [&](probe_operation& op) { written += static_cast<std::size_t>(op.result); };
            if (io->submit(send)) written += static_cast<std::size_t>(send.result);
        }
        if (!recv.pending()) {
            set_recv(recv, b.fd,
                     std::span(received).subspan(read, std::min<std::size_t>(received.size() - read, 65'536)));
            recv.then = [&](probe_operation& op) { read += static_cast<std::size_t>(op.result); };
            if (io->submit(recv)) read += static_cast<std::size_t>(recv.result);
        }
        if (recv.pending()) io->wait(time_point::max());
        ASSERT_GE(send.result, 0);
        ASSERT_GE(recv.result, 0);
    }
    EXPECT_EQ(received, sent);
}

TEST_P(BackendLimits, WaitallMovesEverythingInOneOperation) {
    for (const bool tcp : {false, true}) {
        std::pair<descriptor, descriptor> unix_pair;
        std::pair<int, int> ends;
        if (tcp) {
            ends = connection();
        } else {
            unix_pair = stream_pair();
            ends = {unix_pair.first.fd, unix_pair.second.fd};
        }
        const std::vector<char> sent = patterned(5'000'000);
        std::vector<char> received(sent.size());
        probe_operation send;
        set_send(send, ends.first, std::string_view(sent.data(), sent.size()), MSG_WAITALL);
        probe_operation recv;
        set_recv(recv, ends.second, received, MSG_WAITALL);
        if (!io->submit(recv) && !io->submit(send)) settle(send);
        settle(recv);
        EXPECT_EQ(send.result, static_cast<std::int64_t>(sent.size()));
        EXPECT_EQ(recv.result, static_cast<std::int64_t>(sent.size()));
        EXPECT_EQ(received, sent);
        // The end comes before all has: what has come is the result.
        EXPECT_EQ(run_send(ends.first, "rest"), 4);
        ASSERT_EQ(::shutdown(ends.first, SHUT_WR), 0);
        EXPECT_EQ(run_recv(ends.second, received, MSG_WAITALL), 4);
        EXPECT_EQ(run_recv(ends.second, received, MSG_WAITALL), 0);
        if (tcp) {
            io->os().close(ends.first);
            io->os().close(ends.second);
        }
    }
}

TEST_P(BackendLimits, AThousandConnectionsEcho) {
    constexpr std::size_t count = 1200;
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    if (files.rlim_cur < 2 * count + 100) {
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, 2 * count + 100);
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < 2 * count + 100) GTEST_SKIP() << "needs " << 2 * count + 100 << " descriptors";

    const auto [listening, address] = listener(4096);
    sockaddr_in to = address;
    std::vector<int> clients;
    std::vector<int> servers;
    std::vector<std::unique_ptr<probe_operation>> connects;
    std::vector<std::unique_ptr<probe_operation>> accepts;
    const auto keep = [&](probe_operation& op) { servers.push_back(static_cast<int>(op.result)); };
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(io->os().open_socket(AF_INET, SOCK_STREAM, 0));
        ASSERT_GE(clients.back(), 0);
        connects.push_back(std::make_unique<probe_operation>(operation_kind::connect, clients.back()));
        connects.back()->address = reinterpret_cast<sockaddr*>(&to);
        connects.back()->address_size = sizeof to;
        io->submit(*connects.back());
        accepts.push_back(std::make_unique<probe_operation>(operation_kind::accept, listening));
        accepts.back()->address = nullptr;
        accepts.back()->then = keep;
        if (io->submit(*accepts.back())) keep(*accepts.back());
    }
    for (const auto& op : accepts) settle(*op);
    for (const auto& op : connects) {
        settle(*op);
        ASSERT_EQ(op->result, 0);
    }
    ASSERT_EQ(servers.size(), count);

    std::vector<std::array<char, 8>> buffers(count);
    std::vector<probe_operation> readers(count);
    for (int round = 0; round < 4; ++round) {
        const auto& [from, to_ends] = round % 2 ? std::tie(servers, clients) : std::tie(clients, servers);
        std::size_t waiting = 0;
        for (std::size_t i = 0; i < count; ++i) {
            set_recv(readers[i], to_ends[i], buffers[i]);
            waiting += !io->submit(readers[i]);
        }
        EXPECT_EQ(waiting, count) << "nothing was sent yet";
        for (const int fd : from) EXPECT_EQ(run_send(fd, "12345678"), 8);
        for (const probe_operation& reader : readers) {
            settle(reader);
            EXPECT_EQ(reader.result, 8);
            EXPECT_EQ(reader.completions, round + 1);
        }
    }
    for (const int fd : clients) io->os().close(fd);
    for (const int fd : servers) io->os().close(fd);
    io->os().close(listening);
}

RONDO_FOR_EACH_BACKEND(BackendLimits);

/// An io_uring with queues so small that everything overflows.
class UringLimits : public testing::Test {
protected:
    void SetUp() override {
        if (uring_obstacle()) GTEST_SKIP() << uring_obstacle()->what();
        io = std::make_unique<uring_backend>(ring_options{.submissions = 4, .completions = 8});
    }
    void TearDown() override {
        if (io) io->drain();
    }
    std::unique_ptr<uring_backend> io;
};

TEST_F(UringLimits, MoreSubmissionsThanTheRingHolds) {
    auto [a, b] = stream_pair();
    constexpr std::size_t count = 500;
    std::vector<probe_operation> readers(count);
    std::vector<char> buffer(count);
    for (std::size_t i = 0; i < count; ++i) {
        set_recv(readers[i], a.fd, std::span(buffer).subspan(i, 1));
        ASSERT_FALSE(io->submit(readers[i]));
    }
    for (std::size_t i = 0; i < count; i += 2) io->cancel(readers[i]);
    for (std::size_t i = 0; i < count; i += 2) {
        while (readers[i].pending()) io->wait(time_point::max());
    }
    write_all(b.fd, std::string(count / 2, 'x'));
    for (const probe_operation& op : readers) {
        while (op.pending()) io->wait(time_point::max());
    }
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(readers[i].completions, 1);
        EXPECT_EQ(readers[i].result, i % 2 ? 1 : -ECANCELED) << i;
    }
}

TEST_F(UringLimits, MoreCompletionsThanTheRingHolds) {
    constexpr std::size_t count = 500;
    std::vector<std::pair<descriptor, descriptor>> pairs;
    std::vector<probe_operation> readers(count);
    std::vector<char> buffer(count);
    for (std::size_t i = 0; i < count; ++i) {
        pairs.push_back(stream_pair());
        set_recv(readers[i], pairs[i].first.fd, std::span(buffer).subspan(i, 1));
        ASSERT_FALSE(io->submit(readers[i]));
    }
    io->wait(time_point::min());
    for (const auto& pair : pairs) write_all(pair.second.fd, "x");
    std::size_t done = 0;
    while (done < count) {
        io->wait(time_point::max());
        done = static_cast<std::size_t>(
            std::count_if(readers.begin(), readers.end(), [](const auto& op) { return !op.pending(); }));
    }
    for (const probe_operation& op : readers) {
        EXPECT_EQ(op.completions, 1);
        EXPECT_EQ(op.result, 1);
    }
}

TEST_F(UringLimits, ManyCancelledAtOnceAndSubmittedAgain) {
    constexpr std::size_t count = 200;
    auto [a, b] = stream_pair();
    std::vector<probe_operation> readers(count);
    std::vector<char> buffer(count);
    for (int round = 0; round < 5; ++round) {
        for (std::size_t i = 0; i < count; ++i) {
            set_recv(readers[i], a.fd, std::span(buffer).subspan(i, 1));
            ASSERT_FALSE(io->submit(readers[i]));
        }
        if (round % 2) io->wait(time_point::min());
        for (probe_operation& op : readers) io->cancel(op);
        for (const probe_operation& op : readers) {
            while (op.pending()) io->wait(time_point::max());
            EXPECT_EQ(op.result, -ECANCELED);
            EXPECT_EQ(op.completions, round + 1);
        }
    }
    write_all(b.fd, "x");
    probe_operation last;
    set_recv(last, a.fd, buffer);
    ASSERT_FALSE(io->submit(last));
    while (last.pending()) io->wait(time_point::max());
    EXPECT_EQ(last.result, 1);
}

} // namespace
} // namespace rondo::detail
