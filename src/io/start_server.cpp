#include <rondo/io/errors.hpp>
#include <rondo/io/server.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/adopted_socket.hpp"
#include "io/descriptor_guard.hpp"
#include "io/inbound.hpp"
#include "io/resolver.hpp"
#include "io/running_here.hpp"
#include "io/server_core.hpp"
#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>

namespace rondo::detail {

namespace {

// A free port of one family may be taken in the other; after so many unlucky draws something else is wrong.
constexpr int most_draws_of_a_port = 16;

struct bound_socket {
    int fd;
    address where;
};

/// Closes what it still holds.
class bound_sockets {
public:
    explicit bound_sockets(os& o) noexcept : os_(o) {}
    bound_sockets(const bound_sockets&) = delete;
    bound_sockets& operator=(const bound_sockets&) = delete;
    ~bound_sockets() { clear(); }

    void clear() noexcept {
        for (const bound_socket& s : sockets_) os_.close(s.fd);
        sockets_.clear();
    }
    /// 0 or -errno.
    int bind(const address& to, const server_options& options) {
        sockets_.reserve(sockets_.size() + 1);
        const socket_address name(to);
        const int fd = os_.open_socket(name.family(), SOCK_STREAM, 0);
        if (fd < 0) return fd;
        const bool ip = name.family() != AF_UNIX;
        if (ip && options.reuse_address) os_.set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        int result = ip && options.reuse_port ? os_.set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
        if (ip && options.keep_alive) os_.set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1); // its connections inherit it
        if (name.family() == AF_INET6) os_.set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (result >= 0) result = os_.bind(fd, name.get(), name.size);
        if (result < 0) {
            os_.close(fd);
            return result;
        }
        sockets_.push_back({fd, local_address_of(os_, fd)});
        return 0;
    }
    /// The program's own, which is bound.
    void take_over(int fd) {
        descriptor_guard guard(os_, fd);
        sockets_.reserve(1);
        address where = local_address_of(os_, fd);
        sockets_.push_back({guard.take(), std::move(where)});
    }
    void give_to(server_core& server) {
        while (!sockets_.empty()) {
            server.add_listener(sockets_.front().fd, sockets_.front().where);
            sockets_.erase(sockets_.begin());
        }
    }
    bool empty() const noexcept { return sockets_.empty(); }
    const address& first() const noexcept { return sockets_.front().where; }

private:
    os& os_;
    std::vector<bound_socket> sockets_;
};

[[noreturn]] void fail(int result, const address& where) { throw_os_error(-result, "cannot listen on " + where.str()); }

/// This machine does not have such an address, or such addresses at all.
bool is_skipped(int result) noexcept { return result == -EADDRNOTAVAIL || result == -EAFNOSUPPORT; }

address with_port(const address& a, std::uint16_t port) { return port == a.port() ? a : address(a.ip(), port); }

/// Every address, all with the same port. False: the port that was drawn is taken for one of them.
bool bind_all(bound_sockets& sockets, const std::vector<address>& addresses, const server_options& options) {
    const bool draws = addresses.front().port() == 0;
    int skipped = 0;
    for (const address& a : addresses) {
        const bool drawn = draws && !sockets.empty();
        const address where = drawn ? with_port(a, sockets.first().port()) : a;
        const int result = sockets.bind(where, options);
        if (drawn && result == -EADDRINUSE) return false;
        if (is_skipped(result)) skipped = result;
        else if (result < 0) fail(result, where);
    }
    if (sockets.empty()) fail(skipped, addresses.front());
    return true;
}

/// Of all hosts, none twice.
coro<std::vector<address>> addresses_of(host_list on, std::uint16_t port, lookup how) {
    std::vector<address> all;
    for (const std::string& host : on.names()) {
        for (address& a : co_await resolve(host, port, resolve_for::listening, how)) {
            if (std::find(all.begin(), all.end(), a) == all.end()) all.push_back(std::move(a));
        }
    }
    co_return all;
}

void check_alone(bool alone, const char* method) {
    if (!alone) throw value_error(std::string(method) + ": a socket was given beside the address to listen on");
}

server made_server(event_loop& loop, server_work work, stream_kind kind, const server_options& options,
                   std::source_location where) {
    auto* core = new server_core(loop, std::move(work), kind, options, where);
    return server(counted_ptr<server_core>::adopt(core));
}

} // namespace

