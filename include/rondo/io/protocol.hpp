// protocol and buffered_protocol: what a connection tells, as callbacks.
#pragma once

#include <cstddef>
#include <exception>
#include <span>

namespace rondo {

class transport;

/// What every protocol is told.
///
/// The loop calls each of these in a turn of its own, in a copy of the context in which the connection was asked for, and never
/// from within a call of the transport, but for pause_writing(), which write() may call. connection_made() comes first and once,
/// connection_lost() last and once. What connection_made(), connection_lost(), pause_writing() and resume_writing() throw goes
/// to the exception handler, and the connection goes on. (asyncio.BaseProtocol)
class base_protocol {
public:
    base_protocol() = default;
    base_protocol(const base_protocol&) = delete;
    base_protocol& operator=(const base_protocol&) = delete;
    virtual ~base_protocol();

    /// Null: it was closed here, or the other side has ended in order.
    virtual void connection_lost(std::exception_ptr error);
    /// More than the high-water mark waits to be sent; no more than the low-water mark does. In strict alternation.
    virtual void pause_writing();
    virtual void resume_writing();
};

/// For a stream: a socket or pipe. connection_made, then any number of data_received, at most one eof_received, connection_lost.
/// What data_received() or eof_received() throws goes to the exception handler and ends the connection with that error.
/// (asyncio.Protocol)
///
///     struct echo : rondo::protocol {
///         void connection_made(rondo::transport& t) override { to = &t; }
///         void data_received(std::span<const std::byte> data) override { to->write(data); }
///         rondo::transport* to = nullptr; // valid until connection_lost() returns
///     };
class protocol : public base_protocol {
public:
    virtual void connection_made(transport& t);
    /// At least one byte; valid during the call.
    virtual void data_received(std::span<const std::byte> data);
    /// The other side sends no more. False: the transport closes itself; true: it stays open for writing.
    virtual bool eof_received();
};

/// Has its bytes put where it wants them, in place of data_received(): the kernel writes them there.
///
/// So the buffer is lent from get_buffer() until buffer_updated(), or connection_lost(), is called: meanwhile it stays where it is,
/// is as large as it was, and is not looked at. Before anything has come, that may be long; pausing does not end it. After
/// set_protocol() to another one it is lent for as long as this protocol lives, which is kept until the kernel has given the
/// buffer back; what has come by then is told to the other one. (asyncio.BufferedProtocol)
class buffered_protocol : public protocol {
public:
    /// Where the next bytes go; room for more than `hint` bytes is not faster. Empty: runtime_error, which ends the connection, as
    /// does what this throws.
    virtual std::span<std::byte> get_buffer(std::size_t hint) = 0;
    /// So many bytes, at least one, are at the beginning of the buffer that get_buffer() has given.
    virtual void buffer_updated(std::size_t n) = 0;
};

} // namespace rondo
