// Descriptors over Unix sockets: send_fds() and recv_fds().
#include "io/io_test.hpp"
#include "io/socket_pair.hpp"
#include "support/temporary_directory.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace rondo {
namespace {

using test::open_descriptors;
using test::pass_by;
using test::pattern;
using test::unix_pair;

/// Of the kernel: descriptors are sent.
class SendFds : public test::io_test {};
RONDO_ON_EACH_BACKEND(SendFds);

bool same_file(int a, int b) {
    struct ::stat x{};
    struct ::stat y{};
    return ::fstat(a, &x) == 0 && ::fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/// The ends of `n` pipes.
std::vector<unique_fd> pipes(std::size_t n) {
    std::vector<unique_fd> all;
    for (std::size_t i = 0; i < n; ++i) {
        int ends[2]{-1, -1};
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        all.emplace_back(ends[0]);
        all.emplace_back(ends[1]);
    }
    return all;
}
std::vector<int> numbers(const std::vector<unique_fd>& fds) {
    std::vector<int> all;
    for (const unique_fd& fd : fds) all.push_back(fd.get());
    return all;
}

TEST_P(SendFds, GivesTheReceiverCopiesInTheirOrderCloseOnExecAndItsOwn) {
    run_io([]() -> coro<> {
        unix_pair s;
        std::vector<unique_fd> sent = pipes(2);
        co_await send_fds(s[0], "hello", numbers(sent));
        received_fds got = co_await recv_fds(s[1], 100, 10);
        EXPECT_EQ(got.data.view(), "hello");
        EXPECT_EQ(got.fds.size(), sent.size());
        for (std::size_t i = 0; i < std::min(got.fds.size(), sent.size()); ++i) {
            EXPECT_TRUE(same_file(got.fds[i].get(), sent[i].get()));
            EXPECT_NE(got.fds[i].get(), sent[i].get());
            EXPECT_EQ(::fcntl(got.fds[i].get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        }
        const unique_fd reader = std::move(got.fds[0]);
        EXPECT_EQ(::write(sent[1].get(), "x", 1), 1);
        sent.clear();
        char x = 0;
        EXPECT_EQ(::read(reader.get(), &x, 1), 1);
        EXPECT_EQ(x, 'x');
    });
}

TEST_P(SendFds, WhatTheReceiverDoesNotKeepIsClosed) {
    run_io([]() -> coro<> {
        unix_pair s;
        const std::vector<unique_fd> sent = pipes(3);
        const std::size_t before = open_descriptors();
        co_await send_fds(s[0], "x", numbers(sent));
        {
            const received_fds got = co_await recv_fds(s[1], 100, 6);
            EXPECT_EQ(open_descriptors(), before + 6);
        }
        EXPECT_EQ(open_descriptors(), before);
    });
}

TEST_P(SendFds, AMessageLongerThanTheSocketTakesIsSentWholeItsDescriptorsOnce) {
    run_io([]() -> coro<> {
        unix_pair s;
        const std::vector<unique_fd> sent = pipes(1);
        const std::string text = pattern(3'000'000);
        auto sending = create_task([&]() -> coro<> {
            const std::vector<int> fds = numbers(sent);
            co_await send_fds(s[0], text, fds);
        });
        std::string received;
        std::size_t descriptors = 0;
        while (received.size() < text.size()) {
            const received_fds got = co_await recv_fds(s[1], 100'000, 10);
            received += got.data.view();
            descriptors += got.fds.size();
        }
        co_await sending;
        EXPECT_TRUE(received == text);
        EXPECT_EQ(descriptors, 2u);
    });
}

TEST_P(SendFds, WithoutDescriptorsItIsPlainDataAndTheEndIsEmpty) {
    run_io([]() -> coro<> {
        unix_pair s;
        co_await send_fds(s[0], "plain", {});
        const received_fds got = co_await recv_fds(s[1], 100, 1);
        EXPECT_EQ(got.data.view(), "plain");
        EXPECT_TRUE(got.fds.empty());
        s.close(0);
        EXPECT_TRUE((co_await recv_fds(s[1], 100, 1)).data.empty());
    });
}

TEST_P(SendFds, MoreThanFitAreClosedAndAnError) {
    run_io([]() -> coro<> {
        unix_pair s;
        const std::vector<unique_fd> sent = pipes(2);
        const std::size_t before = open_descriptors();
        for (const std::size_t room : {0u, 1u, 3u}) {
            co_await send_fds(s[0], "x", numbers(sent));
            const auto r = co_await as_result(recv_fds(s[1], 100, room));
            const auto* e = detail::exception_cast<std::system_error>(r.error());
            EXPECT_TRUE(e && e->code().value() == EMSGSIZE) << room;
            EXPECT_EQ(open_descriptors(), before) << room;
        }
        co_await send_fds(s[0], "next", numbers(sent));
        EXPECT_EQ((co_await recv_fds(s[1], 100, 4)).fds.size(), 4u);
    });
}

TEST_P(SendFds, CancelledItLosesNoDescriptor) {
    run_io([]() -> coro<> {
        const std::vector<unique_fd> sent = pipes(1);
        const std::size_t before = open_descriptors();
        for (int passes = 0; passes < 6; ++passes) {
            unix_pair s;
            std::vector<unique_fd> got;
            auto receiving = create_task([&]() -> coro<> {
                got = (co_await recv_fds(s[1], 100, 2)).fds;
                co_await sleep_forever();
            });
            co_await pass_by(3);
            co_await send_fds(s[0], "x", numbers(sent));
            co_await pass_by(passes);
            receiving.cancel();
            EXPECT_TRUE((co_await as_result(receiving)).cancelled());
            if (got.empty()) got = (co_await recv_fds(s[1], 100, 2)).fds; // it is still in the socket
            EXPECT_EQ(got.size(), 2u) << "after " << passes << " passes";
        }
        EXPECT_EQ(open_descriptors(), before);
    });
}

TEST_P(SendFds, CancelledBeforeThereIsRoomNothingIsSent) {
    run_io([]() -> coro<> {
        unix_pair s;
        const std::vector<unique_fd> sent = pipes(1);
        std::size_t filled = 0;
        const std::string filler(100'000, '.');
        for (ssize_t n; (n = ::send(s[0], filler.data(), filler.size(), MSG_DONTWAIT)) > 0;)
            filled += static_cast<std::size_t>(n);
        auto sending = create_task([&]() -> coro<> {
            const std::vector<int> fds = numbers(sent);
            co_await send_fds(s[0], "message", fds);
        });
        co_await pass_by(10);
        sending.cancel();
        EXPECT_TRUE((co_await as_result(sending)).cancelled());
        s.close(0);
        std::size_t received = 0;
        for (;;) {
            const received_fds got = co_await recv_fds(s[1], 100'000, 2);
            if (got.data.empty()) break;
            received += got.data.size();
            EXPECT_TRUE(got.fds.empty());
        }
        EXPECT_EQ(received, filled);
    });
}

TEST_P(SendFds, ChecksItsArguments) {
    run_io([this]() -> coro<> {
        unix_pair s;
        EXPECT_TRUE((co_await as_result(send_fds(s[0], "", {}))).holds<value_error>());
        const std::vector<int> too_many(most_fds + 1, 0);
        EXPECT_TRUE((co_await as_result(send_fds(s[0], "x", too_many))).holds<value_error>());
        const std::vector<int> most(most_fds, 0);
        co_await send_fds(s[0], "x", most);
        EXPECT_EQ((co_await recv_fds(s[1], 1, most_fds)).fds.size(), most_fds);
        const std::vector<int> closed{-1};
        const auto r = co_await as_result(send_fds(s[0], "x", closed));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::bad_file_descriptor);
        EXPECT_TRUE(e && std::string(e->what()).find("send_fds") != std::string::npos);
        loop().set_debug(true);
        unix_pair blocking(SOCK_STREAM);
        EXPECT_TRUE((co_await as_result(recv_fds(blocking[0], 1, 1))).holds<value_error>());
        loop().set_debug(false);
    });
}

TEST(UniqueFd, ClosesWhatItOwnsOnce) {
    int ends[2]{-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    unique_fd a(ends[0]);
    unique_fd b(std::move(a));
    EXPECT_FALSE(a);
    EXPECT_EQ(b.get(), ends[0]);
    a = std::move(b);
    a.reset(ends[1]);
    EXPECT_LT(::fcntl(ends[0], F_GETFD), 0);
    EXPECT_EQ(a.release(), ends[1]);
    EXPECT_FALSE(a);
    EXPECT_GE(::fcntl(ends[1], F_GETFD), 0);
    unique_fd(ends[1]).reset();
    EXPECT_LT(::fcntl(ends[1], F_GETFD), 0);
}

} // namespace
} // namespace rondo
