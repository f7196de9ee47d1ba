// The operating system of a simulated world: sockets, pipes, files, processes, signals, names, threads.
#pragma once

#include "loop/backend/os.hpp"

namespace rondo::sim::detail {

class simulation;

/// What it does not have is -ENOSYS, and the world remembers that it was asked for.
class simulated_os final : public rondo::detail::os {
public:
    explicit simulated_os(simulation& world) noexcept : world_(world) {}

    int open_socket(int family, int type, int protocol) noexcept override;
    int bind(int fd, const ::sockaddr* address, std::uint32_t size) noexcept override;
    int listen(int fd, int backlog) noexcept override;
    int set_option(int fd, int level, int name, int value) noexcept override;
    int get_option(int fd, int level, int name, int& value) noexcept override;
    int local_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept override;
    int peer_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept override;
    int shutdown(int fd, int how) noexcept override;
    int reset_on_close(int fd) noexcept override;
    int close(int fd) noexcept override;
    int make_pipe(int our_end, std::pair<int, int>& ends) noexcept override;
    int open_null(bool for_writing) noexcept override;
    int is_non_blocking(int fd) noexcept override;
    int adopt_pipe(int fd, bool for_writing) noexcept override;
    int adopt_file(int fd) noexcept override;
    std::int64_t file_size(int fd) noexcept override;
    std::int64_t seek(int fd, std::int64_t offset, int whence) noexcept override;
    std::int64_t perform(rondo::detail::operation& op) noexcept override;
    int truncate(int fd, std::uint64_t size) noexcept override;
    int permissions(const std::string& path) noexcept override;
    int set_permissions(int fd, unsigned permissions) noexcept override;
    int rename(const std::string& from, const std::string& to) noexcept override;
    int remove_file(const std::string& path) noexcept override;
    int sync_directory(const std::string& path) noexcept override;
    int unlink_socket(const std::string& path) noexcept override;
    int socket_in_use(const std::string& path) noexcept override;
    int file_identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) noexcept override;
    /// Empty: what the machine has set must not change a run.
    std::map<std::string, std::string> environment() override { return {}; }
    int spawn(const rondo::detail::spawn_request& request, rondo::detail::spawned_process& child) noexcept override;
    int reap(const rondo::detail::spawned_process& child, int& status) noexcept override;
    int send_signal(const rondo::detail::spawned_process& child, int signal) noexcept override;
    int watch_exit(const rondo::detail::spawned_process& child, std::function<void()> ended) noexcept override;
    int watch_signal(int signal, rondo::detail::signal_sink& sink) noexcept override;
    void unwatch_signal(int signal, rondo::detail::signal_sink& sink) noexcept override;
    bool has_default_action(int signal) noexcept override;
    bool in_main_thread() noexcept override { return true; }
    int resolve(const rondo::detail::name_request& request,
                std::vector<rondo::detail::resolved_name>& found) noexcept override;
    int name_of(const ::sockaddr* address, std::uint32_t size, int flags, std::string& host,
                std::string& service) noexcept override;
    std::shared_ptr<executor> make_thread_pool(std::size_t threads, std::string_view name) override;
    std::shared_ptr<executor> simulated_threads() override;

private:
    simulation& world_;
};

} // namespace rondo::sim::detail
