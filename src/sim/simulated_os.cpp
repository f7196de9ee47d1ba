#include "sim/simulated_os.hpp"

#include "sim/simulation.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace rondo::sim::detail {

int simulated_os::open_socket(int family, int type, int) noexcept { return world_.network.open_socket(family, type); }
int simulated_os::bind(int fd, const ::sockaddr* address, std::uint32_t size) noexcept {
    return world_.network.bind(fd, socket_name(address, size));
}
int simulated_os::listen(int fd, int backlog) noexcept { return world_.network.listen(fd, backlog); }

/// Others change nothing here that a program could tell.
int simulated_os::set_option(int fd, int level, int name, int value) noexcept {
    endpoint* e = world_.network.find(fd);
    if (!e) return -EBADF;
    if (level == SOL_SOCKET && name == SO_REUSEPORT) e->reuse_port = value != 0;
    if (level == SOL_SOCKET && name == SO_BROADCAST) e->broadcast = value != 0;
    return 0;
}

int simulated_os::get_option(int fd, int level, int name, int& value) noexcept {
    endpoint* e = world_.network.find(fd);
    if (!e) return -EBADF;
    if (level != SOL_SOCKET) return world_.missing("socket options");
    switch (name) {
    case SO_ERROR: value = std::exchange(e->error, 0); return 0;
    case SO_TYPE: value = e->kind == endpoint_kind::datagrams ? SOCK_DGRAM : SOCK_STREAM; return 0;
    case SO_REUSEPORT: value = e->reuse_port; return 0;
    case SO_BROADCAST: value = e->broadcast; return 0;
    case SO_DOMAIN: value = e->family; return 0;
    case SO_ACCEPTCONN: value = e->kind == endpoint_kind::listening; return 0;
    default: return world_.missing("socket options");
    }
}

int simulated_os::local_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept {
    const endpoint* e = world_.network.find(fd);
    if (!e) return -EBADF;
    if (e->local.size > 0) {
        e->local.copy_to(address, size);
        return 0;
    }
    socket_name unnamed;
    unnamed.bytes.ss_family = static_cast<::sa_family_t>(e->family);
    unnamed.size = sizeof(::sa_family_t);
    unnamed.copy_to(address, size);
    return 0;
}

int simulated_os::peer_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept {
    const endpoint* e = world_.network.find(fd);
    if (!e) return -EBADF;
    const bool connected =
        e->kind == endpoint_kind::stream || (e->kind == endpoint_kind::datagrams && e->peer.size > 0);
    if (!connected) return -ENOTCONN;
    socket_name peer = e->peer;
    if (peer.size == 0) {
        peer.bytes.ss_family = static_cast<::sa_family_t>(e->family);
        peer.size = sizeof(::sa_family_t);
    }
    peer.copy_to(address, size);
    return 0;
}

int simulated_os::shutdown(int fd, int how) noexcept {
    return world_.network.shutdown(fd, how != SHUT_WR, how != SHUT_RD);
}
int simulated_os::reset_on_close(int fd) noexcept {
    endpoint* e = world_.network.find(fd);
    if (!e) return -EBADF;
    e->reset_on_close = true;
    return 0;
}
int simulated_os::close(int fd) noexcept { return world_.close(fd); }
int simulated_os::make_pipe(int, std::pair<int, int>& ends) noexcept { return world_.network.make_pipe(ends); }
int simulated_os::open_null(bool for_writing) noexcept { return world_.files.open_null(for_writing); }
int simulated_os::is_non_blocking(int fd) noexcept { return world_.network.find(fd) ? 1 : -EBADF; }
int simulated_os::adopt_pipe(int fd, bool) noexcept { return world_.network.find(fd) ? 1 : -EBADF; }

int simulated_os::adopt_file(int fd) noexcept {
    if (world_.files.has(fd)) return 0;
    return world_.network.find(fd) ? -EINVAL : -EBADF;
}
std::int64_t simulated_os::file_size(int fd) noexcept { return world_.files.size(fd); }
std::int64_t simulated_os::seek(int fd, std::int64_t offset, int whence) noexcept {
    return world_.files.seek(fd, offset, whence);
}
std::int64_t simulated_os::perform(rondo::detail::operation& op) noexcept {
    return op.result = world_.files.perform(op);
}
int simulated_os::truncate(int fd, std::uint64_t size) noexcept { return world_.files.truncate(fd, size); }
int simulated_os::permissions(const std::string& path) noexcept { return world_.files.permissions(path); }
int simulated_os::set_permissions(int fd, unsigned permissions) noexcept {
    return world_.files.set_permissions(fd, permissions);
}
int simulated_os::rename(const std::string& from, const std::string& to) noexcept {
    return world_.files.rename(from, to);
}
int simulated_os::remove_file(const std::string& path) noexcept { return world_.files.remove(path); }
int simulated_os::sync_directory(const std::string& path) noexcept { return world_.files.sync_directory(path); }
int simulated_os::unlink_socket(const std::string& path) noexcept { return world_.network.unlink(path); }
int simulated_os::socket_in_use(const std::string& path) noexcept { return world_.network.in_use(path); }
int simulated_os::file_identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) noexcept {
    return world_.network.identity(path, id);
}

int simulated_os::spawn(const rondo::detail::spawn_request& request, rondo::detail::spawned_process& child) noexcept {
    return world_.processes.spawn(request, child);
}
int simulated_os::reap(const rondo::detail::spawned_process& child, int& status) noexcept {
    return world_.processes.reap(child, status);
}
int simulated_os::send_signal(const rondo::detail::spawned_process& child, int signal) noexcept {
    return world_.processes.send_signal(child, signal);
}
int simulated_os::watch_exit(const rondo::detail::spawned_process& child, std::function<void()> ended) noexcept {
    return world_.processes.watch_exit(child, std::move(ended));
}
int simulated_os::watch_signal(int signal, rondo::detail::signal_sink& sink) noexcept {
    return world_.signals.watch(signal, sink);
}
void simulated_os::unwatch_signal(int signal, rondo::detail::signal_sink& sink) noexcept {
    world_.signals.unwatch(signal, sink);
}
bool simulated_os::has_default_action(int signal) noexcept { return !world_.signals.is_watched(signal); }
int simulated_os::resolve(const rondo::detail::name_request& request,
                          std::vector<rondo::detail::resolved_name>& found) noexcept {
    return world_.names.look_up(request, found);
}
int simulated_os::name_of(const ::sockaddr* address, std::uint32_t size, int flags, std::string& host,
                          std::string& service) noexcept {
    return world_.names.name_of(socket_name(address, size), flags, host, service);
}
std::shared_ptr<executor> simulated_os::make_thread_pool(std::size_t, std::string_view) {
    return world_.make_executor();
}
std::shared_ptr<executor> simulated_os::simulated_threads() { return world_.make_executor(); }

} // namespace rondo::sim::detail
