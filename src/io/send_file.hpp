// Sending a file on a socket.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/options.hpp>

#include <cstddef>

namespace rondo {
class event_loop;
class transport;
} // namespace rondo

namespace rondo::detail {

class sending_lease;

/// Sets the file's position when it dies: behind the bytes that were sent by then.
class file_progress {
public:
    file_progress(event_loop& loop, int file, std::size_t offset) noexcept
        : loop_(loop), file_(file), offset_(offset) {}
    file_progress(const file_progress&) = delete;
    file_progress& operator=(const file_progress&) = delete;
    ~file_progress();
    std::size_t next() const noexcept { return offset_ + sent; }

    std::size_t sent = 0;

private:
    event_loop& loop_;
    int file_;
    std::size_t offset_;
};

/// `lease` (may be null): whose connection the socket is.
struct file_destination {
    int fd;
    sending_lease* lease;
    std::size_t buffer_size; // where the kernel cannot
    const char* method;
};

/// Checked arguments. What sock_sendfile() promises of the position, the fallback and errors.
coro<std::size_t> send_file(event_loop& loop, file_destination to, int file, sendfile_options options);
/// Without the kernel's help, on any transport.
coro<std::size_t> send_file_by_writing(event_loop& loop, transport& to, int file, sendfile_options options);

} // namespace rondo::detail
