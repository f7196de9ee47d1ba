#include "sim/host_registry.hpp"

#include <rondo/coro/exceptions.hpp>

#include "io/socket_address.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <utility>

namespace rondo::sim::detail {

namespace {

// RFC 5737 and RFC 3849: for examples.
constexpr const char* addresses_of_body[] = {"192.0.2.1", "2001:db8::1"};

std::uint64_t residence_variable() noexcept {
    static const std::uint64_t id = rondo::detail::new_variable_id();
    return id;
}

} // namespace

socket_name numeric_name(const std::string& text) {
    const auto parsed = rondo::detail::address_access::parse(text, 0);
    if (!parsed) throw value_error("'" + text + "' is no numeric address");
    const rondo::detail::socket_address made(*parsed);
    return {made.get(), made.size};
}

void host_registry::clear() noexcept {
    others_.clear();
    paths_.clear();
    body_.addresses.clear();
    body_.parts.clear();
    working_for_ = {};
    unburied_ = false;
}

bool host_registry::is_taken(const socket_name& address) const noexcept {
    const auto has_it = [&](const host_state& h) {
        return std::ranges::any_of(h.addresses, [&](const socket_name& a) { return a.same_host(address); });
    };
    return has_it(body_) || std::ranges::any_of(others_, [&](const auto& h) { return has_it(*h); });
}

socket_name host_registry::next_address() const {
    for (std::size_t n = others_.size() + 1;; ++n) {
        const socket_name made = numeric_name("10." + std::to_string(n >> 16 & 255) + "." +
                                              std::to_string(n >> 8 & 255) + "." + std::to_string(n & 255));
        if (!is_taken(made)) return made;
    }
}

host_state& host_registry::add(std::string name, const std::vector<std::string>& addresses) {
    const allocating_for_the_world own;
    if (name.empty() || with_name(name)) throw value_error("there is a host '" + name + "' already");
    auto made = std::make_unique<host_state>(world_, others_.size() + 1, std::move(name));
    if (alone()) {
        for (const char* a : addresses_of_body) body_.addresses.push_back(numeric_name(a));
    }
    for (const std::string& text : addresses) {
        made->addresses.push_back(numeric_name(text));
        const socket_name& a = made->addresses.back();
        if (a.is_any() || a.is_loopback() || is_taken(a)) throw value_error("the address " + text + " is taken");
    }
    if (addresses.empty()) made->addresses.push_back(next_address());
    others_.push_back(std::move(made));
    paths_.resize(others_.size() + 1);
    for (auto& from : paths_) from.resize(others_.size() + 1);
    return *others_.back();
}

host_state* host_registry::with_name(std::string_view name) noexcept {
    if (name == body_.name) return &body_;
    const auto found = std::ranges::find(others_, name, [](const auto& h) -> const std::string& { return h->name; });
    return found != others_.end() ? found->get() : nullptr;
}

host_state* host_registry::with_address(const socket_name& where, host_state& from) noexcept {
    if (where.is_loopback() || where.is_any()) return &from;
    host_state* found = nullptr;
    each([&](host_state& h) {
        if (std::ranges::any_of(h.addresses, [&](const socket_name& a) { return a.same_host(where); })) found = &h;
    });
    return found;
}

residence host_registry::here() const noexcept {
    if (working_for_.host) return working_for_;
    return of(others_.empty() ? nullptr : rondo::detail::current_context());
}

residence host_registry::of(const rondo::detail::context_state* context) const noexcept {
    if (context) {
        const auto found = rondo::detail::find_in(context, residence_variable());
        if (found) return *static_cast<const residence*>(found.get());
    }
    return {const_cast<host_state*>(&body_), body_.life};
}

rondo::context host_registry::context_on(const host_state& where) const {
    const allocating_for_the_world own;
    rondo::context made = copy_context();
    made.run([&] {
        rondo::detail::assign_in_current(residence_variable(), std::make_shared<const residence>(residence{
                                                                   const_cast<host_state*>(&where), where.life}));
    });
    return made;
}

void host_registry::set_latency(const host_state& from, const host_state& to, duration one_way) noexcept {
    if (!alone()) path(from, to).latency = one_way;
}

void host_registry::cut(const host_state& from, const host_state& to, bool cut) noexcept {
    if (!alone() && &from != &to) path(from, to).cut = cut;
}

void host_registry::heal() noexcept {
    for (auto& from : paths_) {
        for (path_state& to : from) to.cut = false;
    }
}

} // namespace rondo::sim::detail
