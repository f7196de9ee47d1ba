// rondo::address in the form that the operating system takes.
#pragma once

#include <rondo/io/address.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/socket.h>

namespace rondo::detail {

struct socket_address {
    socket_address() noexcept = default;
    explicit socket_address(const address& from) noexcept;

    address to_address() const;
    int family() const noexcept { return storage.ss_family; }
    ::sockaddr* get() noexcept { return reinterpret_cast<::sockaddr*>(&storage); }
    const ::sockaddr* get() const noexcept { return reinterpret_cast<const ::sockaddr*>(&storage); }
    /// Before the operating system fills it.
    void make_room() noexcept { size = sizeof storage; }

    ::sockaddr_storage storage{};
    std::uint32_t size = 0;
};

struct address_access {
    /// Of a numeric host; nullopt: it is a name.
    static std::optional<address> parse(std::string_view host, std::uint16_t port);
    static int family(const address& a) noexcept;
    static void fill(const address& a, socket_address& to) noexcept;
    static address read(const socket_address& from);
};

/// What `fd` is bound or connected to, as far as the operating system still knows; otherwise nothing.
address local_address_of(class os& os, int fd);
address peer_address_of(class os& os, int fd);

} // namespace rondo::detail
