// A socket or an end of a pipe in a simulated world.
#pragma once

#include "loop/backend/operation_list.hpp"
#include "sim/conduit.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <sys/socket.h>

namespace rondo::sim::detail {

/// A sockaddr by value.
struct socket_name {
    ::sockaddr_storage bytes{};
    std::uint32_t size = 0;

    socket_name() noexcept = default;
    socket_name(const ::sockaddr* from, std::uint32_t n) noexcept;
    int family() const noexcept { return size > 0 ? bytes.ss_family : AF_UNSPEC; }
    std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    /// Of a Unix socket; an abstract one begins with a 0 byte.
    std::string path() const;
    bool is_any() const noexcept;
    bool is_loopback() const noexcept;
    /// The same address; ports are not looked at.
    bool same_host(const socket_name& other) const noexcept;
    /// As much as `room` takes; room becomes the whole size (getsockname(2)).
    void copy_to(::sockaddr* to, std::uint32_t& room) const noexcept;
    std::string str() const;
};

struct endpoint;

/// Two ends and what is between them. An end that is closed is null.
struct link {
    std::array<endpoint*, 2> ends{};
    std::array<conduit, 2> to; // to[i] is what ends[i] reads
    bool tcp = false;
};

enum class endpoint_kind : std::uint8_t { fresh, listening, stream, reading_pipe, writing_pipe };
enum direction : std::uint8_t { reading, writing };

struct endpoint : std::enable_shared_from_this<endpoint> {
    endpoint_kind kind = endpoint_kind::fresh;
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

    // Listening
    std::size_t backlog = 0;
    std::deque<std::shared_ptr<endpoint>> arrived;

    // Connecting
    std::optional<int> connected; // 0 or -errno, once it is decided
    int attempts = 0;

    std::array<rondo::detail::operation_list, 2> waiting; // by direction

    conduit& in() const noexcept { return link->to[side]; }
    conduit& out() const noexcept { return link->to[1 - side]; }
    endpoint* other() const noexcept { return link ? link->ends[1 - side] : nullptr; }
    std::string describe() const;
};

} // namespace rondo::sim::detail
