#include "base/file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace mayhem {

namespace {

int open_flags(file::mode how) noexcept {
    switch (how) {
    case file::mode::read: return O_RDONLY;
    case file::mode::append: return O_RDWR | O_CREAT | O_APPEND;
    case file::mode::create: break;
    }
    return O_RDWR | O_CREAT | O_TRUNC;
}

void check(std::int64_t result, const char* verb, const std::filesystem::path& what) {
    if (result < 0) {
        throw std::system_error(static_cast<int>(-result), std::generic_category(),
                                std::string("cannot ") + verb + " " + what.string());
    }
}

} // namespace

file::file(const std::filesystem::path& path, mode how, disk& on)
    : path_(path), disk_(&on), fd_(on.open(path, open_flags(how))) {
    check(fd_, "open", path_);
}

file::file(file&& other) noexcept
    : path_(std::move(other.path_)), disk_(other.disk_), fd_(std::exchange(other.fd_, -1)) {}

file& file::operator=(file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(disk_, other.disk_);
    std::swap(fd_, other.fd_);
    return *this;
}

file::~file() {
    if (fd_ >= 0) disk_->close(fd_);
}

std::uint64_t file::size() const {
    const std::int64_t size = disk_->size(fd_);
    check(size, "examine", path_);
    return static_cast<std::uint64_t>(size);
}

std::string file::read_all() const {
    std::string text(size(), '\0');
    std::size_t have = 0;
    for (;;) {
        if (have == text.size())
            text.resize(text.size() + 4096); // it may have grown: only a read of nothing is its end
        const std::int64_t n = disk_->read(fd_, text.data() + have, text.size() - have, have);
        check(n, "read", path_);
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    text.resize(have);
    return text;
}

void file::write_all(std::string_view data) {
    while (!data.empty()) {
        const std::int64_t n = disk_->write(fd_, data);
        check(n, "write", path_);
        data.remove_prefix(static_cast<std::size_t>(n));
    }
}

void file::truncate(std::uint64_t size) { check(disk_->truncate(fd_, size), "truncate", path_); }

void file::sync() { check(disk_->sync(fd_), "sync", path_); }

bool file::try_lock() {
    const int locked = disk_->try_lock(fd_);
    check(locked, "lock", path_);
    return locked != 0;
}

void sync_directory(const std::filesystem::path& directory, disk& on) {
    const std::filesystem::path place = directory.empty() ? "." : directory;
    check(on.sync_directory(place), "sync", place);
}

void replace_file(const std::filesystem::path& path, std::string_view text, disk& on) {
    std::filesystem::path fresh = path;
    fresh += ".mayhem-new";
    {
        file out(fresh, file::mode::create, on);
        out.write_all(text);
        out.sync();
    }
    check(on.rename(fresh, path), "replace", path);
    sync_directory(path.parent_path(), on);
}

} // namespace mayhem
