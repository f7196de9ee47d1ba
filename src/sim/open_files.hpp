// The open files of a simulated world: descriptors, calls, and operations.
#pragma once

#include <rondo/loop/detail/operation.hpp>
#include <rondo/sim/label.hpp>

#include "sim/disk.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rondo::sim::detail {

class simulation;

/// As Linux has them: open(2), read(2), write(2), fsync(2) and the like, with everything that can go wrong there. Functions give
/// what the call would, or -errno; they take no time. Operations take some.
class open_files {
public:
    explicit open_files(simulation& world) noexcept : world_(world) {}
    open_files(const open_files&) = delete;
    open_files& operator=(const open_files&) = delete;
    void clear() noexcept;

    bool has(int fd) const noexcept { return open_.contains(fd); }
    std::size_t open_count() const noexcept { return open_.size(); }
    void describe_open(std::vector<std::string>& to) const;

    // Calls
    int open(std::string_view path, int flags, unsigned permissions);
    /// /dev/null
    int open_null(bool for_writing);
    int close(int fd);
    /// offset -1: at the position, which moves on.
    std::int64_t read(int fd, std::span<std::byte> to, std::uint64_t offset);
    std::int64_t write(int fd, std::span<const std::byte> from, std::uint64_t offset);
    int sync(int fd);
    int truncate(int fd, std::uint64_t size);
    std::int64_t size(int fd) const;
    std::int64_t seek(int fd, std::int64_t offset, int whence);
    int set_permissions(int fd, unsigned permissions);
    int permissions(std::string_view path);
    int rename(std::string_view from, std::string_view to);
    int remove(std::string_view path);
    int sync_directory(std::string_view path);

    // Operations
    /// It is for files: of those alone the others are asked.
    bool takes(const rondo::detail::operation& op) const noexcept;
    std::int64_t perform(rondo::detail::operation& op);
    bool submit(rondo::detail::operation& op);
    /// False: it is not, or no longer, one that waits here.
    bool cancel(rondo::detail::operation& op);
    void cancel_all();

    detail::disk disk;

private:
    struct open_file {
        disk::file what; // null: /dev/null
        std::string path;
        int flags;
        unsigned power; // of the disk, when it was opened
        std::uint64_t position = 0;
    };
    /// 0, or why it cannot be used.
    int use(int fd, open_file*& found);
    std::size_t some_of(std::size_t n, label what);
    void answer(std::uint64_t number);

    simulation& world_;
    std::map<int, open_file> open_;
    std::map<std::uint64_t, rondo::detail::operation*> waiting_; // for the disk, in the order of submit()
    std::uint64_t submitted_ = 0;
};

} // namespace rondo::sim::detail
