#include <rondo/io/create_connection.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/adopted_socket.hpp"
#include "io/begin_protocol.hpp"
#include "io/connect_socket.hpp"
#include "io/running_here.hpp"
#include "io/socket_address.hpp"

#include <utility>

#include <sys/socket.h>

namespace rondo::detail {

namespace {

std::shared_ptr<protocol> made_by(protocol_factory<protocol>& factory) {
    std::shared_ptr<protocol> made = factory.make();
    if (!made) throw runtime_error("a protocol factory has returned null");
    return made;
}

coro<endpoint<protocol>> begin(event_loop& loop, stream_factory factory, int fd, stream_kind kind, address peer,
                               std::source_location where, bool expects_news) {
    descriptor_guard guard(loop, fd);
    std::shared_ptr<protocol> made = made_by(*factory);
    guard.taken();
    const counted_ptr<protocol_stream> stream = protocol_stream::make(loop, fd, kind, std::move(peer), where);
    if (!expects_news) stream->expect_no_news();
    struct closing {
        protocol_stream* stream;
        ~closing() {
            if (stream) stream->stop();
        }
    } unless_made{stream.get()};
    endpoint<protocol> both{stream->transport(), made};
    future<> connection_made = loop.create_future<>();
    stream->begin(std::move(made), connection_made);
    co_await connection_made;
    unless_made.stream = nullptr;
    co_return both;
}

} // namespace

/// The descriptor is closed also when there is no memory for the frame that would have taken it over.
RONDO_CORO_WRAPPER coro<endpoint<protocol>> begin_protocol(event_loop& loop, stream_factory factory, int fd,
                                                           stream_kind kind, address peer, std::source_location where,
                                                           bool expects_news) {
    descriptor_guard guard(loop, fd);
    auto beginning = begin(loop, std::move(factory), fd, kind, std::move(peer), where, expects_news);
    guard.taken();
    return beginning;
}

coro<endpoint<protocol>> create_connection(event_loop& loop, stream_factory factory, std::string host,
                                           std::uint16_t port, connect_options options, std::source_location where) {
    constexpr const char* method = "create_connection()";
    check_runs_here(loop, method);
    connected_socket socket = co_await connect_tcp(std::move(host), port, std::move(options), method);
    co_return co_await begin_protocol(loop, std::move(factory), socket.fd, stream_kind_of(socket.family),
                                      std::move(socket.peer), where);
}

coro<endpoint<protocol>> create_unix_connection(event_loop& loop, stream_factory factory, std::string path,
                                                connect_options options, std::source_location where) {
    constexpr const char* method = "create_unix_connection()";
    check_runs_here(loop, method);
    connected_socket socket = co_await connect_unix(std::move(path), std::move(options), method);
    co_return co_await begin_protocol(loop, std::move(factory), socket.fd, stream_kind::unix_socket,
                                      std::move(socket.peer), where);
}

coro<endpoint<protocol>> connect_accepted_socket(event_loop& loop, stream_factory factory, int fd,
                                                 std::source_location where) {
    check_runs_here(loop, "connect_accepted_socket()");
    const stream_kind kind = stream_kind_of(adopt_socket(loop, fd, SOCK_STREAM, "connect_accepted_socket()"));
    co_return co_await begin_protocol(loop, std::move(factory), fd, kind,
                                      peer_address_of(loop_access::backend(loop).os(), fd), where);
}

} // namespace rondo::detail
