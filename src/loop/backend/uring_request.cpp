#include "loop/backend/uring_request.hpp"

#include "loop/backend/uring_blocks.hpp"

#include <algorithm>
#include <cstddef>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace rondo::detail {

namespace {

constexpr std::size_t longest_transfer = 0x7ffff000; // MAX_RW_COUNT: the kernel moves no more at once

unsigned length(const operation& op) noexcept { return static_cast<unsigned>(std::min(op.size, longest_transfer)); }

} // namespace

void prepare_request(io_uring_sqe* sqe, operation& op, bool poll_first) noexcept {
    const unsigned flags = op.flags & ~unsigned{MSG_DONTWAIT}; // the ring never makes the thread wait
    switch (op.kind) {
    case operation_kind::poll: io_uring_prep_poll_add(sqe, op.fd, op.flags); break;
    case operation_kind::read: io_uring_prep_read(sqe, op.fd, op.buffer, length(op), op.offset); break;
    case operation_kind::write: io_uring_prep_write(sqe, op.fd, op.data, length(op), op.offset); break;
    case operation_kind::recv:
        io_uring_prep_recv(sqe, op.fd, op.buffer, length(op), static_cast<int>(flags));
        if (poll_first) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
        if (!op.buffer) {
            sqe->flags |= IOSQE_BUFFER_SELECT;
            sqe->buf_group = uring_blocks::group;
        }
        break;
    case operation_kind::send:
        io_uring_prep_send(sqe, op.fd, static_cast<const std::byte*>(op.data) + op.result,
                           std::min(op.size - static_cast<std::size_t>(op.result), longest_transfer),
                           static_cast<int>(flags | MSG_NOSIGNAL));
        break;
    case operation_kind::recvmsg: io_uring_prep_recvmsg(sqe, op.fd, op.message, flags); break;
    case operation_kind::sendmsg: io_uring_prep_sendmsg(sqe, op.fd, op.message, flags | MSG_NOSIGNAL); break;
    case operation_kind::accept:
        io_uring_prep_accept(sqe, op.fd, op.address, op.address ? &op.address_size : nullptr,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case operation_kind::connect: io_uring_prep_connect(sqe, op.fd, op.address, op.address_size); break;
    case operation_kind::sendfile: io_uring_prep_poll_add(sqe, op.fd, POLLOUT); break;
    case operation_kind::open:
        io_uring_prep_openat(sqe, AT_FDCWD, static_cast<const char*>(op.data), static_cast<int>(op.flags),
                             static_cast<::mode_t>(op.size));
        break;
    case operation_kind::close: io_uring_prep_close(sqe, op.fd); break;
    case operation_kind::fsync: io_uring_prep_fsync(sqe, op.fd, op.flags ? IORING_FSYNC_DATASYNC : 0); break;
    }
}

} // namespace rondo::detail
