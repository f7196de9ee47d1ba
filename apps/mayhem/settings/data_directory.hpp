// The directory that holds everything mayhem must not lose, and the right to use it.
#pragma once

#include "base/file.hpp"

#include <filesystem>

namespace mayhem {

/// Exclusive use of a data directory for as long as this object lives; another mayhem gets bad_input that names our process.
/// Creates the directory when there is none. Throws bad_input when it cannot be created or written to.
class data_directory {
public:
    explicit data_directory(const std::filesystem::path& path, disk& on = real_disk());

    const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path journal() const { return path_ / "requests.journal"; }
    std::filesystem::path database() const { return path_ / "restarts.db"; }

private:
    std::filesystem::path path_;
    file lock_;
};

/// Throws bad_input when a file of this name could not be written later. Leaves an existing file as it is.
void check_writable_file(const std::filesystem::path& path, const char* option);

} // namespace mayhem
