#include "loop/backend/posix_os.hpp"

#include <rondo/loop/executor.hpp>

#include "loop/backend/or_error.hpp"
#include "loop/backend/os_thread.hpp"
#include "loop/backend/process_spawn.hpp"

#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

/// A write into a pipe that nobody reads is to be an error (EPIPE), not the end of the process.
void ignore_broken_pipes() noexcept {
    struct ::sigaction now{};
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL)
        ::signal(SIGPIPE, SIG_IGN);
}

} // namespace

int posix_os::open_socket(int family, int type, int protocol) noexcept {
    return or_error(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}
int posix_os::bind(int fd, const ::sockaddr* address, std::uint32_t size) noexcept {
    return or_error(::bind(fd, address, size));
}
int posix_os::listen(int fd, int backlog) noexcept { return or_error(::listen(fd, backlog)); }
int posix_os::set_option(int fd, int level, int name, int value) noexcept {
    return or_error(::setsockopt(fd, level, name, &value, sizeof value));
}
int posix_os::get_option(int fd, int level, int name, int& value) noexcept {
    ::socklen_t size = sizeof value;
    return or_error(::getsockopt(fd, level, name, &value, &size));
}
int posix_os::local_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept {
    return or_error(::getsockname(fd, address, &size));
}
int posix_os::peer_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept {
    return or_error(::getpeername(fd, address, &size));
}
int posix_os::shutdown(int fd, int how) noexcept { return or_error(::shutdown(fd, how)); }
int posix_os::reset_on_close(int fd) noexcept {
    const ::linger at_once{.l_onoff = 1, .l_linger = 0};
    return or_error(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

int posix_os::close(int fd) noexcept {
    // Linux has closed the descriptor even when it reports EINTR.
    return ::close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int posix_os::make_pipe(int our_end, std::pair<int, int>& ends) noexcept {
    if (our_end == 1) ignore_broken_pipes();
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) < 0) return -errno;
    if (::fcntl(fds[our_end], F_SETFL, O_NONBLOCK) < 0) {
        const int error = errno;
        ::close(fds[0]);
        ::close(fds[1]);
        return -error;
    }
    ends = {fds[0], fds[1]};
    return 0;
}

int posix_os::open_null(bool for_writing) noexcept {
    return or_error(::open("/dev/null", (for_writing ? O_WRONLY : O_RDONLY) | O_CLOEXEC));
}

int posix_os::is_non_blocking(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : (flags & O_NONBLOCK) != 0;
}

int posix_os::adopt_pipe(int fd, bool for_writing) noexcept {
    struct ::stat found{};
    if (::fstat(fd, &found) < 0) return -errno;
    const bool pipe = S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode);
    if (!pipe && !S_ISCHR(found.st_mode)) return -EINVAL;
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    if (for_writing) ignore_broken_pipes();
    return pipe;
}

int posix_os::unlink_socket(const std::string& path) noexcept {
    struct ::stat found{};
    if (::lstat(path.c_str(), &found) < 0) return -errno;
    if (!S_ISSOCK(found.st_mode)) return -ENOTSOCK;
    return or_error(::unlink(path.c_str()));
}

/// A connect() by a socket of another type finds whoever is bound (EPROTOTYPE) without making a connection (unix(7)).
int posix_os::socket_in_use(const std::string& path) noexcept {
    ::sockaddr_un name{};
    if (path.size() >= sizeof name.sun_path) return -ENAMETOOLONG;
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, path.size());
    const int probe = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) return -errno;
    const int error = ::connect(probe, reinterpret_cast<const ::sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
    ::close(probe);
    if (error == ECONNREFUSED || error == ENOENT) return 0;
    return error == 0 || error == EPROTOTYPE ? 1 : -error;
}

int posix_os::file_identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) noexcept {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) < 0) return -errno;
    id = {found.st_dev, found.st_ino};
    return 0;
}

std::map<std::string, std::string> posix_os::environment() {
    std::map<std::string, std::string> all;
    for (char** variable = environ; variable && *variable; ++variable) {
        const std::string_view text = *variable;
        const std::size_t end_of_name = text.find('=', 1);
        if (end_of_name != text.npos) all.emplace(text.substr(0, end_of_name), text.substr(end_of_name + 1));
    }
    return all;
}

int posix_os::spawn(const spawn_request& request, spawned_process& child) noexcept {
    return spawn_process(request, child);
}

int posix_os::reap(const spawned_process& child, int& status) noexcept {
    ::siginfo_t info{};
    // Without a pidfd the number will do: it is the child's until it is reaped.
    const ::idtype_t by = child.pidfd >= 0 ? P_PIDFD : P_PID;
    const auto id = static_cast<::id_t>(child.pidfd >= 0 ? child.pidfd : child.pid);
    while (::waitid(by, id, &info, WEXITED | WNOHANG) < 0) {
        if (errno != EINTR) return -errno;
    }
    if (info.si_pid == 0) return 0;
    status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    return 1;
}

int posix_os::send_signal(const spawned_process& child, int signal) noexcept {
    if (child.pidfd < 0) return or_error(::kill(child.pid, signal));
    // glibc's wrapper cannot be called from C++: its header (2.36) forgets extern "C".
    return ::syscall(SYS_pidfd_send_signal, child.pidfd, signal, nullptr, 0) < 0 ? -errno : 0;
}

int posix_os::watch_exit(const spawned_process& child, std::function<void()> ended) noexcept {
    try {
        start_thread("rondo-wait", [pid = static_cast<::id_t>(child.pid), ended = std::move(ended)] {
            ::siginfo_t info{};
            while (::waitid(P_PID, pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {}
            ended();
        }).detach();
        return 0;
    } catch (const std::system_error& e) {
        return -e.code().value();
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

bool posix_os::in_main_thread() noexcept { return ::gettid() == ::getpid(); }

std::shared_ptr<executor> posix_os::make_thread_pool(std::size_t threads, std::string_view name) {
    return std::make_shared<thread_pool>(threads, name);
}

} // namespace rondo::detail
