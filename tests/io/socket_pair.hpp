// Two connected Unix sockets, and descriptors that close themselves.
#pragma once

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

namespace rondo::test {

struct unix_pair {
    explicit unix_pair(int flags = SOCK_STREAM | SOCK_NONBLOCK) {
        EXPECT_EQ(::socketpair(AF_UNIX, flags | SOCK_CLOEXEC, 0, fds), 0);
    }
    unix_pair(const unix_pair&) = delete;
    unix_pair& operator=(const unix_pair&) = delete;
    ~unix_pair() {
        for (const int fd : fds) {
            if (fd >= 0) ::close(fd);
        }
    }
    void close(int end) {
        ::close(fds[end]);
        fds[end] = -1;
    }
    int operator[](int end) const noexcept { return fds[end]; }
    int fds[2]{-1, -1};
};

} // namespace rondo::test
