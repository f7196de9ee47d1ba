// address: where a socket is, or is to be.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rondo {

namespace detail {
struct address_access;
} // namespace detail

/// An IPv4 or IPv6 endpoint, a Unix path, or nothing (default-constructed, and what an unnamed Unix socket has). A value.
class address {
public:
    address() noexcept = default;
    /// A numeric address ("192.0.2.1", "::1", "fe80::1%2"); names are resolved by open_connection() and start_server().
    /// Anything else: value_error.
    address(std::string_view ip, std::uint16_t port);
    /// A first byte of 0 makes it an abstract name (unix(7)). Empty, or longer than 107 bytes: value_error.
    static address unix_path(std::string_view path);

    bool is_unix() const noexcept { return kind_ == kind::unix_socket; }
    /// Empty for a Unix path.
    std::string ip() const;
    std::uint16_t port() const noexcept { return port_; }
    /// Empty for an IP endpoint; an abstract name begins with a 0 byte.
    std::string path() const { return path_; }
    /// For people: "192.0.2.1:80", "[::1]:80", "/run/x.sock", "@abstract".
    std::string str() const;

    friend bool operator==(const address&, const address&) noexcept = default;

private:
    friend struct detail::address_access;
    enum class kind : std::uint8_t { none, ipv4, ipv6, unix_socket };

    kind kind_ = kind::none;
    std::uint16_t port_ = 0;
    std::uint32_t scope_ = 0;           // IPv6: the interface of a link-local address
    std::array<std::uint8_t, 16> ip_{}; // network order
    std::string path_;
};

} // namespace rondo
