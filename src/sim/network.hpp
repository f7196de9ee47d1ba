// The descriptors of a simulated world: sockets, listeners, pipes, and the operations that wait for them.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/sim/label.hpp>

#include "loop/backend/operation_list.hpp"
#include "sim/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rondo::sim::detail {

class simulation;
using rondo::detail::operation;

/// Behaves as Linux does on one machine, tcp(7) and unix(7), where a program can tell. Functions give -errno.
class network {
public:
    explicit network(simulation& world) noexcept : world_(world) {}
    network(const network&) = delete;
    network& operator=(const network&) = delete;
    void clear() noexcept;

    // Descriptors
    int open_socket(int family, int type);
    int make_pipe(std::pair<int, int>& ends);
    /// Unix sockets that are connected to each other.
    int make_pair(std::size_t window, std::pair<int, int>& ends);
    int bind(int fd, const socket_name& to);
    int listen(int fd, int backlog);
    int shutdown(int fd, bool read, bool write);
    int close(int fd);
    /// Null: not open.
    endpoint* find(int fd) const noexcept;
    std::vector<std::string> describe_open() const;
    std::size_t open_count() const noexcept { return open_; }

    // Unix socket files
    int unlink(const std::string& path);
    int in_use(const std::string& path) const;
    int identity(const std::string& path, std::pair<std::uint64_t, std::uint64_t>& id) const;

    // Operations, as the backend has them
    bool submit(operation& op);
    void cancel(operation& op);
    std::size_t pending() const noexcept { return pending_; }
    /// complete() would find something to do.
    bool has_completions() const noexcept;
    void complete();
    void cancel_all();

private:
    struct socket_file {
        std::uint64_t inode;
        endpoint* bound; // null: left over
    };

    int enter(std::shared_ptr<endpoint> e);
    int take_descriptor();
    endpoint* listener_at(const socket_name& to) const noexcept;
    bool is_taken(const socket_name& name) const noexcept;
    int bind_path(endpoint& e, const socket_name& to);

    // Connecting
    std::int64_t begin_connect(endpoint& e, const socket_name& to);
    void attempt(const std::weak_ptr<endpoint>& from);
    void meet(endpoint& from, endpoint& listener);
    void decide(endpoint& e, int outcome, duration in);
    std::int64_t accept(endpoint& e, operation& op);

    // Bytes
    bool is_able(const endpoint& e, const operation& op) const noexcept;
    bool polled(const endpoint& e, bool for_writing) const noexcept;
    std::int64_t perform(endpoint& e, operation& op);
    std::int64_t poll(const endpoint& e, const operation& op) const noexcept;
    std::int64_t receive(endpoint& e, operation& op);
    std::int64_t send(endpoint& e, operation& op);
    int lose_connection(endpoint& e, label what);
    int fault_in_receiving(endpoint& e);
    int fault_in_sending(endpoint& e);
    void carry(endpoint& from, std::size_t bytes, bool end);
    void end_sending(endpoint& e);
    void reset(endpoint& told, int error);
    void close_stream(endpoint& e);
    void refuse_arrived(endpoint& listener);

    void finish(operation& op, std::int64_t result) noexcept;
    void deliver(operation& op);

    simulation& world_;
    std::vector<std::shared_ptr<endpoint>> endpoints_; // by fd, from first_descriptor on
    std::map<std::string, socket_file> files_;         // abstract names too
    rondo::detail::operation_list done_;               // have their result
    std::vector<operation*> due_;                      // while complete() is going on; null: not any more
    std::vector<std::uint64_t> keys_;
    std::size_t open_ = 0;
    std::size_t pending_ = 0;
    std::uint64_t next_inode_ = 1;
    std::uint16_t next_port_ = 0;
};

} // namespace rondo::sim::detail
