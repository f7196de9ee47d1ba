// Descriptors to another process, over a Unix socket: send_fds() and recv_fds().
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/bytes.hpp>
#include <rondo/io/unique_fd.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace rondo {

/// What one message of Linux can carry (SCM_MAX_FD).
inline constexpr std::size_t most_fds = 253;

/// Sends all of `data`, and with its first byte copies of the descriptors (SCM_RIGHTS, unix(7)), which stay the caller's and
/// have to stay open until the await ends. `socket` is a Unix stream socket, by its descriptor, which should be non-blocking
/// and belong to no transport; in debug mode a blocking one is a value_error.
///
/// Suspends until the kernel has taken it. No data, or more than most_fds descriptors: value_error; other errors are a
/// std::system_error. Cancelled before its first byte was sent, nothing was sent; later, the descriptors and a part of the
/// data. O(size). (socket.send_fds)
///
///     const int fds[] = {log.fd()};
///     co_await rondo::send_fds(socket, "log", fds);
coro<> send_fds(int socket, bytes_view data, std::span<const int> fds);

struct received_fds {
    bytes data; // empty: the other side sends no more
    std::vector<unique_fd> fds;
};

/// Receives 1 to `n` bytes, and the descriptors that were sent with them, close-on-exec. Bytes that were sent with descriptors
/// do not come together with later bytes that have others.
///
/// Suspends. More descriptors than `max_fds`, or than the process may open: those that have come are closed, the bytes are
/// taken, and std::system_error (EMSGSIZE) is thrown. Cancelled when a message had come already, it gives that, and the
/// cancellation is told to the task's next wait: no descriptor is lost. (socket.recv_fds)
///
///     auto [data, fds] = co_await rondo::recv_fds(socket, 100, 1);
coro<received_fds> recv_fds(int socket, std::size_t n, std::size_t max_fds);

} // namespace rondo
