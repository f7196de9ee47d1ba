// stream_writer: the sending half of a connection or of a pipe.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/bytes.hpp>
#include <rondo/io/detail/write_awaiter.hpp>
#include <rondo/io/transport.hpp>

#include <optional>
#include <span>

namespace rondo {

namespace detail {
struct stream_access;
} // namespace detail

/// What is written goes out at once and in order; what the kernel does not take waits in a queue. While more than 64 KiB wait
/// there, write() and drain() suspend, until no more than 16 KiB do: so nobody can be buried in a slow reader's data.
///
/// An error of the connection is thrown by the write() or drain() that waits, and by every later one. Cancelling a write()
/// before its first byte was sent undoes it; in the middle of it, half a message was sent, so the stream is broken: later
/// writes throw broken_pipe_error that says so, and closing resets the connection. write() after close(), or when the
/// connection is lost: connection_reset_error. After write_eof(), or during a sendfile(): runtime_error. A small write makes
/// no allocation and usually does not suspend; a large one is sent from the caller's memory. Several tasks may write and
/// drain; each write stays in one piece. Move-only; belongs to the loop's thread. (asyncio.StreamWriter)
///
///     co_await writer.write("hello\n");
///     co_await writer.aclose();
class stream_writer {
public:
    explicit stream_writer(detail::counted_ptr<detail::stream_core> to) noexcept : to_(std::move(to)) {}
    stream_writer(stream_writer&& other) noexcept = default;
    stream_writer& operator=(stream_writer&& other) noexcept;
    /// close(). In debug mode it is reported when that had not been said before.
    ~stream_writer();

    /// Writes and drains. The bytes, and the array of pieces, are borrowed until the await ends.
    detail::write_awaiter write(bytes_view data) { return {to_, data}; }
    detail::write_awaiter write(std::span<const bytes_view> pieces) { return {to_, pieces}; }
    /// Copies what the kernel does not take at once; never suspends, and knows no limit: say drain() now and then. On a
    /// connection that is lost it does nothing, as asyncio's. After write_eof(), or during a sendfile(): runtime_error.
    void write_nowait(bytes_view data);
    /// Throws the reader's or the connection's error. While the writer is closing it yields once.
    detail::write_awaiter drain() { return detail::write_awaiter(to_); }

    /// Ends this direction once everything is sent; the other side goes on. Nothing when closing.
    void write_eof();
    bool can_write_eof() const noexcept;
    /// Closes both directions once everything is sent; the reader sees the end of the stream. Idempotent.
    void close();
    bool is_closing() const noexcept;
    /// Until the connection is gone, by close() or an error, which is thrown. Any number of times.
    detail::closed_awaiter wait_closed() { return {to_, false}; }
    /// close() and wait_closed().
    detail::closed_awaiter aclose() { return {to_, true}; }

    /// Its limits, the size of its queue, and the reins of what is received ahead; it has no protocol, and set_protocol() throws
    /// runtime_error. Valid as long as this or its reader is. Not for a writer that was moved from.
    rondo::transport& transport() const noexcept;
    /// Nothing (address()) for a pipe, and for an unnamed Unix socket.
    address peer_address() const;
    address local_address() const;
    /// As base_transport::get_extra().
    template <class Tag> std::optional<typename Tag::type> get_extra() const {
        if (!to_) return std::nullopt;
        return transport().template get_extra<Tag>();
    }

private:
    friend struct detail::stream_access;
    detail::counted_ptr<detail::stream_core> to_;
};

} // namespace rondo
