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

/// Behaves as Linux does, tcp(7), udp(7) and unix(7), where a program can tell. Functions give -errno.
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
    /// Another number for the same (dup(2)): it is closed when both are.
    int duplicate(int fd);
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
    /// One that waited elsewhere in the world: it completes with this result, in its turn.
    void settle(operation& op, std::int64_t result) noexcept;
    std::size_t pending() const noexcept { return pending_; }
    /// complete() would find something to do.
    bool has_completions() const noexcept;
    void complete();
    void cancel_all();

    // Hosts
    /// Nothing of it has an effect any more. Operations that wait are called back later.
    void host_crashed(host_state& which);
    /// Those on sockets of the dead complete, with an error; between two passes.
    void call_back_dead_operations();
    /// Whoever has something to say notices that nobody answers.
    void paths_changed();

private:
    struct socket_file {
        std::uint64_t inode;
        endpoint* bound; // null: left over
    };

    std::shared_ptr<endpoint> make_endpoint() const;
    int enter(std::shared_ptr<endpoint> e);
    int take_descriptor();
    bool closes_a_duplicate(endpoint& e, int fd) noexcept;
    endpoint* listener_at(const host_state& on, const socket_name& to) const noexcept;
    bool is_taken(const endpoint& by, const socket_name& name) const noexcept;
    void take_port(const endpoint& by, socket_name& name) noexcept;
    using file_name = std::pair<std::size_t, std::string>; // the host's number, and the path there
    file_name here(const std::string& path) const;
    int bind_path(endpoint& e, const socket_name& to);
    void leave_file(const endpoint& e);

    // Connecting
    std::int64_t begin_connect(endpoint& e, const socket_name& to);
    int leave_for(endpoint& e, const socket_name& to);
    void attempt(const std::weak_ptr<endpoint>& from);
    void meet(endpoint& from, endpoint& listener);
    void decide(endpoint& e, int outcome, duration in);
    std::int64_t accept(endpoint& e, operation& op);

    // Bytes
    bool is_able(const endpoint& e, const operation& op) const noexcept;
    bool polled(const endpoint& e, bool for_writing) const noexcept;
    std::int64_t perform(endpoint& e, operation& op);
    std::int64_t poll(const endpoint& e, const operation& op);
    std::int64_t receive(endpoint& e, operation& op);
    std::int64_t send(endpoint& e, operation& op);
    int lose_connection(endpoint& e, label what);
    int fault_in_receiving(endpoint& e);
    int fault_in_sending(endpoint& e);
    void carry(endpoint& from, std::size_t bytes, bool end);
    void end_sending(endpoint& e);
    void reset(endpoint& told, int error);
    void close_stream(endpoint& e);

    // Bytes between hosts
    void transmit(const std::shared_ptr<detail::link>& by, std::size_t side, std::size_t bytes, bool end);
    void arrive(const std::shared_ptr<detail::link>& by, std::size_t side, std::size_t bytes, bool end);
    void wait_for_answer(const std::shared_ptr<detail::link>& by, std::size_t side);
    void send_again(const std::shared_ptr<detail::link>& by, std::size_t side);
    bool is_answered(const detail::link& l, std::size_t side) const noexcept;
    void close_far_stream(endpoint& e, bool broken);
    void forget_side(detail::link& l, std::size_t side);

    // Datagrams
    std::int64_t connect_datagrams(endpoint& e, const socket_name& to);
    bool has_room_for(const endpoint& e, const operation& op) const noexcept;
    std::int64_t receive_datagram(endpoint& e, operation& op);
    std::int64_t send_datagram(endpoint& e, operation& op);
    std::int64_t send_datagram_by_path(endpoint& e, const socket_name& to, datagram what);
    void carry_datagram(endpoint& e, const socket_name& to, datagram what);
    void deliver_datagram(const std::weak_ptr<endpoint>& sender, host_state& from, host_state& on,
                          const socket_name& to, datagram what);
    endpoint* datagrams_at(const host_state& on, const socket_name& to, const socket_name& from) const noexcept;
    void refuse_arrived(endpoint& listener);

    void finish(operation& op, std::int64_t result) noexcept;
    void deliver(operation& op);

    simulation& world_;
    std::vector<std::shared_ptr<endpoint>> endpoints_; // by fd, from first_descriptor on
    std::map<file_name, socket_file> files_;           // abstract names too
    rondo::detail::operation_list done_;               // have their result
    std::vector<operation*> due_;                      // while complete() is going on; null: not any more
    std::vector<std::uint64_t> keys_;
    std::size_t open_ = 0; // but for those of the dead
    std::size_t pending_ = 0;
    std::uint64_t next_inode_ = 1;
    std::uint16_t next_port_ = 0;
};

} // namespace rondo::sim::detail
