// What a program does with descriptors beside the library, in the world that a loop lives in: the machine's, or a simulated one.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "support/simulated_loop.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace rondo::test {

/// As the system calls of these names, with -errno for errors. Sockets do not block; pipes do, as a program makes them.
class world_calls {
public:
    explicit world_calls(event_loop& loop) noexcept : loop_(&loop) {}

    bool simulated() const noexcept { return loop_->backend() == backend_kind::automatic; }

    int socket(int type = SOCK_STREAM, int family = AF_INET) const { return os().open_socket(family, type, 0); }
    /// To a free port of the loopback address.
    address bind(int fd) const {
        const detail::socket_address anywhere(address("127.0.0.1", 0));
        EXPECT_EQ(os().bind(fd, anywhere.get(), anywhere.size), 0);
        detail::socket_address name;
        name.size = sizeof name.storage;
        EXPECT_EQ(os().local_address(fd, reinterpret_cast<::sockaddr*>(&name.storage), name.size), 0);
        return name.to_address();
    }
    void listen(int fd, int backlog) const { EXPECT_EQ(os().listen(fd, backlog), 0); }
    std::array<int, 2> pipe() const {
        std::pair<int, int> ends{-1, -1};
        if (simulated()) {
            EXPECT_EQ(os().make_pipe(0, ends), 0);
            return {ends.first, ends.second};
        }
        std::array<int, 2> real{-1, -1};
        EXPECT_EQ(::pipe(real.data()), 0);
        return real;
    }
    /// Unix streams that are connected.
    std::array<int, 2> socket_pair() const {
        if (simulated()) return make_simulated_pair(*loop_);
        std::array<int, 2> real{-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, real.data()), 0);
        return real;
    }
    /// Is under way, or was refused.
    void begin_connect(int fd, const address& to) const {
        const detail::socket_address where(to);
        if (!simulated()) {
            static_cast<void>(::connect(fd, where.get(), where.size));
            return;
        }
        auto* const op = new single_operation(detail::operation_kind::connect, where);
        op->fd = fd;
        op->address = reinterpret_cast<::sockaddr*>(&op->where.storage);
        op->address_size = where.size;
        if (detail::loop_access::backend(*loop_).submit(*op)) delete op;
    }
    std::size_t open_descriptors() const {
        return simulated() ? simulated_descriptors(*loop_) : test::open_descriptors();
    }
    void shutdown(int fd, int how) const { os().shutdown(fd, how); }
    void close(int fd) const { os().close(fd); }

    /// What goes at once; -EAGAIN: nothing.
    std::int64_t write(int fd, std::string_view data) const {
        if (simulated()) return at_once(detail::operation_kind::write, fd, const_cast<char*>(data.data()), data.size());
        const ::ssize_t n = ::write(fd, data.data(), data.size());
        return n < 0 ? -errno : n;
    }
    /// What is there; -EAGAIN: nothing.
    std::int64_t read(int fd, void* to, std::size_t size) const {
        if (simulated()) return at_once(detail::operation_kind::read, fd, to, size);
        const ::ssize_t n = ::read(fd, to, size);
        return n < 0 ? -errno : n;
    }

private:
    /// Completes once more when it was taken back.
    struct single_operation : detail::operation {
        explicit single_operation(detail::operation_kind k, const detail::socket_address& w = {}) noexcept
            : operation(k, &over), where(w) {}
        detail::socket_address where;
        static void over(detail::operation& op) noexcept { delete static_cast<single_operation*>(&op); }
    };

    detail::os& os() const { return detail::loop_access::backend(*loop_).os(); }
    std::int64_t at_once(detail::operation_kind kind, int fd, void* buffer, std::size_t size) const {
        detail::backend& world = detail::loop_access::backend(*loop_);
        auto* const op = new single_operation(kind);
        op->fd = fd;
        op->buffer = buffer;
        op->size = size;
        if (!world.submit(*op)) {
            world.cancel(*op);
            return -EAGAIN;
        }
        const std::int64_t result = op->result;
        delete op;
        return result;
    }

    event_loop* loop_;
};

} // namespace rondo::test
