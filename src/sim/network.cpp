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

std::shared_ptr<endpoint> network::make_endpoint() const {
    auto made = std::make_shared<endpoint>();
    made->home = world_.hosts.here();
    return made;
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
    if (type != SOCK_STREAM && type != SOCK_DGRAM) return world_.missing("sockets other than streams and datagrams");
    if (!world_.hosts.here().alive()) return -ENETDOWN;
    constexpr std::array errors{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::opening_fails)) return error;
    auto made = make_endpoint();
    made->family = family;
    if (type == SOCK_DGRAM) made->kind = endpoint_kind::datagrams;
    return enter(std::move(made));
}

int network::make_pipe(std::pair<int, int>& ends) {
    const allocating_for_the_world own;
    constexpr std::array errors{EMFILE, ENFILE};
    if (!world_.hosts.here().alive()) return -ENETDOWN;
    if (const int error = world_.error(world_.faults.resources, errors, labels::making_a_pipe_fails)) return error;
    auto reader = make_endpoint();
    auto writer = make_endpoint();
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
    if (!world_.hosts.here().alive()) return -ENETDOWN;
    if (const int error = world_.error(world_.faults.resources, errors, labels::making_a_pair_fails)) return error;
    const auto both = std::make_shared<detail::link>();
    std::array<int, 2> made{};
    for (std::size_t side = 0; side < 2; ++side) {
        auto end = make_endpoint();
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

/// Streams and datagrams have ports of their own.
bool network::is_taken(const endpoint& by, const socket_name& name) const noexcept {
    const bool datagrams = by.kind == endpoint_kind::datagrams;
    return std::ranges::any_of(endpoints_, [&](const auto& e) {
        if (!e || e.get() == &by || e->local.size == 0 || e->family != name.family() || e->home.host != by.home.host)
            return false;
        if (datagrams ? e->kind != endpoint_kind::datagrams : e->kind > endpoint_kind::listening) return false;
        if (e->kind == endpoint_kind::listening && e->no_more_reading) return false; // shut down: SO_REUSEADDR
        if (e->local.port() != name.port() || (by.reuse_port && e->reuse_port)) return false;
        return e->local.is_any() || name.is_any() || e->local.same_host(name);
    });
}

void network::take_port(const endpoint& by, socket_name& name) noexcept {
    do {
        name.set_port(next_port_++);
        if (next_port_ < first_free_port) next_port_ = first_free_port;
    } while (is_taken(by, name));
}

network::file_name network::here(const std::string& path) const { return {world_.hosts.here().host->number, path}; }

int network::bind_path(endpoint& e, const socket_name& to) {
    const auto [at, is_new] =
        files_.try_emplace(file_name(e.home.host->number, to.path()), socket_file{next_inode_, &e});
    if (!is_new) return -EADDRINUSE;
    ++next_inode_;
    e.local = to;
    return 0;
}

int network::bind(int fd, const socket_name& to) {
    const allocating_for_the_world own;
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    if (e->kind == endpoint_kind::dead) return -ENETDOWN;
    if (e->kind != endpoint_kind::fresh && e->kind != endpoint_kind::datagrams) return -EINVAL;
    if (e->local.size > 0 || to.family() != e->family) return -EINVAL;
    constexpr std::array errors{EADDRINUSE, EACCES};
    if (const int error = world_.error(world_.faults.network, errors, labels::binding_fails)) return error;
    if (e->family == AF_UNIX) return bind_path(*e, to);
    host_state& home = *e->home.host;
    if (!to.is_any() && !to.is_loopback() && world_.hosts.with_address(to, home) != &home) return -EADDRNOTAVAIL;
    socket_name name = to;
    if (name.port() == 0) take_port(*e, name);
    else if (is_taken(*e, name)) return -EADDRINUSE;
    e->local = name;
    return 0;
}

int network::listen(int fd, int backlog) {
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    if (e->kind == endpoint_kind::dead) return -ENETDOWN;
    if (e->kind == endpoint_kind::datagrams) return -EOPNOTSUPP;
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
        if (connection->link->far) {
            close_far_stream(*connection, true);
            continue;
        }
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
    if (e->kind == endpoint_kind::datagrams) {
        e->no_more_reading = e->no_more_reading || read;
        e->no_more_writing = e->no_more_writing || write;
        return e->peer.size > 0 ? 0 : -ENOTCONN;
    }
    if (e->kind != endpoint_kind::stream) return -ENOTCONN;
    e->no_more_reading = e->no_more_reading || read;
    if (write) end_sending(*e);
    return 0;
}

void network::leave_file(const endpoint& e) {
    if (e.family != AF_UNIX || e.local.size == 0) return;
    const auto file = files_.find(file_name(e.home.host->number, e.local.path()));
    if (file == files_.end() || file->second.bound != &e) return;
    file->second.bound = nullptr;
    if (file->first.second.starts_with('\0')) files_.erase(file);
}

int network::duplicate(int fd) {
    const allocating_for_the_world own;
    const auto index = static_cast<std::size_t>(fd - first_descriptor);
    if (!find(fd)) return -EBADF;
    const int made = take_descriptor();
    endpoints_[static_cast<std::size_t>(made - first_descriptor)] = endpoints_[index];
    ++open_;
    return made;
}

/// False: `fd` is the only number that it has.
bool network::closes_a_duplicate(endpoint& e, int fd) noexcept {
    const auto closed = endpoints_.begin() + (fd - first_descriptor);
    const auto same = [&](const auto& other) { return other.get() == &e; };
    auto other = std::find_if(endpoints_.begin(), closed, same);
    if (other == closed) other = std::find_if(closed + 1, endpoints_.end(), same);
    if (other == endpoints_.end()) return false;
    closed->reset();
    --open_;
    if (e.fd == fd) e.fd = first_descriptor + static_cast<int>(other - endpoints_.begin());
    return true;
}

int network::close(int fd) {
    const allocating_for_the_world own;
    endpoint* e = find(fd);
    if (!e) return -EBADF;
    if (closes_a_duplicate(*e, fd)) return 0;
    for (auto& waiting : e->waiting) {
        while (!waiting.empty()) {
            operation& op = waiting.pop_front();
            std::ranges::replace(due_, &op, nullptr);
            finish(op, op.result > 0 ? op.result : -ECANCELED);
        }
    }
    leave_file(*e);
    if (e->kind == endpoint_kind::listening) refuse_arrived(*e);
    else if (e->link) close_stream(*e);
    if (e->kind != endpoint_kind::dead) --open_;
    endpoints_[static_cast<std::size_t>(fd - first_descriptor)].reset();
    return 0;
}

std::vector<std::string> network::describe_open() const {
    std::vector<std::string> all;
    for (const auto& e : endpoints_) {
        if (e && e->kind != endpoint_kind::dead) all.push_back(e->describe());
    }
    return all;
}

int network::unlink(const std::string& path) {
    const allocating_for_the_world own;
    if (!world_.hosts.here().alive()) return -EIO;
    const auto file = files_.find(here(path));
    if (file == files_.end()) return -ENOENT;
    files_.erase(file);
    return 0;
}

int network::in_use(const std::string& path) const {
    const auto file = files_.find(here(path));
    return file != files_.end() && file->second.bound ? 1 : 0;
}

int network::identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) const {
    const auto file = files_.find(here(path));
    if (file == files_.end()) return -ENOENT;
    id = {1, file->second.inode};
    return 0;
}

} // namespace rondo::sim::detail
