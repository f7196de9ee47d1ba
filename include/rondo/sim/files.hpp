// The files of a simulated world from outside, and as system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rondo::sim {

namespace detail {
class simulation;
}

/// A view of the world's one disk; world().files() gives it. Directories are there as soon as a file is named in them. What is
/// written is seen by every reader at once, and is on the medium when sync() says so; a name is there when its directory was
/// synced.
///
/// Code that blocks on files of its own (a database's, in a thread) comes here by the calls: they are what Linux has, give
/// what it gives, or -errno, and fail as the run's choices say. Everything else here looks and prepares, and never fails.
///
///     rondo::sim::world().files().put("/etc/motd", "hello\n");
class simulated_files {
public:
    explicit simulated_files(detail::simulation& world) noexcept : world_(&world) {}

    std::vector<std::string> names() const;
    bool exists(std::string_view path) const;
    /// As a reader sees it; nullopt: there is no such file.
    std::optional<std::string> contents(std::string_view path) const;
    /// There from now on, whatever happens to the power.
    void put(std::string_view path, std::string_view contents);

    // Calls. `flags`: O_*
    int open(std::string_view path, int flags, unsigned permissions = 0666);
    int close(int fd);
    std::int64_t read_at(int fd, std::span<std::byte> to, std::uint64_t offset);
    std::int64_t write_at(int fd, std::span<const std::byte> from, std::uint64_t offset);
    /// At the position, or with O_APPEND at the end.
    std::int64_t write(int fd, std::span<const std::byte> from);
    std::int64_t size(int fd) const;
    int truncate(int fd, std::uint64_t size);
    int sync(int fd);
    int rename(std::string_view from, std::string_view to);
    int remove(std::string_view path);
    int sync_directory(std::string_view path);

private:
    detail::simulation* world_;
};

} // namespace rondo::sim
