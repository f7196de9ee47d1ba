#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>
#include <rondo/io/bytes.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/bytes_access.hpp"
#include "io/operation_awaiter.hpp"
#include "io/sock_checks.hpp"
#include "io/socket_address.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace rondo {

namespace {

using detail::check_socket;
using detail::checked;
using detail::operation_awaiter;
using detail::operation_kind;
using detail::socket_address;

/// A message of one piece, and whom it is from or to.
struct message {
    message(void* data, std::size_t size, socket_address who) noexcept : peer(who), piece{data, size} {
        header.msg_name = peer.get();
        header.msg_namelen = peer.size;
        header.msg_iov = &piece;
        header.msg_iovlen = 1;
    }
    message(const message&) = delete;
    message& operator=(const message&) = delete;

    socket_address peer;
    ::iovec piece;
    ::msghdr header{};
};

} // namespace

coro<std::size_t> event_loop::sock_recv_into(int fd, std::span<std::byte> buffer) {
    check_socket(*this, fd, "sock_recv");
    operation_awaiter receiving(*this, operation_kind::recv, fd, "sock_recv");
    receiving.asked.buffer = buffer.data();
    receiving.asked.size = buffer.size();
    co_return checked(co_await receiving, "sock_recv", fd);
}

coro<bytes> event_loop::sock_recv(int fd, std::size_t n) {
    bytes buffer = detail::bytes_access::make(n);
    const std::size_t received = co_await sock_recv_into(fd, {buffer.data(), n});
    detail::bytes_access::truncate(buffer, received);
    co_return buffer;
}

coro<std::pair<bytes, address>> event_loop::sock_recvfrom(int fd, std::size_t n) {
    check_socket(*this, fd, "sock_recvfrom");
    bytes buffer = detail::bytes_access::make(n);
    socket_address anybody;
    anybody.make_room();
    message from(buffer.data(), n, anybody);
    operation_awaiter receiving(*this, operation_kind::recvmsg, fd, "sock_recvfrom");
    receiving.asked.message = &from.header;
    const std::size_t received = checked(co_await receiving, "sock_recvfrom", fd);
    detail::bytes_access::truncate(buffer, received);
    from.peer.size = from.header.msg_namelen;
    co_return std::pair(std::move(buffer), from.peer.to_address());
}

coro<std::pair<std::size_t, address>> event_loop::sock_recvfrom_into(int fd, std::span<std::byte> buffer,
                                                                     std::size_t n) {
    constexpr const char* method = "sock_recvfrom_into";
    check_socket(*this, fd, method);
    if (n > buffer.size()) {
        throw value_error("sock_recvfrom_into: " + std::to_string(n) + " bytes are more than the buffer's " +
                          std::to_string(buffer.size()));
    }
    socket_address anybody;
    anybody.make_room();
    message from(buffer.data(), n == 0 ? buffer.size() : n, anybody);
    operation_awaiter receiving(*this, operation_kind::recvmsg, fd, method);
    receiving.asked.message = &from.header;
    const std::size_t received = checked(co_await receiving, method, fd);
    from.peer.size = from.header.msg_namelen;
    co_return std::pair(received, from.peer.to_address());
}

coro<void> event_loop::sock_sendall(int fd, bytes_view data) {
    check_socket(*this, fd, "sock_sendall");
    while (!data.empty()) {
        operation_awaiter sending(*this, operation_kind::send, fd, "sock_sendall");
        sending.asked.data = data.data();
        sending.asked.size = data.size();
        sending.asked.flags = MSG_WAITALL;
        const std::size_t sent = checked(co_await sending, "sock_sendall", fd);
        data = {data.data() + sent, data.size() - sent};
    }
}

coro<std::size_t> event_loop::sock_sendto(int fd, bytes_view data, address to) {
    check_socket(*this, fd, "sock_sendto");
    message with_receiver(const_cast<std::byte*>(data.data()), data.size(), socket_address(to));
    operation_awaiter sending(*this, operation_kind::sendmsg, fd, "sock_sendto");
    sending.asked.message = &with_receiver.header;
    co_return checked(co_await sending, "sock_sendto", fd);
}

coro<void> event_loop::sock_connect(int fd, address to) {
    check_socket(*this, fd, "sock_connect");
    socket_address name(to);
    operation_awaiter connecting(*this, operation_kind::connect, fd, "sock_connect");
    connecting.asked.address = name.get();
    connecting.asked.address_size = name.size;
    const std::int64_t result = co_await connecting;
    if (result < 0) detail::throw_os_error(static_cast<int>(-result), "cannot connect to " + to.str());
}

coro<std::pair<int, address>> event_loop::sock_accept(int fd) {
    check_socket(*this, fd, "sock_accept");
    socket_address peer;
    peer.make_room();
    operation_awaiter accepting(*this, operation_kind::accept, fd, "sock_accept");
    accepting.asked.address = peer.get();
    accepting.asked.address_size = peer.size;
    const int accepted = static_cast<int>(checked(co_await accepting, "sock_accept", fd));
    peer.size = accepting.asked.address_size;
    co_return std::pair(accepted, peer.to_address());
}

} // namespace rondo
