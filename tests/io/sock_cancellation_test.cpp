// sock_accept and its kin, cancelled at any moment: nothing is lost, no descriptor leaks, and the next one works.
#include "io/io_test.hpp"

#include "io/raw_client.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <cstdint>

#include <sys/socket.h>

namespace rondo {
namespace {

using test::open_descriptors;
using test::pass_by;
using test::pattern;

class SockCancellation : public test::io_test {};
RONDO_IN_EACH_WORLD(SockCancellation);

/// Of the kernel: datagrams, and clients in which the loop has no part.
class SockCancellationInTheKernel : public test::io_test {};
RONDO_ON_EACH_BACKEND(SockCancellationInTheKernel);

constexpr int most_passes = 8; // after what it waited for has happened

class loopback_socket {
public:
    explicit loopback_socket(const test::world_calls& w, int type = SOCK_STREAM)
        : world_(w), fd_(w.socket(type)), where_(w.bind(fd_)) {}
    loopback_socket(const loopback_socket&) = delete;
    loopback_socket& operator=(const loopback_socket&) = delete;
    ~loopback_socket() { world_.close(fd_); }
    operator int() const noexcept { return fd_; }
    const address& where() const noexcept { return where_; }

private:
    const test::world_calls world_;
    const int fd_;
    const address where_;
};

/// Runs the operation in a task that then waits for ever, until it is cancelled.
template <class F> task<> until_cancelled(F operation, bool& cancelled) {
    return create_task([operation, &cancelled]() -> coro<> {
        try {
            co_await operation();
            co_await sleep_forever();
        } catch (const cancelled_error&) {
            cancelled = true;
            throw;
        }
    });
}

TEST_P(SockCancellationInTheKernel, AConnectionIsGivenOrWaitsForTheNextAccept) {
    run_io([this]() -> coro<> {
        for (int passes = 0; passes < most_passes; ++passes) {
            const loopback_socket listening(world());
            world().listen(listening, 4);
            const test::raw_client client;
            const std::size_t before = open_descriptors();
            int got = -1;
            bool cancelled = false;
            const auto accept = [&]() -> coro<> { got = (co_await loop().sock_accept(listening)).first; };
            auto accepting = until_cancelled(accept, cancelled);
            co_await pass_by(3);
            EXPECT_TRUE(client.connect(listening.where().port()));
            co_await pass_by(passes);
            accepting.cancel();
            EXPECT_TRUE((co_await as_result(accepting)).cancelled());
            EXPECT_TRUE(cancelled);
            if (got < 0) co_await accept();
            char c = 0;
            EXPECT_EQ(::send(client.fd(), "x", 1, 0), 1);
            EXPECT_EQ(::recv(got, &c, 1, 0), 1) << "after " << passes << " passes";
            ::close(got);
            EXPECT_EQ(open_descriptors(), before) << "after " << passes << " passes";
        }
    });
}

TEST_P(SockCancellationInTheKernel, ADatagramIsGivenOrWaitsForTheNextRecvfrom) {
    run_io([this]() -> coro<> {
        for (int passes = 0; passes < 2 * most_passes; ++passes) {
            const loopback_socket to(world(), SOCK_DGRAM);
            const loopback_socket from(world(), SOCK_DGRAM);
            std::string got;
            std::array<std::byte, 10> room{};
            bool cancelled = false;
            const auto receive = [&]() -> coro<> {
                if (passes % 2 == 0) {
                    got = (co_await loop().sock_recvfrom(to, 10)).first.str();
                } else {
                    const auto [n, sender] = co_await loop().sock_recvfrom_into(to, room);
                    got = bytes_view(std::span<const std::byte>(room).first(n)).view();
                    EXPECT_EQ(sender, from.where());
                }
            };
            auto receiving = until_cancelled(receive, cancelled);
            co_await pass_by(3);
            EXPECT_EQ(co_await loop().sock_sendto(from, "x", to.where()), 1u);
            co_await pass_by(passes / 2);
            receiving.cancel();
            EXPECT_TRUE((co_await as_result(receiving)).cancelled());
            EXPECT_TRUE(cancelled);
            if (got.empty()) co_await receive();
            EXPECT_EQ(got, "x") << "after " << passes / 2 << " passes";
            char left = 0;
            EXPECT_LT(::recv(to, &left, 1, MSG_DONTWAIT), 0);
        }
    });
}

TEST_P(SockCancellation, WhatACancelledSendallHasSentIsTheBeginningOfIt) {
    run_io([this]() -> coro<> {
        const std::string data = pattern(4'000'000); // more than the kernel takes
        for (int passes = 0; passes < most_passes; ++passes) {
            const std::array<int, 2> s = world().socket_pair();
            auto sending = create_task([&]() -> coro<> { co_await loop().sock_sendall(s[0], data); });
            co_await pass_by(1);
            std::string received;
            std::string part(50'000, '\0');
            for (int i = 0; i < passes; ++i) {
                const std::int64_t n = world().read(s[1], part.data(), part.size());
                if (n > 0) received.append(part, 0, static_cast<std::size_t>(n));
                co_await yield();
            }
            sending.cancel();
            EXPECT_TRUE((co_await as_result(sending)).cancelled());
            auto next = create_task([&]() -> coro<> {
                co_await loop().sock_sendall(s[0], "the next one");
                world().shutdown(s[0], SHUT_WR);
            });
            for (;;) {
                const bytes more = co_await loop().sock_recv(s[1], 1'000'000);
                if (more.empty()) break;
                received += more.view();
            }
            co_await next;
            EXPECT_TRUE(received.ends_with("the next one"));
            received.resize(received.size() - 12);
            EXPECT_LT(received.size(), data.size());
            EXPECT_TRUE(data.starts_with(received)) << "after " << passes << " passes";
            for (const int fd : s) world().close(fd);
        }
    });
}

TEST_P(SockCancellation, AConnectLeavesTheSocketToItsOwner) {
    run_io([this]() -> coro<> {
        const loopback_socket listening(world());
        world().listen(listening, 64);
        const std::size_t before = world().open_descriptors();
        for (int passes = 0; passes < most_passes; ++passes) {
            const int fd = world().socket();
            auto connecting = create_task([&]() -> coro<> { co_await loop().sock_connect(fd, listening.where()); });
            co_await pass_by(passes);
            connecting.cancel();
            static_cast<void>(co_await as_result(connecting));
            const auto again = co_await as_result(loop().sock_connect(fd, listening.where()));
            const auto* e = detail::exception_cast<std::system_error>(again.error());
            EXPECT_TRUE(again || (e && e->code() == std::errc::already_connected)) << "after " << passes << " passes";
            const int accepted = (co_await loop().sock_accept(listening)).first;
            co_await loop().sock_sendall(fd, "x");
            EXPECT_EQ((co_await loop().sock_recv(accepted, 10)).str(), "x");
            world().close(accepted);
            world().close(fd);
        }
        EXPECT_EQ(world().open_descriptors(), before);
    });
}

} // namespace
} // namespace rondo
