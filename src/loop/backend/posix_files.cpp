#include "loop/backend/or_error.hpp"
#include "loop/backend/perform.hpp"
#include "loop/backend/posix_os.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rondo::detail {

int posix_os::adopt_file(int fd) noexcept {
    struct ::stat found{};
    if (::fstat(fd, &found) < 0) return -errno;
    if (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode) || (S_ISCHR(found.st_mode) && ::isatty(fd))) return -EINVAL;
    const int flags = ::fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : or_error(::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

std::int64_t posix_os::file_size(int fd) noexcept {
    struct ::stat found{};
    return ::fstat(fd, &found) < 0 ? -errno : found.st_size;
}

std::int64_t posix_os::seek(int fd, std::int64_t offset, int whence) noexcept {
    const std::int64_t now = ::lseek(fd, offset, whence);
    return now < 0 ? -errno : now;
}

std::int64_t posix_os::perform(operation& op) noexcept {
    op.result = 0;
    op.result = detail::perform(op, false);
    if (op.result == would_block) op.result = -EAGAIN;
    return op.result;
}

int posix_os::truncate(int fd, std::uint64_t size) noexcept {
    for (;;) {
        if (::ftruncate(fd, static_cast<off_t>(size)) == 0) return 0;
        if (errno != EINTR) return -errno;
    }
}

int posix_os::permissions(const std::string& path) noexcept {
    struct ::stat found{};
    return ::stat(path.c_str(), &found) < 0 ? -errno : static_cast<int>(found.st_mode & 07777);
}

int posix_os::set_permissions(int fd, unsigned permissions) noexcept {
    return or_error(::fchmod(fd, static_cast<::mode_t>(permissions)));
}

int posix_os::rename(const std::string& from, const std::string& to) noexcept {
    return or_error(std::rename(from.c_str(), to.c_str()));
}

int posix_os::remove_file(const std::string& path) noexcept { return or_error(::unlink(path.c_str())); }

int posix_os::sync_directory(const std::string& path) noexcept {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = or_error(::fsync(fd));
    ::close(fd);
    return result;
}

} // namespace rondo::detail
