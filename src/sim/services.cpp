#include "sim/services.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace rondo::sim::detail {

namespace {

struct service {
    std::string_view name;
    std::uint16_t port;
};
// IANA
constexpr std::array services{
    service{"echo", 7},          service{"ftp", 21},    service{"ssh", 22},     service{"smtp", 25},
    service{"domain", 53},       service{"http", 80},   service{"ntp", 123},    service{"imap2", 143},
    service{"ldap", 389},        service{"https", 443}, service{"syslog", 514}, service{"imaps", 993},
    service{"postgresql", 5432},
};

} // namespace

bool is_number(std::string_view service) noexcept {
    return std::ranges::all_of(service, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint16_t> port_of_service(std::string_view text) noexcept {
    if (text.empty()) return std::uint16_t{0};
    if (is_number(text)) {
        std::uint16_t port = 0;
        const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), port);
        return error == std::errc() ? std::optional(port) : std::nullopt;
    }
    const auto known = std::ranges::find(services, text, &service::name);
    return known != services.end() ? std::optional(known->port) : std::nullopt;
}

std::string service_of_port(std::uint16_t port) {
    const auto known = std::ranges::find(services, port, &service::port);
    return known != services.end() ? std::string(known->name) : std::to_string(port);
}

} // namespace rondo::sim::detail
