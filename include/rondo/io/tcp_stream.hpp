// tcp_stream: both halves of a connection in one object.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/connection.hpp>
#include <rondo/io/open_connection.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rondo {

/// A connection that is read and written by one owner: every member is the one of the same name of stream_reader or
/// stream_writer, with its contract. One task may read while others write. For tasks that each own a half: split(). Move-only;
/// belongs to the loop's thread; the destructor closes. (trio.SocketStream; asyncio has the two halves only)
///
///     auto s = co_await rondo::tcp_stream::connect("127.0.0.1", 8080);
///     co_await s.write("ping\n");
///     auto answer = co_await s.read_line();
///     co_await s.aclose();
class tcp_stream {
public:
    /// The two halves of one connection.
    tcp_stream(stream_reader reader, stream_writer writer) noexcept
        : reader_(std::move(reader)), writer_(std::move(writer)) {}
    explicit tcp_stream(connection both) noexcept : tcp_stream(std::move(both.reader), std::move(both.writer)) {}
    /// As open_connection().
    static coro<tcp_stream> connect(std::string host, std::uint16_t port, connect_options options = {},
                                    std::source_location where = std::source_location::current());

    stream_reader& reader() noexcept { return reader_; }
    stream_writer& writer() noexcept { return writer_; }
    /// auto [reader, writer] = std::move(s).split();
    connection split() && noexcept { return {std::move(reader_), std::move(writer_)}; }

    detail::read_awaiter read(std::size_t n) { return reader_.read(n); }
    detail::read_awaiter read_all() { return reader_.read_all(); }
    detail::read_into_awaiter read_into(std::span<std::byte> buffer) { return reader_.read_into(buffer); }
    detail::read_awaiter read_exactly(std::size_t n) { return reader_.read_exactly(n); }
    detail::read_until_awaiter<std::string> read_until(std::string separator) {
        return reader_.read_until(std::move(separator));
    }
    detail::read_until_awaiter<std::vector<std::string>> read_until(std::vector<std::string> separators) {
        return reader_.read_until(std::move(separators));
    }
    detail::read_line_awaiter read_line() { return reader_.read_line(); }
    async_generator<bytes> lines() { return reader_.lines(); }
    bool at_eof() const noexcept { return reader_.at_eof(); }

    detail::write_awaiter write(bytes_view data) { return writer_.write(data); }
    detail::write_awaiter write(std::span<const bytes_view> pieces) { return writer_.write(pieces); }
    void write_nowait(bytes_view data) { writer_.write_nowait(data); }
    detail::write_awaiter drain() { return writer_.drain(); }
    /// Half-close: the other side sees the end, and may go on sending.
    void write_eof() { writer_.write_eof(); }

    void close() { writer_.close(); }
    bool is_closing() const noexcept { return writer_.is_closing(); }
    detail::closed_awaiter wait_closed() { return writer_.wait_closed(); }
    detail::closed_awaiter aclose() { return writer_.aclose(); }

    rondo::transport& transport() const noexcept { return writer_.transport(); }
    address peer_address() const { return writer_.peer_address(); }
    address local_address() const { return writer_.local_address(); }
    template <class Tag> std::optional<typename Tag::type> get_extra() const { return writer_.get_extra<Tag>(); }

private:
    stream_reader reader_; // goes last: the writer's end is an orderly one
    stream_writer writer_;
};

} // namespace rondo
