// What the tests of the backends share.
#pragma once

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "loop/backend/uring.hpp"
#include "loop/backend/uring_probe.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo::detail::testing_support {

using namespace std::chrono_literals;

/// An operation that notes what became of it.
struct probe_operation : operation {
    explicit probe_operation(operation_kind k = operation_kind::poll, int descriptor = -1)
        : operation(k, [](operation& op) noexcept {
              auto& self = static_cast<probe_operation&>(op);
              EXPECT_FALSE(op.pending());
              ++self.completions;
              if (self.order) self.order->push_back(&self);
              if (self.then) self.then(self);
          }) {
        fd = descriptor;
    }
    int completions = 0;
    std::vector<const probe_operation*>* order = nullptr;
    std::function<void(probe_operation&)> then;
};

inline void set_recv(probe_operation& op, int fd, std::span<char> into, int flags = 0) {
    op.kind = operation_kind::recv;
    op.fd = fd;
    op.buffer = into.data();
    op.size = into.size();
    op.flags = static_cast<std::uint32_t>(flags);
}
inline void set_send(probe_operation& op, int fd, std::string_view data, int flags = 0) {
    op.kind = operation_kind::send;
    op.fd = fd;
    op.data = data.data();
    op.size = data.size();
    op.flags = static_cast<std::uint32_t>(flags);
}

struct descriptor {
    descriptor() = default;
    explicit descriptor(int number) : fd(number) {}
    descriptor(descriptor&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd, other.fd);
        return *this;
    }
    ~descriptor() { close(); }
    void close() {
        if (fd >= 0) ::close(std::exchange(fd, -1));
    }
    int fd = -1;
};

inline std::pair<descriptor, descriptor> stream_pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    return {descriptor(fds[0]), descriptor(fds[1])};
}

inline sockaddr_in loopback(std::uint16_t port = 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline void write_all(int fd, std::string_view text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// epoll, io_uring as this kernel has it, and as older kernels have it.
enum class flavour { epoll, uring, uring_6_0, uring_5_19, uring_5_11 };

inline std::unique_ptr<backend> make(flavour f) {
    if (f == flavour::epoll) return make_backend(backend_kind::epoll);
    if (f == flavour::uring) return make_backend(backend_kind::uring);
    return std::make_unique<uring_backend>(
        ring_options{.age = static_cast<unsigned>(f) - static_cast<unsigned>(flavour::uring)});
}

/// Runs each test on every kind of backend.
class EachBackend : public testing::TestWithParam<flavour> {
protected:
    void SetUp() override {
        if (GetParam() != flavour::epoll && uring_obstacle()) GTEST_SKIP() << uring_obstacle()->what();
        io = make(GetParam());
        EXPECT_EQ(io->kind(), GetParam() == flavour::epoll ? backend_kind::epoll : backend_kind::uring);
    }
    void TearDown() override {
        if (io) io->drain();
    }

    /// Submits and waits. The result.
    std::int64_t run(probe_operation& op) {
        if (!io->submit(op)) settle(op);
        return op.result;
    }
    void settle(const probe_operation& op) {
        while (op.pending()) io->wait(time_point::max());
    }
    /// Gives the backend every opportunity to complete something that it must not complete.
    void poll_a_few_times() {
        for (int i = 0; i < 3; ++i) io->wait(time_point::min());
    }
    std::int64_t run_recv(int fd, std::span<char> into, int flags = 0) {
        probe_operation op;
        set_recv(op, fd, into, flags);
        return run(op);
    }
    std::int64_t run_send(int fd, std::string_view data, int flags = 0) {
        probe_operation op;
        set_send(op, fd, data, flags);
        return run(op);
    }

    /// A listening TCP socket of the backend's own, and its address.
    std::pair<int, sockaddr_in> listener(int backlog = 128) {
        const int fd = io->os().open_socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_GE(fd, 0);
        sockaddr_in address = loopback();
        EXPECT_EQ(io->os().bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(io->os().listen(fd, backlog), 0);
        std::uint32_t size = sizeof address;
        EXPECT_EQ(io->os().local_address(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
        return {fd, address};
    }
    /// Two ends of a TCP connection, both the backend's own: the client's first.
    std::pair<int, int> connection() {
        const auto [listening, address] = listener();
        sockaddr_in to = address;
        const int client = io->os().open_socket(AF_INET, SOCK_STREAM, 0);
        probe_operation connect(operation_kind::connect, client);
        connect.address = reinterpret_cast<sockaddr*>(&to);
        connect.address_size = sizeof to;
        const bool connected = io->submit(connect);
        probe_operation accept(operation_kind::accept, listening);
        accept.address = nullptr;
        EXPECT_GE(run(accept), 0);
        if (!connected) settle(connect);
        EXPECT_EQ(connect.result, 0);
        io->os().close(listening);
        return {client, static_cast<int>(accept.result)};
    }

    std::unique_ptr<backend> io;
};

inline std::string flavour_name(const testing::TestParamInfo<flavour>& info) {
    constexpr std::array names = {"epoll", "uring", "uring_6_0", "uring_5_19", "uring_5_11"};
    return names[static_cast<std::size_t>(info.param)];
}

#define RONDO_FOR_EACH_BACKEND(suite)                                                                                  \
    INSTANTIATE_TEST_SUITE_P(                                                                                          \
        On, suite,                                                                                                     \
        testing::Values(flavour::epoll, flavour::uring, flavour::uring_6_0, flavour::uring_5_19, flavour::uring_5_11), \
        flavour_name)

} // namespace rondo::detail::testing_support
