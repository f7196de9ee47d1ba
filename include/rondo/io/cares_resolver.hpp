// cares_resolver(): names looked up by c-ares, without threads.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/resolver.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace rondo {

struct cares_options {
    std::vector<address> servers = {};                           // empty: those of /etc/resolv.conf
    std::chrono::milliseconds timeout = std::chrono::seconds(5); // of the first try; doubled with each further one
    int tries = 4;                                               // of each server
};

/// This library was built with c-ares.
bool has_cares() noexcept;

/// A resolver that asks DNS servers by itself, after /etc/hosts, on the loop's own descriptors and timers: any number of
/// lookups at once, where the default one has as many as the executor has threads. It knows no other sources that
/// nsswitch.conf may name; questions with an empty host go to the default one.
///
/// A lookup suspends, and ends at once when it is cancelled; its answer is dropped then. Nobody answers: std::system_error of
/// the category "resolver", EAI_AGAIN; no such name: EAI_NONAME. Belongs to the first loop that uses it: in another one, and when
/// that has closed, runtime_error. Without c-ares in the build: runtime_error at once; a
/// server without an IP address, and a timeout or number of tries that is not positive: value_error.
///
///     loop.set_resolver(rondo::cares_resolver({.servers = {{"192.0.2.53", 53}}}));
std::shared_ptr<resolver> cares_resolver(cares_options options = {});

} // namespace rondo
