#include <rondo/io/send_fds.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/bytes_access.hpp"
#include "io/operation_awaiter.hpp"
#include "io/sock_checks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

namespace rondo {

namespace {

using detail::checked;
using detail::operation_awaiter;
using detail::operation_kind;

/// A message of one piece, with room for descriptors. What was received in it and not taken is closed by the destructor: also
/// when the task is torn down after the kernel has filled it.
class message_with_fds {
public:
    message_with_fds(void* data, std::size_t size, std::size_t fds) noexcept : piece_{data, size} {
        header.msg_iov = &piece_;
        header.msg_iovlen = 1;
        if (fds == 0) return;
        header.msg_control = control_.data();
        header.msg_controllen = CMSG_LEN(fds * sizeof(int)); // not CMSG_SPACE: its padding would hold one more
    }
    message_with_fds(const message_with_fds&) = delete;
    message_with_fds& operator=(const message_with_fds&) = delete;

    void put(std::span<const int> fds) noexcept {
        if (fds.empty()) return;
        auto* const c = reinterpret_cast<::cmsghdr*>(control_.data());
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
    }

    /// Of a received message; all of them, once. Untouched by the kernel, the control data is zero and has none.
    template <class F> void take(F each) {
        for (::cmsghdr* c = CMSG_FIRSTHDR(&header); c && c->cmsg_len >= sizeof *c; c = CMSG_NXTHDR(&header, c)) {
            if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
            const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                each(fd);
            }
            c->cmsg_type = 0; // taken
        }
    }

    ::msghdr header{};

private:
    ::iovec piece_;
    alignas(::cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control_{};
};

struct received_message : message_with_fds {
    using message_with_fds::message_with_fds;
    ~received_message() {
        take([](int fd) { unique_fd(fd).reset(); });
    }
};

} // namespace

coro<> send_fds(int socket, bytes_view data, std::span<const int> fds) {
    event_loop& loop = running_loop();
    detail::check_socket(loop, socket, "send_fds");
    if (data.empty()) throw value_error("send_fds: descriptors travel with at least one byte");
    if (fds.size() > most_fds) throw value_error("send_fds: at most 253 descriptors fit into a message");
    message_with_fds first(const_cast<std::byte*>(data.data()), data.size(), fds.size());
    first.put(fds);
    operation_awaiter sending(loop, operation_kind::sendmsg, socket, "send_fds");
    sending.asked.message = &first.header;
    const std::size_t sent = checked(co_await sending, "send_fds", socket);
    if (sent < data.size()) co_await loop.sock_sendall(socket, {data.data() + sent, data.size() - sent});
}

coro<received_fds> recv_fds(int socket, std::size_t n, std::size_t max_fds) {
    event_loop& loop = running_loop();
    detail::check_socket(loop, socket, "recv_fds");
    received_fds result{detail::bytes_access::make(n), {}};
    received_message message(result.data.data(), n, std::min(max_fds, most_fds));
    operation_awaiter receiving(loop, operation_kind::recvmsg, socket, "recv_fds");
    receiving.asked.message = &message.header;
    receiving.asked.flags = MSG_CMSG_CLOEXEC;
    const std::size_t received = checked(co_await receiving, "recv_fds", socket);
    detail::bytes_access::truncate(result.data, received);
    result.fds.reserve(std::min(max_fds, most_fds));
    message.take([&](int fd) { result.fds.emplace_back(fd); });
    if (message.header.msg_flags & MSG_CTRUNC)
        detail::throw_os_error(EMSGSIZE, detail::with_fd("recv_fds", socket) + ": more descriptors came than fit (" +
                                             std::to_string(max_fds) + "), or than may be open");
    co_return result;
}

} // namespace rondo
