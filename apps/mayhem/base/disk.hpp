// Where files are: the seam to the machine's, or to a disk that a test makes fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace mayhem {

/// The calls of Linux that durable state needs; all block. Results are >= 0, or -errno. Any thread; one descriptor is one
/// thread's.
class disk {
public:
    virtual ~disk() = default;

    virtual int open(const std::filesystem::path& path, int flags) = 0; // O_*; close-on-exec
    virtual void close(int fd) noexcept = 0;
    virtual std::int64_t size(int fd) = 0;
    virtual std::int64_t read(int fd, char* to, std::size_t n, std::uint64_t offset) = 0;
    virtual std::int64_t write(int fd, std::string_view data) = 0; // where open() has said
    virtual int truncate(int fd, std::uint64_t size) = 0;
    virtual int sync(int fd) = 0;
    /// 0: another process holds it.
    virtual int try_lock(int fd) = 0;

    virtual bool exists(const std::filesystem::path& path) = 0;
    virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
    /// With its parents, where it is not there; and this process may write to it.
    virtual int make_directory(const std::filesystem::path& path) = 0;
    virtual int sync_directory(const std::filesystem::path& path) = 0;

    /// The name under which SQLite knows this disk; null: its own.
    virtual const char* sqlite_vfs() const noexcept { return nullptr; }
};

/// This machine's.
disk& real_disk() noexcept;

} // namespace mayhem
