// The errors of input and output, named as in Python. Those of the operating system are std::system_error with its errno.
#pragma once

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/bytes.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace rondo {

/// Something is wrong with a connection: the base of the next four.
class connection_error : public std::system_error {
public:
    using std::system_error::system_error;
};
/// ECONNRESET: the other side broke it off; also the use of a connection that was closed on this side.
class connection_reset_error : public connection_error {
public:
    using connection_error::connection_error;
};
/// ECONNABORTED.
class connection_aborted_error : public connection_error {
public:
    using connection_error::connection_error;
};
/// ECONNREFUSED: nobody listens there.
class connection_refused_error : public connection_error {
public:
    using connection_error::connection_error;
};
/// EPIPE, ESHUTDOWN: nobody reads the other end any more; also a stream in which a cancelled write() left half a message.
class broken_pipe_error : public connection_error {
public:
    using connection_error::connection_error;
};
/// ESRCH: the process has ended.
class process_lookup_error : public std::system_error {
public:
    using std::system_error::system_error;
};

/// The stream ended before what was asked for had come (EOFError). What had come is in it, and no longer in the stream.
class incomplete_read_error : public std::runtime_error {
public:
    incomplete_read_error(rondo::bytes partial, std::optional<std::size_t> expected);
    const rondo::bytes& partial() const noexcept { return partial_; }
    /// nullopt: a separator was expected.
    std::optional<std::size_t> expected() const noexcept { return expected_; }

private:
    rondo::bytes partial_;
    std::optional<std::size_t> expected_;
};

/// No separator within the reader's limit. The data is still in the stream.
class limit_overrun_error : public std::runtime_error {
public:
    limit_overrun_error(const std::string& message, std::size_t consumed)
        : runtime_error(message), consumed_(consumed) {}
    /// How many bytes are certainly before the separator: read_exactly(consumed()) gets past them.
    std::size_t consumed() const noexcept { return consumed_; }

private:
    std::size_t consumed_;
};

/// There is no native sendfile for this pair, and no fallback was wanted.
class sendfile_not_available_error : public rondo::runtime_error {
public:
    using runtime_error::runtime_error;
};

namespace detail {

/// The error for an errno, of the class that Python (PEP 3151) would take: a connection_error, process_lookup_error,
/// timeout_error, or a plain std::system_error. `what` says what was tried, and on what.
std::exception_ptr os_error(int error_number, const std::string& what);
[[noreturn]] void throw_os_error(int error_number, const std::string& what);

} // namespace detail
} // namespace rondo
