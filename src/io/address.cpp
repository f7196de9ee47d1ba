#include <rondo/io/address.hpp>

#include <rondo/coro/exceptions.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace rondo {

namespace {

constexpr std::size_t longest_path = sizeof(::sockaddr_un::sun_path) - 1;
constexpr std::size_t path_offset = offsetof(::sockaddr_un, sun_path);

} // namespace

address::address(std::string_view ip, std::uint16_t port) {
    auto parsed = detail::address_access::parse(ip, port);
    if (!parsed) throw value_error("'" + std::string(ip) + "' is not a numeric IP address");
    *this = *std::move(parsed);
}

address address::unix_path(std::string_view path) {
    if (path.empty()) throw value_error("the path of a Unix socket must not be empty");
    if (path.size() > longest_path) {
        throw value_error("the path of a Unix socket has at most " + std::to_string(longest_path) +
                          " bytes, this one has " + std::to_string(path.size()));
    }
    address a;
    a.kind_ = kind::unix_socket;
    a.path_ = path;
    return a;
}

std::string address::ip() const {
    if (kind_ != kind::ipv4 && kind_ != kind::ipv6) return {};
    char text[INET6_ADDRSTRLEN];
    ::inet_ntop(kind_ == kind::ipv4 ? AF_INET : AF_INET6, ip_.data(), text, sizeof text);
    std::string result = text;
    if (scope_ != 0) result += "%" + std::to_string(scope_);
    return result;
}

std::string address::str() const {
    switch (kind_) {
    case kind::none: break;
    case kind::ipv4: return ip() + ":" + std::to_string(port_);
    case kind::ipv6: return "[" + ip() + "]:" + std::to_string(port_);
    case kind::unix_socket: return path_.front() == '\0' ? "@" + path_.substr(1) : path_;
    }
    return "an unnamed socket";
}

namespace detail {

std::optional<address> address_access::parse(std::string_view host, std::uint16_t port) {
    address a;
    a.port_ = port;
    std::string text(host.substr(0, host.find('%')));
    if (text.size() == host.size() && ::inet_pton(AF_INET, text.c_str(), a.ip_.data()) == 1) {
        a.kind_ = address::kind::ipv4;
        return a;
    }
    if (::inet_pton(AF_INET6, text.c_str(), a.ip_.data()) != 1) return std::nullopt;
    a.kind_ = address::kind::ipv6;
    if (text.size() < host.size()) {
        const std::string_view scope = host.substr(text.size() + 1);
        const auto [end, error] = std::from_chars(scope.data(), scope.data() + scope.size(), a.scope_);
        if (error != std::errc() || end != scope.data() + scope.size()) return std::nullopt; // an interface's name
    }
    return a;
}

int address_access::family(const address& a) noexcept {
    switch (a.kind_) {
    case address::kind::none: break;
    case address::kind::ipv4: return AF_INET;
    case address::kind::ipv6: return AF_INET6;
    case address::kind::unix_socket: return AF_UNIX;
    }
    return AF_UNSPEC;
}

void address_access::fill(const address& a, socket_address& to) noexcept {
    to.storage.ss_family = static_cast<::sa_family_t>(family(a));
    if (a.kind_ == address::kind::ipv4) {
        auto& in = reinterpret_cast<::sockaddr_in&>(to.storage);
        in.sin_port = htons(a.port_);
        std::memcpy(&in.sin_addr, a.ip_.data(), sizeof in.sin_addr);
        to.size = sizeof in;
    } else if (a.kind_ == address::kind::ipv6) {
        auto& in = reinterpret_cast<::sockaddr_in6&>(to.storage);
        in.sin6_port = htons(a.port_);
        in.sin6_scope_id = a.scope_;
        std::memcpy(&in.sin6_addr, a.ip_.data(), sizeof in.sin6_addr);
        to.size = sizeof in;
    } else if (a.kind_ == address::kind::unix_socket) {
        auto& un = reinterpret_cast<::sockaddr_un&>(to.storage);
        std::memcpy(un.sun_path, a.path_.data(), a.path_.size());
        // The zero at its end belongs to a path, but would be a byte of an abstract name.
        to.size = static_cast<std::uint32_t>(path_offset + a.path_.size() + (a.path_.front() == '\0' ? 0 : 1));
    }
}

address address_access::read(const socket_address& from) {
    address a;
    if (from.family() == AF_INET) {
        const auto& in = reinterpret_cast<const ::sockaddr_in&>(from.storage);
        a.kind_ = address::kind::ipv4;
        a.port_ = ntohs(in.sin_port);
        std::memcpy(a.ip_.data(), &in.sin_addr, sizeof in.sin_addr);
    } else if (from.family() == AF_INET6) {
        const auto& in = reinterpret_cast<const ::sockaddr_in6&>(from.storage);
        a.kind_ = address::kind::ipv6;
        a.port_ = ntohs(in.sin6_port);
        a.scope_ = in.sin6_scope_id;
        std::memcpy(a.ip_.data(), &in.sin6_addr, sizeof in.sin6_addr);
    } else if (from.family() == AF_UNIX && from.size > path_offset) {
        const auto& un = reinterpret_cast<const ::sockaddr_un&>(from.storage);
        const std::size_t room = std::min<std::size_t>(from.size - path_offset, sizeof un.sun_path);
        const bool abstract = un.sun_path[0] == '\0';
        a.kind_ = address::kind::unix_socket;
        a.path_.assign(un.sun_path, abstract ? room : ::strnlen(un.sun_path, room));
    }
    return a;
}

socket_address::socket_address(const address& from) noexcept { address_access::fill(from, *this); }
address socket_address::to_address() const { return address_access::read(*this); }

address local_address_of(os& os, int fd) {
    socket_address found;
    found.make_room();
    return os.local_address(fd, found.get(), found.size) < 0 ? address() : found.to_address();
}

address peer_address_of(os& os, int fd) {
    socket_address found;
    found.make_room();
    return os.peer_address(fd, found.get(), found.size) < 0 ? address() : found.to_address();
}

} // namespace detail
} // namespace rondo
