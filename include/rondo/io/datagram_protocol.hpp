// datagram_protocol: what a datagram socket tells, as callbacks.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/protocol.hpp>

#include <cstddef>
#include <exception>
#include <span>

namespace rondo {

class datagram_transport;

/// Called as base_protocol says. What these throw goes to the exception handler, and the endpoint goes on.
/// (asyncio.DatagramProtocol)
///
///     struct pong : rondo::datagram_protocol {
///         void connection_made(rondo::datagram_transport& t) override { to = &t; }
///         void datagram_received(std::span<const std::byte> d, const rondo::address& from) override { to->sendto(d, from); }
///         rondo::datagram_transport* to = nullptr;
///     };
class datagram_protocol : public base_protocol {
public:
    virtual void connection_made(datagram_transport& t);
    /// One datagram, which may be empty; valid during the call.
    virtual void datagram_received(std::span<const std::byte> data, const address& from);
    /// A std::system_error: a datagram could not be sent or received, for instance because nobody listens there.
    virtual void error_received(std::exception_ptr error);
};

} // namespace rondo
