// async_file: a file whose reads and writes are awaited.
#pragma once

#include <rondo/coro/config.hpp>
#include <rondo/coro/coro.hpp>
#include <rondo/io/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace rondo {

namespace detail {
class file_core;
} // namespace detail

struct open_file_options {
    unsigned permissions = 0666; // of a file that is made; less the process's umask
    int flags = 0;               // more O_* for open(2): O_DIRECT, O_NOFOLLOW, ...
};

/// What seek() counts from.
enum class seek_from { start, current, end };

/// An open file, closed by its destructor. Movable; closed and null when default-constructed or moved from. Under io_uring the
/// kernel does the work; under epoll the default executor's threads, with a copy of the data. Either way the loop goes on
/// meanwhile.
///
/// Every await suspends until it is done. Cancelled before it has begun, nothing has happened; once the disk works on it, it
/// is waited for, and what was read or written by then is given, with the cancellation told to the task's next wait. So no
/// write ever comes late. Buffers are borrowed until the await ends. The file may be destroyed meanwhile, and is closed then.
///
/// Errors are std::system_error and name the operation and the path; a file that is closed: runtime_error, and so is a second
/// read() or write() at the position while one is going on; read_at() and write_at() may be as many as you like. Belongs to
/// the loop it was opened in, which closes it. (Trio's AsyncFile, of bytes)
///
///     rondo::async_file log = co_await rondo::open_file("app.log", "a");
///     co_await log.write("started\n");
///     co_await log.sync();
///     co_await log.aclose();
class async_file {
public:
    async_file() noexcept;
    async_file(async_file&&) noexcept;
    async_file& operator=(async_file&&) noexcept;
    ~async_file();

    /// From the position, which moves on: 1 to n bytes, or none at the end of the file; as many as there are, for n up to 1 MiB.
    RONDO_CORO_OWNER coro<bytes> read(std::size_t n);
    RONDO_CORO_WRAPPER coro<std::size_t> read_into(std::span<std::byte> buffer);
    /// To the end of the file.
    RONDO_CORO_OWNER coro<bytes> read_all();
    /// From a place of the file; the position stays. n bytes, or fewer at the end of the file.
    RONDO_CORO_OWNER coro<bytes> read_at(std::uint64_t offset, std::size_t n);

    /// All of it, at the position, which moves on; opened with "a": at the end. Cancelled or failed in the middle, tell() says how
    /// far it came.
    RONDO_CORO_WRAPPER coro<> write(bytes_view data);
    /// All of it, at a place of the file; the position stays. Opened with "a" it goes to the end (pwrite(2)).
    RONDO_CORO_WRAPPER coro<> write_at(std::uint64_t offset, bytes_view data);

    /// These three do not wait. The new position.
    std::uint64_t seek(std::int64_t offset, seek_from from = seek_from::start);
    std::uint64_t tell() const;
    std::uint64_t size() const;

    /// Cuts off, or fills with zeroes; the position stays.
    RONDO_CORO_OWNER coro<> truncate(std::uint64_t size);
    /// Until everything written would survive a loss of power (fsync(2)).
    RONDO_CORO_OWNER coro<> sync();
    /// The same, without what only describes the file, like its times (fdatasync(2)).
    RONDO_CORO_OWNER coro<> sync_data();

    /// Closes; an error that the system kept back until now is thrown. Is not interrupted: the file is closed in any case.
    /// Nothing when it is closed already.
    RONDO_CORO_OWNER coro<> aclose();
    /// The same without waiting and without errors, for local disks; the destructor does this.
    void close() noexcept;
    bool is_open() const noexcept;
    /// -1 when closed. It stays the file's.
    int fd() const noexcept;
    /// As it was given to open_file().
    const std::string& path() const noexcept;

private:
    friend coro<async_file> open_file(std::string path, std::string mode, open_file_options options);
    explicit async_file(std::shared_ptr<detail::file_core> core) noexcept;
    std::shared_ptr<detail::file_core> core_;
};

/// Opens a file in the running loop. `mode` is as for fopen(3) and Python's open(): "r" reads; "w" writes, made or emptied; "a"
/// writes at the end, made if need be; "x" writes a file that must not have been there; each with "+" for both directions. A "b"
/// is ignored. Any other: value_error. Close-on-exec. std::system_error names the path.
///
/// A FIFO, a socket or a terminal is a value_error: <rondo/io/connect_pipe.hpp> is for those.
coro<async_file> open_file(std::string path, std::string mode = "r", open_file_options options = {});

} // namespace rondo
