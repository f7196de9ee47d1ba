#include "connections.hpp"

#include <cerrno>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace load {

namespace {

constexpr std::size_t per_address = 20'000;

void must(bool fine, const char* what) {
    if (!fine) throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::size_t host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(host));
    return address;
}

} // namespace

idle_connections::~idle_connections() {
    for (const int fd : descriptors_) close(fd);
}

void idle_connections::open(int port, std::size_t count) {
    const sockaddr_in there = loopback(0, port);
    for (std::size_t i = 0; i < count; ++i) {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fd >= 0, "socket");
        descriptors_.push_back(fd);
        const int one = 1;
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        const sockaddr_in here = loopback(1 + descriptors_.size() / per_address, 0);
        must(bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "bind");
        must(connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0, "connect");
        char byte = 'x';
        must(send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1, "the first echo");
    }
}

} // namespace load
