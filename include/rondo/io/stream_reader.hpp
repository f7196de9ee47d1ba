// stream_reader: the receiving half of a connection or of a pipe.
#pragma once

#include <rondo/io/bytes.hpp>
#include <rondo/io/detail/read_awaiter.hpp>
#include <rondo/task/async_generator.hpp>

#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <vector>

namespace rondo {

namespace detail {
struct stream_access;
} // namespace detail

/// How many bytes may come before a separator, and half of what is received ahead of the reads.
inline constexpr std::size_t default_limit = 65536;

/// Bytes are received ahead while fewer than twice the limit are unread; then the other side is held back until no more
/// than the limit are.
///
/// Every read suspends only while what it asked for has not come. One task may wait on a reader at a time: another gets
/// runtime_error naming both methods. Cancelling a read takes nothing out of the stream: the bytes are there for the next
/// one. An error of the connection is thrown by the reads that what had come before it cannot satisfy; one given to
/// set_exception() is thrown by every later read. Reads of up to a few KiB copy, larger ones take the receive buffer itself;
/// none allocates in the steady state. Move-only; belongs to the loop's thread. Destroying a reader stops receiving.
/// (asyncio.StreamReader)
///
///     while (auto line = co_await reader.read_line()) { use(line->view()); }
class stream_reader {
public:
    /// In memory: what feed_data() brings is what can be read. A limit of 0: value_error.
    explicit stream_reader(std::size_t limit = default_limit);
    explicit stream_reader(detail::counted_ptr<detail::inbound> from) noexcept : from_(std::move(from)) {}
    stream_reader(stream_reader&& other) noexcept = default;
    stream_reader& operator=(stream_reader&& other) noexcept;
    ~stream_reader();

    /// 1 to n bytes: what is there, at least one; empty only at the end of the stream, or for n == 0.
    detail::read_awaiter read(std::size_t n) { return {from_, detail::read_kind::some, n}; }
    /// Everything up to the end of the stream. Not bounded by the limit.
    detail::read_awaiter read_all() { return {from_, detail::read_kind::all, 0}; }
    /// As read(), into a buffer that is borrowed until the await ends. 0: the end of the stream (or an empty buffer).
    detail::read_into_awaiter read_into(std::span<std::byte> buffer) { return {from_, buffer}; }
    /// incomplete_read_error, which has the bytes, when the stream ends before. Not bounded by the limit.
    detail::read_awaiter read_exactly(std::size_t n) { return {from_, detail::read_kind::exactly, n}; }
    /// Up to and including the separator; of several, the match that ends first. The stream ends before: incomplete_read_error.
    /// More than the limit before the separator: limit_overrun_error, and the data stays in the stream. Empty: value_error.
    detail::read_until_awaiter<std::string> read_until(std::string separator) { return {from_, std::move(separator)}; }
    detail::read_until_awaiter<std::vector<std::string>> read_until(std::vector<std::string> separators) {
        return {from_, std::move(separators)};
    }
    /// A line with its newline, which the last one may lack; nullopt at the end of the stream. A line over the limit:
    /// value_error, and the line (or what has come of it) is discarded.
    detail::read_line_awaiter read_line() { return detail::read_line_awaiter(from_); }
    /// The lines up to the end of the stream: RONDO_FOR_AWAIT(line, reader.lines()). What read_line() throws ends it; lines() again
    /// goes on behind that.
    async_generator<bytes> lines();

    /// For readers in memory; for one of a connection, and for data after the end: runtime_error.
    void feed_data(bytes_view data);
    void feed_eof();
    /// The stream has ended and everything was read.
    bool at_eof() const noexcept;
    /// Wakes the task that waits, and fails every later read.
    void set_exception(std::exception_ptr error);
    /// The error of set_exception() or of the connection, or null.
    std::exception_ptr exception() const noexcept;

private:
    friend struct detail::stream_access;
    detail::counted_ptr<detail::inbound> from_;
};

} // namespace rondo
