#include "sim/socket_name.hpp"

#include "io/socket_address.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace rondo::sim::detail {

namespace {

const ::sockaddr_in& ipv4(const socket_name& n) noexcept { return reinterpret_cast<const ::sockaddr_in&>(n.bytes); }
const ::sockaddr_in6& ipv6(const socket_name& n) noexcept { return reinterpret_cast<const ::sockaddr_in6&>(n.bytes); }

} // namespace

socket_name::socket_name(const ::sockaddr* from, std::uint32_t n) noexcept
    : size(std::min<std::uint32_t>(n, sizeof bytes)) {
    std::memcpy(&bytes, from, size);
}

std::uint16_t socket_name::port() const noexcept {
    if (family() == AF_INET) return ntohs(ipv4(*this).sin_port);
    return family() == AF_INET6 ? ntohs(ipv6(*this).sin6_port) : std::uint16_t{0};
}

void socket_name::set_port(std::uint16_t port) noexcept {
    if (family() == AF_INET) reinterpret_cast<::sockaddr_in&>(bytes).sin_port = htons(port);
    else if (family() == AF_INET6) reinterpret_cast<::sockaddr_in6&>(bytes).sin6_port = htons(port);
}

std::string socket_name::path() const {
    constexpr std::size_t head = offsetof(::sockaddr_un, sun_path);
    if (family() != AF_UNIX || size <= head) return {};
    std::string text(reinterpret_cast<const ::sockaddr_un&>(bytes).sun_path, size - head);
    if (text.front() != '\0') text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

bool socket_name::is_any() const noexcept {
    if (family() == AF_INET) return ipv4(*this).sin_addr.s_addr == htonl(INADDR_ANY);
    return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&ipv6(*this).sin6_addr);
}

bool socket_name::is_loopback() const noexcept {
    if (family() == AF_INET) return ntohl(ipv4(*this).sin_addr.s_addr) >> 24 == 127;
    return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&ipv6(*this).sin6_addr);
}

bool socket_name::same_host(const socket_name& other) const noexcept {
    if (family() != other.family()) return false;
    if (family() == AF_INET) return ipv4(*this).sin_addr.s_addr == ipv4(other).sin_addr.s_addr;
    return family() == AF_INET6 && IN6_ARE_ADDR_EQUAL(&ipv6(*this).sin6_addr, &ipv6(other).sin6_addr);
}

void socket_name::copy_to(::sockaddr* to, std::uint32_t& room) const noexcept {
    if (to) std::memcpy(to, &bytes, std::min(room, size));
    room = size;
}

address socket_name::to_address() const {
    rondo::detail::socket_address known;
    std::memcpy(&known.storage, &bytes, size);
    known.size = size;
    return known.to_address();
}
std::string socket_name::str() const { return size > 0 ? to_address().str() : "unnamed"; }
std::string socket_name::ip() const { return to_address().ip(); }

} // namespace rondo::sim::detail
