// The disk of a simulated world, for the journal and for SQLite.
#pragma once

#include "base/disk.hpp"

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mayhem::test {

/// What one life of the service has of the world's disk. Used inside of a simulated run; outlives every file on it. SQLite
/// finds it under its name as long as it lives.
class simulated_disk final : public disk {
public:
    explicit simulated_disk(std::string name);
    simulated_disk(const simulated_disk&) = delete;
    simulated_disk& operator=(const simulated_disk&) = delete;
    ~simulated_disk() override;

    /// The power goes, and with it the machine that this life ran on: whatever it still does, it does to nothing.
    void die();
    /// The same at the n-th change of a file from now on, which is half done then.
    void die_at(unsigned change) noexcept { left_ = change; }
    bool may_die() const noexcept { return left_ > 0; }
    bool is_dead() const noexcept { return dead_; }

    int open(const std::filesystem::path& path, int flags) override;
    void close(int fd) noexcept override;
    std::int64_t size(int fd) override;
    std::int64_t read(int fd, char* to, std::size_t n, std::uint64_t offset) override;
    std::int64_t write(int fd, std::string_view data) override;
    int truncate(int fd, std::uint64_t size) override;
    int sync(int fd) override;
    int try_lock(int fd) override;
    bool exists(const std::filesystem::path& path) override;
    int rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
    int make_directory(const std::filesystem::path& path) override;
    int sync_directory(const std::filesystem::path& path) override;
    const char* sqlite_vfs() const noexcept override { return name_.c_str(); }

    // For SQLite
    std::int64_t write_at(int fd, std::string_view data, std::uint64_t offset);
    int remove(const std::string& path);
    /// The index of a write-ahead log: memory that the connections of one process share.
    std::vector<std::unique_ptr<unsigned char[]>>& shared_memory(const std::string& path) { return shared_[path]; }

private:
    std::string name_;
    ::sqlite3_vfs vfs_{};
    std::map<std::string, std::vector<std::unique_ptr<unsigned char[]>>> shared_;
    /// One is about to happen. True: the power has gone.
    bool changes();
    unsigned left_ = 0; // until die(); 0: never
    bool dead_ = false;
};

} // namespace mayhem::test
