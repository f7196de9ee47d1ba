#include "io/resolver.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/run_in_executor.hpp>

#include "io/running_here.hpp"
#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <netdb.h>

namespace rondo {

resolver::~resolver() = default;

namespace detail {

namespace {

class resolver_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "resolver"; }
    std::string message(int code) const override { return ::gai_strerror(code); }
};

/// The resolver of a loop; null: the default one.
struct resolver_setting final : loop_service {
    std::shared_ptr<resolver> chosen;
};

[[noreturn]] void throw_lookup_error(int error, const std::string& what) {
    if (error > 0) throw std::system_error(error, std::system_category(), what);
    throw std::system_error(error, resolver_category(), what);
}

struct answer {
    int error = 0;
    std::vector<resolved_name> found;
};

coro<std::vector<resolved>> resolve_by_setting(event_loop& loop, name_query query) {
    const std::shared_ptr<resolver> chosen = service<resolver_setting>(loop).chosen; // may be replaced meanwhile
    const std::string host = query.host;
    std::vector<resolved> found;
    if (chosen) found = co_await chosen->getaddrinfo(std::move(query));
    else found = co_await resolve_in_thread(loop, std::move(query));
    if (found.empty()) throw_lookup_error(EAI_NONAME, cannot_resolve(host));
    co_return found;
}

} // namespace

const std::error_category& resolver_category() noexcept {
    static const resolver_category_type category;
    return category;
}

std::string cannot_resolve(const std::string& host) { return "cannot resolve '" + host + "'"; }

name_request request_of(const name_query& query) {
    return {.host = query.host,
            .service = query.service,
            .family = query.family,
            .type = query.type,
            .protocol = query.protocol,
            .flags = query.flags,
            .passive = query.passive};
}

coro<std::vector<resolved>> resolve_in_thread(event_loop& loop, name_query query) {
    os& names = loop_access::backend(loop).os();
    const std::string host = query.host;
    const answer a = co_await loop.run_in_executor(nullptr, [&names, query = std::move(query)] {
        answer given;
        given.error = names.resolve(request_of(query), given.found);
        return given;
    });
    if (a.error != 0) throw_lookup_error(a.error, cannot_resolve(host));
    std::vector<resolved> addresses;
    for (const resolved_name& name : a.found) {
        socket_address found;
        std::memcpy(&found.storage, name.address.data(), std::min(name.address.size(), sizeof found.storage));
        found.size = name.size;
        addresses.push_back(
            {.address = found.to_address(), .family = name.family, .type = name.type, .protocol = name.protocol});
    }
    co_return addresses;
}

coro<std::vector<address>> resolve(std::string host, std::uint16_t port, resolve_for purpose, lookup how) {
    std::vector<address> addresses;
    if (auto numeric = address_access::parse(host, port)) {
        if (how.family != AF_UNSPEC && address_access::family(*numeric) != how.family)
            throw_lookup_error(EAI_ADDRFAMILY, cannot_resolve(host));
        addresses.push_back(*std::move(numeric));
        co_return addresses;
    }
    name_query query{.host = std::move(host),
                     .service = std::to_string(port),
                     .family = how.family,
                     .type = SOCK_STREAM,
                     .passive = purpose == resolve_for::listening,
                     .protocol = how.protocol,
                     .flags = how.flags};
    for (resolved& found : co_await resolve_by_setting(running_loop(), std::move(query))) {
        if (std::find(addresses.begin(), addresses.end(), found.address) == addresses.end())
            addresses.push_back(std::move(found.address));
    }
    co_return addresses;
}

} // namespace detail

coro<std::vector<resolved>> event_loop::getaddrinfo(std::string host, std::string service, int family, int type,
                                                    int protocol, int flags) {
    detail::check_runs_here(*this, "getaddrinfo()");
    name_query query{.host = std::move(host),
                     .service = std::move(service),
                     .family = family,
                     .type = type,
                     .protocol = protocol,
                     .flags = flags};
    co_return co_await detail::resolve_by_setting(*this, std::move(query));
}

coro<std::pair<std::string, std::string>> event_loop::getnameinfo(address of, int flags) {
    detail::check_runs_here(*this, "getnameinfo()");
    struct names {
        int error = 0;
        std::string host, service;
    };
    detail::os& system = detail::loop_access::backend(*this).os();
    names found = co_await run_in_executor(nullptr, [&system, where = detail::socket_address(of), flags] {
        names given;
        given.error = system.name_of(where.get(), where.size, flags, given.host, given.service);
        return given;
    });
    if (found.error != 0) detail::throw_lookup_error(found.error, "cannot find the name of " + of.str());
    co_return std::pair(std::move(found.host), std::move(found.service));
}

void event_loop::set_resolver(std::shared_ptr<resolver> r) {
    check_usable();
    detail::service<detail::resolver_setting>(*this).chosen = std::move(r);
}

} // namespace rondo
