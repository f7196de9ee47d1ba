#include "base/disk.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mayhem {

namespace {

template <class Call> std::int64_t uninterrupted(Call call) {
    for (;;) {
        const std::int64_t result = call();
        if (result >= 0) return result;
        if (errno != EINTR) return -errno;
    }
}

int zero_or_error(int result) noexcept { return result < 0 ? -errno : 0; }

class machine final : public disk {
public:
    int open(const std::filesystem::path& path, int flags) override {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
        return fd < 0 ? -errno : fd;
    }
    void close(int fd) noexcept override { ::close(fd); }
    std::int64_t size(int fd) override {
        struct stat status{};
        return ::fstat(fd, &status) < 0 ? -errno : static_cast<std::int64_t>(status.st_size);
    }
    std::int64_t read(int fd, char* to, std::size_t n, std::uint64_t offset) override {
        return uninterrupted([&] { return ::pread(fd, to, n, static_cast<off_t>(offset)); });
    }
    std::int64_t write(int fd, std::string_view data) override {
        return uninterrupted([&] { return ::write(fd, data.data(), data.size()); });
    }
    int truncate(int fd, std::uint64_t size) override {
        return zero_or_error(::ftruncate(fd, static_cast<off_t>(size)));
    }
    int sync(int fd) override { return zero_or_error(::fdatasync(fd)); }
    int try_lock(int fd) override {
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return 1;
        return errno == EWOULDBLOCK ? 0 : -errno;
    }
    bool exists(const std::filesystem::path& path) override { return std::filesystem::exists(path); }
    int rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        std::error_code failed;
        std::filesystem::rename(from, to, failed);
        return -failed.value();
    }
    int make_directory(const std::filesystem::path& path) override {
        std::error_code failed;
        std::filesystem::create_directories(path, failed);
        if (failed) return -failed.value();
        if (!std::filesystem::is_directory(path, failed)) return -ENOTDIR;
        return zero_or_error(::access(path.c_str(), W_OK | X_OK));
    }
    int sync_directory(const std::filesystem::path& path) override {
        const int fd = open(path, O_RDONLY | O_DIRECTORY);
        if (fd < 0) return fd;
        const int result = zero_or_error(::fsync(fd));
        ::close(fd);
        return result;
    }
};

} // namespace

disk& real_disk() noexcept {
    static machine the_only_one;
    return the_only_one;
}

} // namespace mayhem
