// The files of a simulated world under their names, and a loss of power.
#pragma once

#include "sim/stored_file.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rondo::sim::detail {

class simulation;

/// Directories are there as soon as a file is named in them. Names are on the medium when their directory is synced; until then a
/// loss of power may take the latest of them back, in order, as a journalling file system does. A rename happens whole or
/// not at all. Functions give 0 or -errno.
class disk {
public:
    using file = std::shared_ptr<stored_file>;

    void clear() noexcept;

    /// Absolute, without "." and "..": relative ones are below /.
    static std::string full_path(std::string_view path);

    // Paths are full ones.
    /// Null: there is none.
    file find(const std::string& path) const noexcept;
    bool is_directory(const std::string& path) const noexcept;
    file create(const std::string& path, unsigned permissions);
    int rename(const std::string& from, const std::string& to);
    int remove(const std::string& path);
    void sync_directory(const std::string& path);
    std::vector<std::string> names() const;

    /// What is not on the medium is there, or not, as the tape chooses. What was open before is not any more: power() changes.
    void lose_power(simulation& world);
    unsigned power() const noexcept { return power_; }

private:
    using directory = std::map<std::string, file>;
    struct name_change {
        std::string from; // is not there any more; empty: none
        std::string to;   // is `what` now; empty: none
        file what;
        void apply(directory& in) const;
        std::string_view place() const noexcept; // the directory
    };
    void change(name_change c);

    directory seen_;
    directory medium_;
    std::vector<name_change> changes_; // of names, not on the medium
    std::uint64_t next_number_ = 1;
    unsigned power_ = 0;
};

} // namespace rondo::sim::detail
