#include "sim/network.hpp"

#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>

namespace rondo::sim::detail {

namespace {

// A real system call that is made by mistake with a number of this world should find nothing open.
constexpr int first_descriptor = 1000;
constexpr std::uint16_t first_free_port = 32768; // ip(7): ip_local_port_range

} // namespace

void network::clear() noexcept {
    endpoints_.clear();
    files_.clear();
    done_ = {};
    due_.clear();
    open_ = pending_ = 0;
    next_inode_ = 1;
    next_port_ = first_free_port;
}

endpoint* network::find(int fd) const noexcept {
    const auto index = static_cast<std::size_t>(fd - first_descriptor);
    return fd >= first_descriptor && index < endpoints_.size() ? endpoints_[index].get() : nullptr;
}

int network::take_descriptor() {
    const auto free = std::ranges::find(endpoints_, nullptr);
    if (free == endpoints_.end()) {
        endpoints_.emplace_back();
        return first_descriptor + static_cast<int>(endpoints_.size()) - 1;
    }
    return first_descriptor + static_cast<int>(free - endpoints_.begin());
}

int network::enter(std::shared_ptr<endpoint> e) {
    e->fd = take_descriptor();
    ++open_;
    endpoint& entered = *e;
    endpoints_[static_cast<std::size_t>(entered.fd - first_descriptor)] = std::move(e);
    return entered.fd;
}

int network::open_socket(int family, int type) {
    const allocating_for_the_world own;
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return -EAFNOSUPPORT;
    if (type != SOCK_STREAM) return world_.missing("sockets other than streams");
    constexpr std::array errors{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::opening_fails)) return error;
    auto made = std::make_shared<endpoint>();
    made->family = family;
    return enter(std::move(made));
}

int network::make_pipe(std::pair<int, int>& ends) {
    const allocating_for_the_world own;
    constexpr std::array errors{EMFILE, ENFILE};
    if (const int error = world_.error(world_.faults.resources, errors, labels::making_a_pipe_fails)) return error;
    auto reader = std::make_shared<endpoint>();
    auto writer = std::make_shared<endpoint>();
    reader->kind = endpoint_kind::reading_pipe;
    writer->kind = endpoint_kind::writing_pipe;
    reader->link = writer->link = std::make_shared<detail::link>();
    writer->side = 1;
    reader->link->ends = {reader.get(), writer.get()};
    const int first = enter(std::move(reader));
    ends = {first, enter(std::move(writer))};
    return 0;
}

int network::make_pair(std::size_t window, std::pair<int, int>& ends) {
    const allocating_for_the_world own;
    constexpr std::array errors{EMFILE, ENFILE};
    if (const int error = world_.error(world_.faults.resources, errors, labels::making_a_pair_fails)) return error;
    const auto both = std::make_shared<detail::link>();
    std::array<int, 2> made{};
    for (std::size_t side = 0; side < 2; ++side) {
        auto end = std::make_shared<endpoint>();
        end->kind = endpoint_kind::stream;
        end->family = AF_UNIX;
        end->link = both;
        end->side = side;
        both->ends[side] = end.get();
        both->to[side].set_window(window);
        made[side] = enter(std::move(end));
    }
    ends = {made[0], made[1]};
    return 0;
}

bool network::is_taken(const socket_name& name) const noexcept {
    return std::ranges::any_of(endpoints_, [&](const auto& e) {
        if (!e || e->kind > endpoint_kind::listening || e->local.size == 0 || e->family != name.family()) return false;
        if (e->local.port() != name.port()) return false;
        return e->local.is_any() || name.is_any() || e->local.same_host(name);
    });
}

int network::bind_path(endpoint& e, const socket_name& to) {
    const auto [at, is_new] = files_.try_emplace(to.path(), socket_file{next_inode_, &e});
    if (!is_new) return -EADDRINUSE;
    ++next_inode_;
    e.local = to;
    return 0;
}

int network::bind(int fd, const socket_name& to) {
    const allocating_for_the_world own;
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    if (e->kind != endpoint_kind::fresh || e->local.size > 0 || to.family() != e->family) return -EINVAL;
    constexpr std::array errors{EADDRINUSE, EACCES};
    if (const int error = world_.error(world_.faults.network, errors, labels::binding_fails)) return error;
    if (e->family == AF_UNIX) return bind_path(*e, to);
    if (!to.is_any() && !to.is_loopback()) return -EADDRNOTAVAIL;
    socket_name name = to;
    if (name.port() == 0) {
        do name.set_port(next_port_++);
        while (is_taken(name));
    }
    if (is_taken(name)) return -EADDRINUSE;
    e->local = name;
    return 0;
}

int network::listen(int fd, int backlog) {
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    if (e->kind > endpoint_kind::listening) return -EINVAL;
    if (e->local.size == 0) return -EDESTADDRREQ;
    if (world_.fails(world_.faults.network, labels::listening_fails)) return -EADDRINUSE;
    e->kind = endpoint_kind::listening;
    e->backlog = static_cast<std::size_t>(std::max(backlog, 0));
    return 0;
}

/// The kernel breaks off what it had accepted for us.
void network::refuse_arrived(endpoint& listener) {
    for (const auto& connection : std::exchange(listener.arrived, {})) {
        if (endpoint* client = connection->other()) reset(*client, ECONNRESET);
        connection->link->ends[connection->side] = nullptr;
    }
}

int network::shutdown(int fd, bool read, bool write) {
    const allocating_for_the_world own;
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    if (e->kind == endpoint_kind::listening) {
        e->no_more_reading = e->no_more_reading || read;
        if (read) refuse_arrived(*e);
        return 0;
    }
    if (e->kind != endpoint_kind::stream) return -ENOTCONN;
    e->no_more_reading = e->no_more_reading || read;
    if (write) end_sending(*e);
    return 0;
}

int network::close(int fd) {
    const allocating_for_the_world own;
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    for (auto& waiting : e->waiting) {
        while (!waiting.empty()) {
            operation& op = waiting.pop_front();
            std::ranges::replace(due_, &op, nullptr);
            finish(op, op.result > 0 ? op.result : -ECANCELED);
        }
    }
    if (e->family == AF_UNIX && e->local.size > 0) {
        const std::string path = e->local.path();
        const auto file = files_.find(path);
        if (file != files_.end() && file->second.bound == e) {
            file->second.bound = nullptr;
            if (path.starts_with('\0')) files_.erase(file);
        }
    }
    if (e->kind == endpoint_kind::listening) refuse_arrived(*e);
    else if (e->link) close_stream(*e);
    --open_;
    endpoints_[static_cast<std::size_t>(fd - first_descriptor)].reset();
    return 0;
}

std::vector<std::string> network::describe_open() const {
    std::vector<std::string> all;
    for (const auto& e : endpoints_) {
        if (e) all.push_back(e->describe());
    }
    return all;
}

int network::unlink(const std::string& path) {
    const allocating_for_the_world own;
    const auto file = files_.find(path);
    if (file == files_.end()) return -ENOENT;
    files_.erase(file);
    return 0;
}

int network::in_use(const std::string& path) const {
    const auto file = files_.find(path);
    return file != files_.end() && file->second.bound ? 1 : 0;
}

int network::identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) const {
    const auto file = files_.find(path);
    if (file == files_.end()) return -ENOENT;
    id = {1, file->second.inode};
    return 0;
}

} // namespace rondo::sim::detail
