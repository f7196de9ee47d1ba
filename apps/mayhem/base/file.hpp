// A file descriptor with the few operations that durable state needs. They block: they are for start, end and writer threads.
#pragma once

#include "base/disk.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace mayhem {

/// Owns a descriptor, which no child process inherits. Every failure is a std::system_error whose message names the file.
class file {
public:
    enum class mode { read, append, create }; // create: for reading and writing, truncated

    file() noexcept = default;
    file(const std::filesystem::path& path, mode how, disk& on = real_disk());
    file(file&& other) noexcept;
    file& operator=(file&& other) noexcept;
    ~file();

    explicit operator bool() const noexcept { return fd_ >= 0; }

    std::uint64_t size() const;
    std::string read_all() const;
    void write_all(std::string_view data);
    void truncate(std::uint64_t size);
    void sync();

    /// False when another process holds it. Held until this object or its process ends.
    bool try_lock();

private:
    std::filesystem::path path_;
    disk* disk_ = nullptr;
    int fd_ = -1;
};

/// Makes a creation, a rename or a removal in `directory` durable.
void sync_directory(const std::filesystem::path& directory, disk& on = real_disk());

/// The file has the old text or the new text at every moment, also after a crash.
void replace_file(const std::filesystem::path& path, std::string_view text, disk& on = real_disk());

} // namespace mayhem
