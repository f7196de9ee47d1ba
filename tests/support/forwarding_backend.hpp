// A backend and an operating system that pass everything on: a test overrides what is to go wrong, or to be somewhere else.
#pragma once

#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "support/simulated_loop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace rondo::test {

/// Does the work at once, in the thread that brings it.
class inline_executor final : public executor {
public:
    void submit(std::function<void()> work) override { work(); }
};

class forwarding_os : public detail::os {
public:
    explicit forwarding_os(detail::os& to) noexcept : to_(to) {}

    int open_socket(int family, int type, int protocol) noexcept override {
        return to_.open_socket(family, type, protocol);
    }
    int bind(int fd, const ::sockaddr* a, std::uint32_t size) noexcept override { return to_.bind(fd, a, size); }
    int listen(int fd, int backlog) noexcept override { return to_.listen(fd, backlog); }
    int set_option(int fd, int level, int name, int value) noexcept override {
        return to_.set_option(fd, level, name, value);
    }
    int get_option(int fd, int level, int name, int& value) noexcept override {
        return to_.get_option(fd, level, name, value);
    }
    int local_address(int fd, ::sockaddr* a, std::uint32_t& size) noexcept override {
        return to_.local_address(fd, a, size);
    }
    int peer_address(int fd, ::sockaddr* a, std::uint32_t& size) noexcept override {
        return to_.peer_address(fd, a, size);
    }
    int shutdown(int fd, int how) noexcept override { return to_.shutdown(fd, how); }
    int reset_on_close(int fd) noexcept override { return to_.reset_on_close(fd); }
    int close(int fd) noexcept override { return to_.close(fd); }
    int make_pipe(int our_end, std::pair<int, int>& ends) noexcept override { return to_.make_pipe(our_end, ends); }
    int open_null(bool for_writing) noexcept override { return to_.open_null(for_writing); }
    int is_non_blocking(int fd) noexcept override { return to_.is_non_blocking(fd); }
    int adopt_pipe(int fd, bool for_writing) noexcept override { return to_.adopt_pipe(fd, for_writing); }
    int adopt_file(int fd) noexcept override { return to_.adopt_file(fd); }
    std::int64_t file_size(int fd) noexcept override { return to_.file_size(fd); }
    std::int64_t seek(int fd, std::int64_t offset, int whence) noexcept override {
        return to_.seek(fd, offset, whence);
    }
    std::int64_t perform(detail::operation& op) noexcept override { return to_.perform(op); }
    int truncate(int fd, std::uint64_t size) noexcept override { return to_.truncate(fd, size); }
    int permissions(const std::string& path) noexcept override { return to_.permissions(path); }
    int set_permissions(int fd, unsigned mode) noexcept override { return to_.set_permissions(fd, mode); }
    int rename(const std::string& from, const std::string& to) noexcept override { return to_.rename(from, to); }
    int remove_file(const std::string& path) noexcept override { return to_.remove_file(path); }
    int sync_directory(const std::string& path) noexcept override { return to_.sync_directory(path); }
    int unlink_socket(const std::string& path) noexcept override { return to_.unlink_socket(path); }
    int socket_in_use(const std::string& path) noexcept override { return to_.socket_in_use(path); }
    int file_identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) noexcept override {
        return to_.file_identity(path, id);
    }
    std::map<std::string, std::string> environment() override { return to_.environment(); }
    int spawn(const detail::spawn_request& request, detail::spawned_process& child) noexcept override {
        return to_.spawn(request, child);
    }
    int reap(const detail::spawned_process& child, int& status) noexcept override { return to_.reap(child, status); }
    int send_signal(const detail::spawned_process& child, int signal) noexcept override {
        return to_.send_signal(child, signal);
    }
    int watch_exit(const detail::spawned_process& child, std::function<void()> ended) noexcept override {
        return to_.watch_exit(child, std::move(ended));
    }
    int watch_signal(int signal, detail::signal_sink& sink) noexcept override { return to_.watch_signal(signal, sink); }
    void unwatch_signal(int signal, detail::signal_sink& sink) noexcept override { to_.unwatch_signal(signal, sink); }
    bool has_default_action(int signal) noexcept override { return to_.has_default_action(signal); }
    bool in_main_thread() noexcept override { return to_.in_main_thread(); }
    int resolve(const detail::name_request& request, std::vector<detail::resolved_name>& found) noexcept override {
        return to_.resolve(request, found);
    }
    int name_of(const ::sockaddr* a, std::uint32_t size, int flags, std::string& host,
                std::string& service) noexcept override {
        return to_.name_of(a, size, flags, host, service);
    }
    std::shared_ptr<executor> make_thread_pool(std::size_t threads, std::string_view name) override {
        return to_.make_thread_pool(threads, name);
    }

private:
    detail::os& to_;
};

class forwarding_backend : public detail::backend {
public:
    explicit forwarding_backend(std::unique_ptr<detail::backend> to) noexcept : to_(std::move(to)) {}

    backend_kind kind() const noexcept override { return to_->kind(); }
    bool takes_files() const noexcept override { return to_->takes_files(); }
    bool submit(detail::operation& op) noexcept override { return to_->submit(op); }
    void cancel(detail::operation& op) noexcept override { to_->cancel(op); }
    void wait(time_point until) noexcept override { to_->wait(until); }
    void wake() noexcept override { to_->wake(); }
    void drain() noexcept override { to_->drain(); }
    void abandon() noexcept override { to_->abandon(); }
    int poll_fd() noexcept override { return to_->poll_fd(); }
    void announce(time_point until) noexcept override { to_->announce(until); }
    time_point now() const noexcept override { return to_->now(); }
    std::chrono::system_clock::time_point wall_now() const noexcept override { return to_->wall_now(); }
    std::uint64_t random() noexcept override { return to_->random(); }
    detail::os& os() noexcept override { return to_->os(); }

private:
    std::unique_ptr<detail::backend> to_;
};

/// A loop in the world B(backend, arguments...), or null where the kernel has no such backend. automatic: the simulated one.
template <class B, class... Args> std::unique_ptr<event_loop> make_loop(backend_kind kind, Args&&... args) {
    std::unique_ptr<detail::backend> real;
    try {
        real = kind == backend_kind::automatic ? make_simulated_backend() : detail::make_backend(kind);
    } catch (const std::system_error&) {
        if (kind == backend_kind::epoll) throw;
        return nullptr;
    }
    return detail::loop_access::make_loop(std::make_unique<B>(std::move(real), std::forward<Args>(args)...), {});
}

} // namespace rondo::test
