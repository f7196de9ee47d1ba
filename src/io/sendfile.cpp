#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/protocol_stream.hpp"
#include "io/send_file.hpp"
#include "io/sending_lease.hpp"
#include "io/sock_checks.hpp"
#include "io/stream_transport.hpp"

#include <string>

#include <sys/socket.h>

namespace rondo {

namespace {

void check_count(const sendfile_options& options, const char* method) {
    if (options.count && *options.count == 0)
        throw value_error(std::string(method) + ": the number of bytes to send must be positive");
}

} // namespace

coro<std::size_t> event_loop::sock_sendfile(int fd, int file, sendfile_options options) {
    constexpr const char* method = "sock_sendfile";
    detail::check_runs_here(*this, method);
    check_count(options, method);
    detail::check_non_blocking(*this, fd, method);
    int type = 0;
    detail::checked(detail::loop_access::backend(*this).os().get_option(fd, SOL_SOCKET, SO_TYPE, type), method, fd);
    if (type != SOCK_STREAM)
        throw value_error("sock_sendfile: only a stream socket can be sent a file (fd " + std::to_string(fd) + ")");
    const detail::file_destination to{.fd = fd, .lease = nullptr, .buffer_size = 262'144, .method = method};
    co_return co_await detail::send_file(*this, to, file, options);
}

coro<std::size_t> event_loop::sendfile(transport& to, int file, sendfile_options options) {
    detail::check_runs_here(*this, "sendfile");
    check_count(options, "sendfile");
    if (to.is_closing()) throw runtime_error("sendfile() on a transport that is closing");
    auto* const of_socket = dynamic_cast<detail::stream_transport*>(&to);
    if (!of_socket) {
        if (!options.fallback) throw sendfile_not_available_error("sendfile: this transport is no socket's");
        co_return co_await detail::send_file_by_writing(*this, to, file, options);
    }
    const detail::counted_ptr<detail::stream_core> stream(&of_socket->stream());
    if (stream->kind() == detail::stream_kind::read_pipe || stream->kind() == detail::stream_kind::write_pipe)
        throw runtime_error("sendfile() on a pipe (" + stream->describe() + ")");
    if (stream->eof_requested()) throw runtime_error("sendfile() after write_eof()");
    detail::sending_lease lease(stream);
    co_await lease.answered();
    if (lease.is_revoked()) std::rethrow_exception(lease.reason());
    const detail::file_destination destination{
        .fd = stream->descriptor(), .lease = &lease, .buffer_size = 16'384, .method = "sendfile"};
    co_return co_await detail::send_file(*this, destination, file, options);
}

} // namespace rondo
