// transport: the sending half of a connection that has a protocol, and the reins of its receiving half.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/bytes.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace rondo {

class protocol;

/// high not set: 64 KiB, or four times low. low not set: a quarter of high.
struct write_limits {
    std::optional<std::size_t> high = std::nullopt;
    std::optional<std::size_t> low = std::nullopt;
};

/// What every transport can do. The loop keeps it until connection_lost() has returned, also when nobody else does; after that
/// it is empty, and every call does nothing. Belongs to the loop's thread. (asyncio.BaseTransport)
class base_transport {
public:
    base_transport(const base_transport&) = delete;
    base_transport& operator=(const base_transport&) = delete;
    virtual ~base_transport();

    /// Stops receiving at once, sends what is queued, then connection_lost(null). Idempotent.
    virtual void close() = 0;
    /// Drops what is queued; connection_lost(null). A TCP peer sees a reset.
    virtual void abort() = 0;
    virtual bool is_closing() const noexcept = 0;
    /// Nothing (address()) for a pipe, and for an unnamed Unix socket.
    virtual address peer_address() const = 0;
    virtual address local_address() const = 0;
    /// -1 when it is lost. It stays the transport's: do not read, write or close it.
    virtual int fd() const noexcept = 0;
    /// t.get_extra<rondo::extra::peername>(): what a tag of <rondo/io/extra.hpp>, or one of your own, says of this; nullopt
    /// where it has none. (get_extra_info)
    template <class Tag> std::optional<typename Tag::type> get_extra() const { return Tag::of(*this); }

protected:
    base_transport() = default;
};

/// A stream: a connection or pipe. (asyncio.Transport)
class transport : public base_transport {
public:
    /// Sends what the kernel takes, copies the rest; never suspends. Once more than the high-water mark waits, the protocol is
    /// told to pause_writing(). Nothing when closing or lost. After write_eof(), and on the reading end of a pipe: runtime_error.
    virtual void write(bytes_view data) = 0;
    virtual void writelines(std::span<const bytes_view> pieces) = 0;
    /// Ends this direction once everything is sent; data still comes in. Nothing when closing.
    virtual void write_eof() = 0;
    virtual bool can_write_eof() const noexcept = 0;

    /// Takes effect at once. low above high: value_error.
    virtual void set_write_buffer_limits(write_limits limits = {}) = 0;
    /// low, high
    virtual std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept = 0;
    virtual std::size_t get_write_buffer_size() const noexcept = 0;

    /// Until resume_reading() nothing is told that comes from the other side: no data, no end. Idempotent.
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;
    virtual bool is_reading() const noexcept = 0;

    /// From the next callback on; connection_made() is not called again. Null: value_error.
    virtual void set_protocol(std::shared_ptr<protocol> p) = 0;
    /// Null when the connection is lost.
    virtual std::shared_ptr<protocol> get_protocol() const = 0;
};

} // namespace rondo
