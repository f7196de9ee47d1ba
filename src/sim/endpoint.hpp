// A socket or an end of a pipe in a simulated world.
#pragma once

#include "loop/backend/operation_list.hpp"
#include "sim/conduit.hpp"
#include "sim/host_state.hpp"
#include "sim/socket_name.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace rondo::sim::detail {

struct endpoint;

/// What one side of a connection between hosts has sent and the other has not acknowledged.
struct unanswered {
    std::size_t bytes = 0; // that were lost on the way: they are to be sent again
    bool end = false;      // so is the end
    bool waiting = false;  // the timer runs (RFC 6298)
    int tries = 0;
};

/// Two ends and what is between them. An end that is closed is null.
struct link {
    std::array<endpoint*, 2> ends{};
    std::array<conduit, 2> to; // to[i] is what ends[i] reads
    bool tcp = false;
    bool far = false; // between two hosts
    std::array<host_state*, 2> hosts{};
    std::array<unanswered, 2> sent;  // by side
    std::array<bool, 2> forgotten{}; // this side's host knows nothing of it any more: it has crashed, or has given up
};

/// A datagram that has arrived, and whom it is from.
struct datagram {
    std::vector<std::byte> bytes;
    socket_name from;
};

/// dead: of a host that has crashed. Operations on it wait until they are cancelled.
enum class endpoint_kind : std::uint8_t { fresh, listening, stream, reading_pipe, writing_pipe, datagrams, dead };
enum direction : std::uint8_t { reading, writing };

struct endpoint : std::enable_shared_from_this<endpoint> {
    endpoint_kind kind = endpoint_kind::fresh;
    endpoint_kind was = endpoint_kind::fresh; // before it died
    residence home;
    int fd = -1; // -1: a connection that was not accepted yet
    int family = AF_UNSPEC;
    socket_name local;
    socket_name peer;
    std::shared_ptr<detail::link> link;
    std::size_t side = 0;
    int error = 0; // told to the next operation, once
    bool no_more_reading = false;
    bool no_more_writing = false;
    bool reset_on_close = false;
    bool reuse_port = false; // SO_REUSEPORT
    bool broadcast = false;  // SO_BROADCAST

    // Listening
    std::size_t backlog = 0;
    std::list<std::shared_ptr<endpoint>> arrived; // an empty list takes no memory

    // Connecting
    std::optional<int> connected; // 0 or -errno, once it is decided
    int attempts = 0;

    // Datagrams
    std::list<datagram> inbox;
    std::size_t inbox_bytes = 0;                 // as the kernel accounts for them
    time_point last_arrival = time_point::min(); // of what was sent from here

    std::array<rondo::detail::operation_list, 2> waiting; // by direction

    conduit& in() const noexcept { return link->to[side]; }
    conduit& out() const noexcept { return link->to[1 - side]; }
    endpoint* other() const noexcept { return link ? link->ends[1 - side] : nullptr; }
    std::string describe() const;
};

} // namespace rondo::sim::detail
