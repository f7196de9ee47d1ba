#include <rondo/io/cares_resolver.hpp>

#include <rondo/coro/exceptions.hpp>

#ifdef RONDO_HAS_CARES
#include "io/cares_channel.hpp"
#endif

#include <utility>

namespace rondo {

#ifdef RONDO_HAS_CARES

bool has_cares() noexcept { return true; }
std::shared_ptr<resolver> cares_resolver(cares_options options) {
    if (options.timeout <= std::chrono::milliseconds::zero())
        throw value_error("cares_resolver(): the timeout must be positive");
    if (options.tries < 1) throw value_error("cares_resolver(): there must be at least one try");
    for (const address& server : options.servers) {
        if (server.ip().empty()) throw value_error("cares_resolver(): a DNS server has an IP address");
    }
    return std::make_shared<detail::cares_channel>(std::move(options));
}

#else

bool has_cares() noexcept { return false; }
std::shared_ptr<resolver> cares_resolver(cares_options) {
    throw runtime_error("cares_resolver(): this library was built without c-ares (Debian: libc-ares-dev)");
}

#endif

} // namespace rondo
