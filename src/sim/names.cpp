#include "sim/names.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/sleep.hpp>

#include "io/resolver.hpp"
#include "io/socket_address.hpp"
#include "sim/labels.hpp"
#include "sim/services.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>

namespace rondo::sim::detail {

namespace {

using namespace std::chrono_literals;
using rondo::detail::name_request;
using rondo::detail::resolved_name;

constexpr std::array<duration, 4> answers_take{0ns, 5ms, 300ms, 4s};
constexpr duration nobody_answers = 10s; // resolv.conf(5): two attempts, 5 s each

std::string in_small_letters(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string small(name);
    std::ranges::transform(small, small.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return small;
}

bool is_localhost(std::string_view name) noexcept { // RFC 6761
    return name == "localhost" || name.ends_with(".localhost");
}

struct socket_kind {
    int type;
    int protocol;
};
constexpr std::array kinds{socket_kind{SOCK_STREAM, IPPROTO_TCP}, socket_kind{SOCK_DGRAM, IPPROTO_UDP},
                           socket_kind{SOCK_RAW, 0}};

std::vector<socket_kind> kinds_for(const name_request& request) {
    std::vector<socket_kind> wanted;
    for (const socket_kind& k : kinds) {
        if (request.type != 0 && request.type != k.type) continue;
        if (request.protocol != 0 && k.protocol != 0 && request.protocol != k.protocol) continue;
        wanted.push_back({k.type, k.protocol != 0 ? k.protocol : request.protocol});
    }
    return wanted;
}

/// What an empty host asks for.
std::vector<std::string> own_addresses(bool passive) {
    return passive ? std::vector<std::string>{"0.0.0.0", "::"} : std::vector<std::string>{"::1", "127.0.0.1"};
}

} // namespace

void name_table::clear() noexcept {
    names_.clear();
    serves_ = false;
}

void name_table::add(const std::string& name, const std::vector<std::string>& addresses) {
    const allocating_for_the_world own;
    std::vector<socket_name> parsed;
    parsed.reserve(addresses.size());
    for (const std::string& text : addresses) parsed.push_back(numeric_name(text));
    names_[in_small_letters(name)] = std::move(parsed);
}

void name_table::remove(const std::string& name) {
    const allocating_for_the_world own;
    names_.erase(in_small_letters(name));
}

std::vector<socket_name> name_table::addresses_of(std::string_view name, const host_state& asking) const {
    const std::string small = in_small_letters(name);
    if (const auto found = names_.find(small); found != names_.end()) return found->second;
    if (is_localhost(small)) return {numeric_name("::1"), numeric_name("127.0.0.1")};
    std::vector<socket_name> all;
    const auto take = [&](const host_state& h) {
        if (in_small_letters(h.name) == small) all = h.addresses;
    };
    world_.hosts.each(take);
    if (all.empty() && in_small_letters(asking.name) == small) return {numeric_name("127.0.0.1")};
    return all;
}

bool name_table::is_known_here(const std::string& host) const {
    return host.empty() || is_localhost(in_small_letters(host)) ||
           rondo::detail::address_access::parse(host, 0).has_value();
}

name_table::trouble name_table::choose_trouble() {
    constexpr std::array errors{-EAI_AGAIN, -EAI_NONAME, -EAI_FAIL, -EAI_AGAIN};
    const std::uint32_t which =
        world_.fault(world_.faults.names, static_cast<std::uint32_t>(errors.size()) + 1, labels::looking_up_fails);
    if (which == 0) return {};
    return {-errors[which - 1], which == errors.size() ? nobody_answers : duration::zero()};
}

int name_table::look_up(const name_request& request, std::vector<resolved_name>& found) {
    const allocating_for_the_world own;
    if (!is_known_here(request.host)) {
        if (const trouble t = choose_trouble(); t.error) return t.error;
    }
    return answer(request, found);
}

int name_table::answer(const name_request& request, std::vector<resolved_name>& found) const {
    if (request.family != AF_UNSPEC && request.family != AF_INET && request.family != AF_INET6) return EAI_FAMILY;
    if (request.host.empty() && request.service.empty()) return EAI_NONAME;
    const std::vector<socket_kind> wanted = kinds_for(request);
    if (wanted.empty()) return EAI_SOCKTYPE;
    const auto port = port_of_service(request.service);
    if (!port) return EAI_SERVICE;
    if ((request.flags & AI_NUMERICSERV) && !is_number(request.service)) return EAI_NONAME;

    const host_state& asking = *world_.hosts.here().host;
    const bool numeric = rondo::detail::address_access::parse(request.host, 0).has_value();
    std::vector<socket_name> addresses;
    if (request.host.empty()) {
        const bool passive = request.passive || (request.flags & AI_PASSIVE);
        for (const std::string& text : own_addresses(passive)) addresses.push_back(numeric_name(text));
    } else if (numeric) {
        addresses.push_back(numeric_name(request.host));
    } else if (request.flags & AI_NUMERICHOST) {
        return EAI_NONAME;
    } else {
        addresses = addresses_of(request.host, asking);
        if (addresses.empty()) return EAI_NONAME;
    }
    const bool only_configured = (request.flags & AI_ADDRCONFIG) && !numeric && !asking.addresses.empty();
    std::erase_if(addresses, [&](const socket_name& a) {
        if (request.family != AF_UNSPEC && a.family() != request.family) return true;
        return only_configured && !asking.address_of(a.family());
    });
    if (addresses.empty()) return numeric ? EAI_ADDRFAMILY : EAI_NODATA;
    for (socket_name& a : addresses) {
        a.set_port(*port);
        for (const socket_kind& k : wanted) {
            resolved_name one{.size = a.size, .family = a.family(), .type = k.type, .protocol = k.protocol};
            std::memcpy(one.address.data(), &a.bytes, a.size);
            found.push_back(one);
        }
    }
    return 0;
}

int name_table::name_of(const socket_name& of, int flags, std::string& host, std::string& service) {
    const allocating_for_the_world own;
    if (of.family() != AF_INET && of.family() != AF_INET6) return EAI_FAMILY;
    std::string name;
    if (of.is_loopback()) name = "localhost";
    world_.hosts.each([&](const host_state& h) {
        if (std::ranges::any_of(h.addresses, [&](const socket_name& a) { return a.same_host(of); })) name = h.name;
    });
    for (const auto& [known, addresses] : names_) {
        if (name.empty() && std::ranges::any_of(addresses, [&](const socket_name& a) { return a.same_host(of); }))
            name = known;
    }
    if ((flags & NI_NUMERICHOST) == 0 && !of.is_loopback()) {
        if (const trouble t = choose_trouble(); t.error) return t.error;
    }
    if (name.empty() && (flags & NI_NAMEREQD)) return EAI_NONAME;
    host = name.empty() || (flags & NI_NUMERICHOST) ? of.ip() : name;
    service = flags & NI_NUMERICSERV ? std::to_string(of.port()) : service_of_port(of.port());
    return 0;
}

/// Names that are known without a name server are answered at once.
class name_table::resolver final : public rondo::resolver {
public:
    explicit resolver(name_table& names) noexcept : names_(names) {}
    coro<std::vector<resolved>> getaddrinfo(name_query query) override {
        trouble met;
        duration takes{};
        if (!names_.is_known_here(query.host)) {
            const allocating_for_the_world own;
            takes = names_.world_.choose_delay(answers_take, labels::how_long_a_look_up);
            met = names_.choose_trouble();
        }
        co_await sleep(takes + met.after); // others run in any case, as they do while a thread asks
        std::vector<resolved_name> found;
        if (met.error == 0) {
            const allocating_for_the_world own;
            met.error = names_.answer(rondo::detail::request_of(query), found);
        }
        if (met.error != 0)
            throw std::system_error(met.error, rondo::detail::resolver_category(),
                                    rondo::detail::cannot_resolve(query.host));
        std::vector<resolved> all;
        for (const resolved_name& one : found) {
            const socket_name where(reinterpret_cast<const ::sockaddr*>(one.address.data()), one.size);
            all.push_back(
                {.address = where.to_address(), .family = one.family, .type = one.type, .protocol = one.protocol});
        }
        co_return all;
    }

private:
    name_table& names_;
};

void name_table::serve(event_loop& loop) {
    if (std::exchange(serves_, true)) return;
    const allocating_for_the_world own;
    loop.set_resolver(std::make_shared<resolver>(*this));
}

} // namespace rondo::sim::detail
