// A sockaddr by value.
#pragma once

#include <rondo/io/address.hpp>

#include <cstdint>
#include <string>

#include <sys/socket.h>

namespace rondo::sim::detail {

/// Of IPv4, IPv6 or a Unix socket; without a family: nothing.
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
    address to_address() const;
    std::string str() const;
    /// The address without its port.
    std::string ip() const;
};

} // namespace rondo::sim::detail
