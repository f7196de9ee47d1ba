// An operation: what is asked of the backend, in the shape of io_uring. It lives in the awaiting frame or in a connection.
#pragma once

#include <cstddef>
#include <cstdint>

struct msghdr;
struct sockaddr;

namespace rondo::detail {

enum class operation_kind : std::uint8_t {
    poll,    // flags: POLLIN or POLLOUT, not both; result: the events (poll(2))
    read,    // buffer, size, offset (-1: the file's own position); result: bytes, 0 at the end (read(2))
    write,   // as read (write(2)); what nobody reads raises SIGPIPE unless the process ignores it
    recv,    // buffer, size, flags: MSG_*; result: bytes, 0 at the end (recv(2)). Without a buffer: see below
    send,    // buffer, size, flags: MSG_*; result: bytes (send(2)); never raises SIGPIPE
    recvmsg, // message, flags (recvmsg(2))
    sendmsg, // message, flags (sendmsg(2)); never raises SIGPIPE
    accept, // result: a non-blocking, close-on-exec descriptor; address and address_size are filled when set (accept4(2))
    connect, // address, address_size; result: 0 (connect(2))
    sendfile, // to fd, a non-blocking socket; flags: the file's descriptor; offset, size; result: bytes, 0 at the end of the
              // file (sendfile(2)); never raises SIGPIPE. The disk may keep the thread waiting.
    open,  // data: a path that ends with a 0 byte; flags: O_*; size: permissions; result: a descriptor (open(2))
    close, // of what open() has given; result: 0 (close(2))
    fsync, // flags: 1 for the data alone; result: 0 (fsync(2), fdatasync(2))
};

// No operation ends with EINTR or EAGAIN, but for a connect to a Unix socket whose queue is full: nothing tells when it is
// not. With MSG_WAITALL a recv or send on a stream ends when all `size` bytes were moved, at the end of the stream, at an
// error or when cancelled; what was moved by then is its result. Several operations may wait for one descriptor, and each is
// served once, but in which order is the kernel's affair: what needs an order has one operation of a kind pending.
// Descriptors should be non-blocking: a read or write on another may keep the thread waiting.

// A recv may leave `buffer` null where backend::gives_blocks(): who waits long then holds no memory. When there are bytes they
// come in a block of the buffer pool, of `size` bytes (one of the pool's capacities, 4 KiB or more), which `buffer` points to and
// which is the caller's from then on; with a result of 0 or less there is none.

/// idle -> submitted -> (cancelling ->) idle again, with `result` set. The memory of the operation, and all it points to,
/// stays valid from submit() until it has completed: a cancelled operation too is not done before its completion.
struct operation {
    using function = void (*)(operation&) noexcept;
    enum class state : std::uint8_t { idle, submitted, cancelling };

    operation(operation_kind k, function done) noexcept : kind(k), complete(done) {}
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;

    bool pending() const noexcept { return phase != state::idle; }

    operation_kind kind;
    state phase = state::idle; // set by the backend
    std::uint16_t note = 0;    // the backend's own; kept between two submits
    int fd = -1;
    std::uint32_t flags = 0;
    std::uint32_t address_size = 0; // in and out
    union {
        void* buffer = nullptr;
        const void* data; // write, send, open
        ::msghdr* message;
    };
    std::size_t size = 0;
    union {
        std::uint64_t offset = static_cast<std::uint64_t>(-1);
        ::sockaddr* address; // accept (may be null), connect
    };
    std::int64_t result = 0;   // >= 0, or -errno
    function complete;         // called in the loop's pass, once for each submit() that returned false
    operation* next = nullptr; // the backend's lists
    operation* previous = nullptr;
};

} // namespace rondo::detail
