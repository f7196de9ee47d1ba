#include "loop/backend/perform.hpp"

#include "loop/buffer_pool.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

template <class Call> std::int64_t uninterrupted(Call call) noexcept {
    for (;;) {
        const auto result = call();
        if (result >= 0) return result;
        if (errno != EINTR) return -errno;
    }
}

bool is_eagain(std::int64_t result) noexcept { return result == -EAGAIN || result == -EWOULDBLOCK; }

std::int64_t poll_once(const operation& op) noexcept {
    ::pollfd p{.fd = op.fd, .events = static_cast<short>(op.flags), .revents = 0};
    const std::int64_t ready = uninterrupted([&] { return ::poll(&p, 1, 0); });
    if (ready <= 0) return ready == 0 ? would_block : ready;
    return p.revents & POLLNVAL ? -EBADF : p.revents;
}

/// `transfer(done)` moves what is left after `done` bytes. What arrived before an error or the end is the result.
template <class Transfer> std::int64_t move_bytes(operation& op, Transfer transfer) noexcept {
    const bool all = (op.flags & MSG_WAITALL) != 0 && (op.flags & MSG_PEEK) == 0;
    for (;;) {
        const auto done = static_cast<std::size_t>(op.result);
        const std::int64_t moved = uninterrupted([&] { return transfer(done); });
        if (is_eagain(moved)) return would_block;
        if (!all) return moved;
        if (moved <= 0) return done ? op.result : moved;
        op.result += moved;
        if (static_cast<std::size_t>(op.result) == op.size) return op.result;
    }
}

/// The block is the operation's when there is something in it.
std::int64_t receive_block(operation& op) noexcept {
    std::byte* const block = try_allocate_buffer(op.size);
    if (!block) return -ENOMEM;
    const std::int64_t result =
        uninterrupted([&] { return ::recv(op.fd, block, op.size, static_cast<int>(op.flags) | MSG_DONTWAIT); });
    if (result > 0) op.buffer = block;
    else free_buffer(block, op.size);
    return is_eagain(result) ? would_block : result;
}

std::int64_t connect_once(const operation& op, bool repeated) noexcept {
    // Not "uninterrupted": an interrupted connect goes on, and the next call asks how far it is.
    if (::connect(op.fd, op.address, op.address_size) == 0) return 0;
    switch (errno) {
    case EINPROGRESS:
    case EALREADY:
    case EINTR: return would_block;
    case EISCONN: return repeated ? 0 : -EISCONN;
    default: return -errno;
    }
}

/// sendfile(2) has no MSG_NOSIGNAL. A SIGPIPE of its own is for this thread: it is held back, and taken out again.
class without_sigpipe {
public:
    without_sigpipe() noexcept {
        ::sigemptyset(&sigpipe_);
        ::sigaddset(&sigpipe_, SIGPIPE);
        ::sigset_t pending;
        ::sigemptyset(&pending);
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    without_sigpipe(const without_sigpipe&) = delete;
    without_sigpipe& operator=(const without_sigpipe&) = delete;
    ~without_sigpipe() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    void take_out() const noexcept {
        const std::timespec at_once{};
        while (!was_pending_ && ::sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {}
    }

private:
    ::sigset_t sigpipe_;
    ::sigset_t before_;
    bool was_pending_;
};

std::int64_t send_file_once(const operation& op) noexcept {
    const without_sigpipe guard;
    const std::int64_t sent = uninterrupted([&] {
        auto offset = static_cast<off_t>(op.offset);
        return ::sendfile(op.fd, static_cast<int>(op.flags), &offset, op.size);
    });
    if (sent == -EPIPE) guard.take_out();
    return sent;
}

int close_once(int fd) noexcept {
    // Linux has closed the descriptor even when it reports EINTR.
    return ::close(fd) < 0 && errno != EINTR ? -errno : 0;
}

} // namespace

std::int64_t perform(operation& op, bool repeated) noexcept {
    const int fd = op.fd;
    const int flags = static_cast<int>(op.flags);
    auto* const buffer = static_cast<char*>(op.buffer);
    const bool positioned = op.offset != static_cast<std::uint64_t>(-1);
    std::int64_t result = 0;
    switch (op.kind) {
    case operation_kind::poll: return poll_once(op);
    case operation_kind::connect: return connect_once(op, repeated);
    case operation_kind::recv:
        if (!buffer) return receive_block(op);
        return move_bytes(
            op, [&](std::size_t done) { return ::recv(fd, buffer + done, op.size - done, flags | MSG_DONTWAIT); });
    case operation_kind::send:
        return move_bytes(op, [&](std::size_t done) {
            return ::send(fd, buffer + done, op.size - done, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        });
    case operation_kind::read:
        result = uninterrupted([&] {
            return positioned ? ::pread(fd, buffer, op.size, static_cast<off_t>(op.offset))
                              : ::read(fd, buffer, op.size);
        });
        break;
    case operation_kind::write:
        result = uninterrupted([&] {
            return positioned ? ::pwrite(fd, op.data, op.size, static_cast<off_t>(op.offset))
                              : ::write(fd, op.data, op.size);
        });
        break;
    case operation_kind::recvmsg:
        result = uninterrupted([&] { return ::recvmsg(fd, op.message, flags | MSG_DONTWAIT); });
        break;
    case operation_kind::sendmsg:
        result = uninterrupted([&] { return ::sendmsg(fd, op.message, flags | MSG_DONTWAIT | MSG_NOSIGNAL); });
        break;
    case operation_kind::accept:
        result = uninterrupted([&] {
            return ::accept4(fd, op.address, op.address ? &op.address_size : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        });
        break;
    case operation_kind::sendfile: result = send_file_once(op); break;
    case operation_kind::open:
        return uninterrupted(
            [&] { return ::open(static_cast<const char*>(op.data), flags, static_cast<::mode_t>(op.size)); });
    case operation_kind::close: return close_once(fd);
    case operation_kind::fsync: return uninterrupted([&] { return flags ? ::fdatasync(fd) : ::fsync(fd); });
    }
    return is_eagain(result) ? would_block : result;
}

} // namespace rondo::detail
