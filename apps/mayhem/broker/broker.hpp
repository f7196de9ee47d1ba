// Where requests come from: the seam to a message broker that delivers at least once.
#pragma once

#include "broker/delivery.hpp"
#include "broker/journal_record.hpp"
#include "settings/settings.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mayhem {

/// Counted since this process opened the broker.
struct broker_statistics {
    std::uint64_t recovered = 0; // messages that were there when it was opened: what an earlier run left
    std::uint64_t published = 0; // and durable
    std::uint64_t acknowledged = 0;
    std::uint64_t dead_lettered = 0;
    std::uint64_t redelivered = 0; // deliveries that were not a message's first
    std::uint64_t leases_expired = 0;
    std::size_t pending = 0; // now: neither settled nor dead
    std::size_t out = 0;     // of these: delivered and leased
};

/// What became of a message whose delivery failed.
enum class fate { redelivered, dead_lettered };

/// A message that was delivered is leased: until its deadline nobody else gets it. What acts on a delivery throws lease_lost
/// when its lease has expired or it was settled before. After the last attempt that the broker allows, a message becomes a
/// dead letter, which is kept with its history and delivered no more.
///
/// Whatever returns normally is durable. An error other than lease_lost means that the broker can no longer be relied upon.
class broker {
public:
    virtual ~broker() = default;

    virtual const lease_terms& lease() const noexcept = 0;

    /// Waits while the broker is full. Cancelled: all of them will be there, or none.
    virtual rondo::coro<> publish(std::vector<std::string> payloads) = 0;

    /// Waits until there is a message, then gives as many as there are, `at_most`. Cancelled: nothing was delivered.
    virtual rondo::coro<std::vector<delivery>> pull(std::size_t at_most) = 0;

    /// Settles the message for ever.
    virtual rondo::coro<> acknowledge(delivery_tag d) = 0;
    /// Prolongs the lease: it ends after lease().extension from now, or when it would have ended anyway, whichever is later.
    virtual rondo::coro<> extend(delivery_tag d) = 0;
    /// This delivery came to nothing, which counts. The message comes again after the delay, or becomes a dead letter.
    virtual rondo::coro<fate> fail(delivery_tag d, std::string reason, std::chrono::nanoseconds delay) = 0;
    /// No delivery of this message can succeed: a dead letter now.
    virtual rondo::coro<> bury(delivery_tag d, std::string reason) = 0;
    /// Gives the message back untouched, which counts nothing. It comes again after the delay.
    virtual rondo::coro<> give_back(delivery_tag d, std::chrono::nanoseconds delay) = 0;

    /// The newest dead letters, newest last.
    virtual std::vector<message> dead_letters(std::size_t at_most) const = 0;
    virtual broker_statistics statistics() const = 0;

    /// Makes everything durable and lets go. Called once, last.
    virtual rondo::coro<> close() = 0;
};

} // namespace mayhem
