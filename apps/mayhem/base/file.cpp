#include "base/file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

int open_or_throw(const std::filesystem::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot open " + path.string());
    return fd;
}

} // namespace

file::file(const std::filesystem::path& path, mode how) : path_(path), fd_(open_or_throw(path, open_flags(how))) {}

file::file(file&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

file& file::operator=(file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
}

file::~file() {
    if (fd_ >= 0) ::close(fd_);
}

std::uint64_t file::size() const {
    struct stat status{};
    if (::fstat(fd_, &status) != 0) fail("examine");
    return static_cast<std::uint64_t>(status.st_size);
}

std::string file::read_all() const {
    std::string text(size(), '\0');
    std::size_t have = 0;
    for (;;) {
        if (have == text.size())
            text.resize(text.size() + 4096); // it may have grown: only a read of nothing is its end
        const ssize_t n = ::pread(fd_, text.data() + have, text.size() - have, static_cast<off_t>(have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("read");
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    text.resize(have);
    return text;
}

void file::write_all(std::string_view data) {
    while (!data.empty()) {
        const ssize_t n = ::write(fd_, data.data(), data.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("write");
        data.remove_prefix(static_cast<std::size_t>(n));
    }
}

void file::truncate(std::uint64_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) fail("truncate");
}

void file::sync() {
    if (::fdatasync(fd_) != 0) fail("sync");
}

bool file::try_lock() {
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) fail("lock");
    return false;
}

void file::fail(const char* verb) const {
    throw std::system_error(errno, std::generic_category(), std::string("cannot ") + verb + " " + path_.string());
}

void sync_directory(const std::filesystem::path& directory) {
    const std::filesystem::path place = directory.empty() ? "." : directory;
    const int fd = open_or_throw(place, O_RDONLY | O_DIRECTORY);
    const int failed = ::fsync(fd) != 0 ? errno : 0;
    ::close(fd);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "cannot sync " + place.string());
}

void replace_file(const std::filesystem::path& path, std::string_view text) {
    std::filesystem::path fresh = path;
    fresh += ".mayhem-new";
    {
        file out(fresh, file::mode::create);
        out.write_all(text);
        out.sync();
    }
    std::filesystem::rename(fresh, path);
    sync_directory(path.parent_path());
}

} // namespace mayhem
