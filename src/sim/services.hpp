// The services of a simulated world (services(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rondo::sim::detail {

bool is_number(std::string_view service) noexcept;
/// A port's number, or the name of a well-known one; empty: 0. Null: neither.
std::optional<std::uint16_t> port_of_service(std::string_view service) noexcept;
/// Its name, or its number.
std::string service_of_port(std::uint16_t port);

} // namespace rondo::sim::detail
