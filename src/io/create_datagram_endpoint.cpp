#include <rondo/io/create_datagram_endpoint.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>

#include "io/adopted_socket.hpp"
#include "io/datagram_core.hpp"
#include "io/descriptor_guard.hpp"
#include "io/operation_awaiter.hpp"
#include "io/running_here.hpp"
#include "io/socket_address.hpp"

#include <cerrno>
#include <string>
#include <utility>

namespace rondo::detail {

namespace {

int family_of(const datagram_options& options) {
    int family = options.family;
    for (const auto* a : {&options.local_address, &options.remote_address}) {
        if (!*a) continue;
        const int theirs = address_access::family(**a);
        if (family != AF_UNSPEC && theirs != family)
            throw value_error("create_datagram_endpoint(): " + (*a)->str() + " is of another address family");
        family = theirs;
    }
    if (family == AF_UNSPEC) throw value_error("create_datagram_endpoint(): no address, and no address family");
    return family;
}

void check(int result, const char* what, const address& where) {
    if (result < 0) throw_os_error(-result, std::string(what) + " " + where.str());
}

void bind(os& sockets, int fd, const address& to) {
    const socket_address name(to);
    int result = sockets.bind(fd, name.get(), name.size);
    const bool file = to.is_unix() && to.path().front() != '\0';
    if (result == -EADDRINUSE && file && sockets.socket_in_use(to.path()) == 0) {
        if (sockets.unlink_socket(to.path()) >= 0) result = sockets.bind(fd, name.get(), name.size);
    }
    check(result, "cannot bind a datagram socket to", to);
}

struct opened {
    int family;
    std::optional<datagram_core::remote> to;
};

/// The program's own socket. What it is connected to is the only one to send to.
opened adopt(event_loop& loop, const datagram_options& options, const char* method) {
    if (options.local_address || options.remote_address || options.family != AF_UNSPEC || options.protocol != 0 ||
        options.reuse_port || options.allow_broadcast) {
        throw value_error(std::string(method) + ": other options were given beside a socket");
    }
    opened made{adopt_socket(loop, options.sock, SOCK_DGRAM, method), std::nullopt};
    if (address peer = peer_address_of(loop_access::backend(loop).os(), options.sock); peer != address())
        made.to = {.address = std::move(peer), .connected = true};
    return made;
}

coro<opened> open_as_asked(event_loop& loop, const datagram_options& options, descriptor_guard& guard) {
    opened made{family_of(options), std::nullopt};
    os& sockets = loop_access::backend(loop).os();
    const int fd = sockets.open_socket(made.family, SOCK_DGRAM, options.protocol);
    if (fd < 0) throw_os_error(-fd, "cannot open a datagram socket");
    guard.reset(fd);
    if (options.reuse_port) {
        const int result = sockets.set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        if (result < 0) throw_os_error(-result, "SO_REUSEPORT");
    }
    if (options.allow_broadcast) sockets.set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (options.local_address) bind(sockets, fd, *options.local_address);
    if (options.remote_address) {
        made.to = {.address = *options.remote_address, .connected = !options.allow_broadcast};
        if (made.to->connected) {
            socket_address name(made.to->address);
            operation_awaiter connecting(loop, operation_kind::connect, fd, "connect");
            connecting.asked.address = name.get();
            connecting.asked.address_size = name.size;
            check(static_cast<int>(co_await connecting), "cannot connect a datagram socket to", made.to->address);
        }
    }
    co_return made;
}

} // namespace

coro<endpoint<datagram_protocol, datagram_transport>>
create_datagram_endpoint(event_loop& loop, std::unique_ptr<protocol_factory<datagram_protocol>> factory,
                         datagram_options options, std::source_location where) {
    constexpr const char* method = "create_datagram_endpoint()";
    check_runs_here(loop, method);
    descriptor_guard guard(loop, -1);
    opened socket{};
    if (options.sock >= 0) {
        socket = adopt(loop, options, method);
        guard.reset(options.sock);
    } else {
        socket = co_await open_as_asked(loop, options, guard);
    }
    std::shared_ptr<datagram_protocol> protocol = factory->make();
    if (!protocol) throw runtime_error("a protocol factory has returned null");
    future<> made = loop.create_future<>();
    const counted_ptr<datagram_core> core =
        datagram_core::make(loop, guard.take(), socket.family, std::move(socket.to), where);
    struct closing {
        datagram_core* core;
        ~closing() {
            if (core) core->close();
        }
    } unless_made{core.get()};
    core->begin(protocol, made);
    endpoint<datagram_protocol, datagram_transport> both{core->transport(), std::move(protocol)};
    co_await made;
    unless_made.core = nullptr;
    co_return both;
}

} // namespace rondo::detail
