// A client that the loop has no part in.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace rondo::test {

/// A blocking TCP socket; connecting over loopback is over when the kernel has the connection in the listener's queue.
class raw_client {
public:
    raw_client() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    ~raw_client() { ::close(fd_); }
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;
    bool connect(std::uint16_t port) const {
        ::sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(fd_, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) == 0;
    }
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

} // namespace rondo::test
