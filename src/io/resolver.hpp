// From names to addresses.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rondo::detail {

enum class resolve_for { connecting, listening };

/// Of the running loop: a numeric host at once, a name by way of os::resolve() in the default executor. In the resolver's
/// order, none twice, never empty. An empty host is what to listen on for every interface. Cancelled, it returns at once;
/// the answer is dropped. Throws std::system_error.
coro<std::vector<address>> resolve(std::string host, std::uint16_t port, resolve_for purpose);

} // namespace rondo::detail
