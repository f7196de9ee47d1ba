// datagram_transport: sends datagrams.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/bytes.hpp>
#include <rondo/io/transport.hpp>

#include <cstddef>
#include <utility>

namespace rondo {

/// Each call sends one datagram, an empty one too; it is copied, and waits while the kernel has no room. Above the high-water
/// mark the protocol is told to pause_writing(); each datagram counts 8 bytes more than it has. What the kernel refuses is told
/// to error_received(). Nothing when closing. (asyncio.DatagramTransport)
class datagram_transport : public base_transport {
public:
    /// To the remote address of the endpoint.
    virtual void sendto(bytes_view data) = 0;
    /// value_error when the endpoint has another remote address.
    virtual void sendto(bytes_view data, const address& to) = 0;
    /// As transport's.
    virtual void set_write_buffer_limits(write_limits limits = {}) = 0;
    /// low, high
    virtual std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept = 0;
    virtual std::size_t get_write_buffer_size() const noexcept = 0;
};

} // namespace rondo