coro<server> start_tcp_server(server_work work, host_list on, std::uint16_t port, server_options options,
                              std::source_location where, const char* method) {
    event_loop& loop = running_loop();
    bound_sockets sockets(loop_access::backend(loop).os());
    stream_kind kind = stream_kind::tcp;
    if (on.names().empty()) throw value_error(std::string(method) + ": no host to listen on");
    if (options.sock >= 0) {
        check_alone(port == 0 && on.names().size() == 1 && on.names().front().empty(), method);
        kind = stream_kind_of(adopt_socket(loop, options.sock, SOCK_STREAM, method));
        sockets.take_over(options.sock);
    } else {
        const std::vector<address> addresses =
            co_await addresses_of(std::move(on), port, {.family = options.family, .flags = options.flags});
        for (int draw = 1; !bind_all(sockets, addresses, options); ++draw) {
            sockets.clear();
            if (draw == most_draws_of_a_port) fail(-EADDRINUSE, addresses.front());
        }
    }
    server made = made_server(loop, std::move(work), kind, options, where);
    server_core& core = server_access::core(made);
    sockets.give_to(core);
    if (options.start_serving) core.start();
    co_return made;
}

coro<server> start_unix_server(server_work work, std::string path, server_options options, std::source_location where,
                               const char* method) {
    event_loop& loop = running_loop();
    os& files = loop_access::backend(loop).os();
    bound_sockets sockets(files);
    if (options.sock >= 0) {
        check_alone(path.empty(), method);
        check_family(loop, options.sock, AF_UNIX, method);
        adopt_socket(loop, options.sock, SOCK_STREAM, method);
        sockets.take_over(options.sock);
        path = sockets.first().path();
    } else {
        const address name = address::unix_path(path);
        int result = sockets.bind(name, options);
        if (result == -EADDRINUSE && path.front() != '\0') {
            if (files.socket_in_use(path) == 0 && files.unlink_socket(path) >= 0) result = sockets.bind(name, options);
        }
        if (result < 0) fail(result, name);
    }
    server made = made_server(loop, std::move(work), stream_kind::unix_socket, options, where);
    server_core& core = server_access::core(made);
    sockets.give_to(core);
    if (options.cleanup_socket && !path.empty() && path.front() != '\0') core.own_file(std::move(path));
    if (options.start_serving) core.start();
    co_return made;
}

coro<server> start_tcp_server(std::unique_ptr<connection_handler> handler, host_list on, std::uint16_t port,
                              server_options options, std::source_location where) {
    inbound::check_limit(options.limit);
    co_return co_await start_tcp_server(server_work(std::move(handler)), std::move(on), port, options, where,
                                        "start_server()");
}

coro<server> start_unix_server(std::unique_ptr<connection_handler> handler, std::string path, server_options options,
                               std::source_location where) {
    inbound::check_limit(options.limit);
    co_return co_await start_unix_server(server_work(std::move(handler)), std::move(path), options, where,
                                         "start_unix_server()");
}

coro<server> create_server(event_loop& loop, std::unique_ptr<protocol_factory<protocol>> factory, host_list on,
                           std::uint16_t port, server_options options, std::source_location where) {
    constexpr const char* method = "create_server()";
    check_runs_here(loop, method);
    co_return co_await start_tcp_server(server_work(std::move(factory)), std::move(on), port, options, where, method);
}

coro<server> create_unix_server(event_loop& loop, std::unique_ptr<protocol_factory<protocol>> factory, std::string path,
                                server_options options, std::source_location where) {
    constexpr const char* method = "create_unix_server()";
    check_runs_here(loop, method);
    co_return co_await start_unix_server(server_work(std::move(factory)), std::move(path), options, where, method);
}

} // namespace rondo::detail
