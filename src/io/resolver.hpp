// From names to addresses.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>
#include <rondo/io/resolver.hpp>

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

enum class resolve_for { connecting, listening };
/// As for getaddrinfo(3).
struct lookup {
    int family = 0;
    int protocol = 0;
    int flags = 0;
};

/// Of the running loop: a numeric host at once, a name by way of its resolver. In the resolver's order, none twice, never
/// empty. An empty host is what to listen on for every interface. Cancelled, it returns at once; the answer is dropped. Throws
/// std::system_error, also for a numeric host of another family (EAI_ADDRFAMILY).
coro<std::vector<address>> resolve(std::string host, std::uint16_t port, resolve_for purpose, lookup how);

/// By os::resolve() in the default executor.
coro<std::vector<resolved>> resolve_in_thread(event_loop& loop, name_query query);

struct name_request;
/// The same, as the seam asks it.
name_request request_of(const name_query& query);

/// EAI_*.
const std::error_category& resolver_category() noexcept;
std::string cannot_resolve(const std::string& host);

} // namespace rondo::detail
