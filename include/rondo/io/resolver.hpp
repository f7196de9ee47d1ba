// resolver: who turns names into addresses.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/address.hpp>

#include <string>
#include <vector>

namespace rondo {

/// One way to reach a name.
struct resolved {
    rondo::address address;
    int family = 0;   // AF_*
    int type = 0;     // SOCK_*
    int protocol = 0; // IPPROTO_*
};

/// As for getaddrinfo(3). An empty host is this machine, or with `passive` every one of its addresses, to listen on.
struct name_query {
    std::string host = {};
    std::string service = {}; // a port's number or name; empty: port 0
    int family = 0;
    int type = 0;
    bool passive = false;
    int protocol = 0;
    int flags = 0; // AI_*
};

/// What event_loop::set_resolver() takes. Awaited in the loop that it was given to; what it throws goes to whoever asked, and
/// an empty answer becomes "no such name". A cancelled wait must end at once.
///
///     struct pinned : rondo::resolver {
///         rondo::coro<std::vector<rondo::resolved>> getaddrinfo(rondo::name_query) override {
///             co_return std::vector<rondo::resolved>{{.address = {"192.0.2.1", 80}}};
///         }
///     };
class resolver {
public:
    resolver() = default;
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    virtual ~resolver();
    virtual coro<std::vector<resolved>> getaddrinfo(name_query query) = 0;
};

} // namespace rondo
