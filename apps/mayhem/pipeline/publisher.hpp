// A source of random requests, for when there is no world outside to send them.
#pragma once

#include "broker/broker.hpp"

#include <rondo/rondo.hpp>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace mayhem {

/// Which host and when follow from the seed. The ids do not: they must be new in every run, since a request whose id is in
/// the database already is taken for done.
class publisher {
public:
    using id_source = std::function<std::string()>;

    publisher(broker& to, std::vector<std::string> hosts, double per_second, std::uint64_t seed, id_source next_id);

    /// Until cancelled. Request n is due at the start + n / rate, whatever happened to the ones before, so the rate does not
    /// drift; arrears of more than a second are dropped, because a burst would help nobody. Throws what the broker throws.
    rondo::coro<> run();

private:
    std::vector<std::string> make(std::uint64_t count);

    broker& to_;
    std::vector<std::string> hosts_;
    double per_second_;
    std::mt19937_64 random_;
    id_source next_id_;
};

/// Ids that no other run gives out: a random prefix and a number.
publisher::id_source unique_ids();

} // namespace mayhem
