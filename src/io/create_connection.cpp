#include <rondo/io/create_connection.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

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

} // namespace

coro<endpoint<protocol>> begin_protocol(event_loop& loop, stream_factory factory, int fd, stream_kind kind,
                                        address peer, bool expects_news) {
    descriptor_guard guard(loop, fd);
    std::shared_ptr<protocol> made = made_by(*factory);
    guard.taken();
    const counted_ptr<protocol_stream> stream = protocol_stream::make(loop, fd, kind, std::move(peer));
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

coro<endpoint<protocol>> create_connection(event_loop& loop, stream_factory factory, std::string host,
                                           std::uint16_t port, connect_options options) {
    check_runs_here(loop, "create_connection()");
    connected_socket socket = co_await connect_tcp(std::move(host), port, std::move(options));
    co_return co_await begin_protocol(loop, std::move(factory), socket.fd, stream_kind::tcp, std::move(socket.peer));
}

coro<endpoint<protocol>> create_unix_connection(event_loop& loop, stream_factory factory, std::string path,
                                                connect_options options) {
    check_runs_here(loop, "create_unix_connection()");
    connected_socket socket = co_await connect_unix(std::move(path), std::move(options));
    co_return co_await begin_protocol(loop, std::move(factory), socket.fd, stream_kind::unix_socket,
                                      std::move(socket.peer));
}

coro<endpoint<protocol>> connect_accepted_socket(event_loop& loop, stream_factory factory, int fd) {
    check_runs_here(loop, "connect_accepted_socket()");
    os& sockets = loop_access::backend(loop).os();
    int type = 0;
    int family = 0;
    if (sockets.get_option(fd, SOL_SOCKET, SO_TYPE, type) < 0 || type != SOCK_STREAM)
        throw value_error("connect_accepted_socket(): fd " + std::to_string(fd) + " is not a stream socket");
    sockets.get_option(fd, SOL_SOCKET, SO_DOMAIN, family);
    const stream_kind kind = family == AF_UNIX ? stream_kind::unix_socket : stream_kind::tcp;
    co_return co_await begin_protocol(loop, std::move(factory), fd, kind, peer_address_of(sockets, fd));
}

} // namespace rondo::detail
