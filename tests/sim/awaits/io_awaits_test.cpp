#include <rondo/rondo.hpp>
#include <rondo/sim/world.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "sim/awaits/swept.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::stream_reader;
using rondo::stream_writer;

rondo::detail::os& system() { return rondo::detail::loop_access::backend(rondo::running_loop()).os(); }

/// A descriptor of the test's own.
class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {
        if (fd < 0) throw std::system_error(-fd, std::generic_category());
    }
    descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
    descriptor& operator=(descriptor&&) = delete;
    ~descriptor() {
        if (fd_ >= 0) system().close(fd_);
    }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

coro<> echo(stream_reader reader, stream_writer writer) {
    try {
        for (;;) {
            const auto some = co_await reader.read(64);
            if (some.empty()) break;
            co_await writer.write(some);
        }
        co_await writer.aclose();
    } catch (const std::system_error&) { // the client has left
    }
}

coro<rondo::server> echo_server() { return rondo::start_server(echo, "127.0.0.1", 0); }

RONDO_SWEPT(Connections, "io/open_connection io/server io/stream_writer io/stream_reader",
            "open_connection start_server shutdown write drain read read_line aclose") {
    auto server = co_await echo_server();
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    co_await writer.write("hello\n");
    static_cast<void>(co_await reader.read_line());
    writer.write_nowait("again");
    co_await writer.drain();
    static_cast<void>(co_await reader.read(5));
    co_await writer.aclose();
    static_cast<void>(co_await server.shutdown(1s));
}

RONDO_SWEPT(Reading, "io/stream_reader io/stream_writer",
            "read_all read_into read_exactly read_until lines write wait_closed") {
    auto server = co_await rondo::start_server(
        [](stream_reader, stream_writer writer) -> coro<> {
            const std::array<rondo::bytes_view, 2> pieces{"1234", "x;y\nlast\nrest"};
            co_await writer.write(pieces);
            co_await writer.aclose();
        },
        "127.0.0.1", 0);
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    std::array<std::byte, 2> two{};
    static_cast<void>(co_await reader.read_into(two));
    static_cast<void>(co_await reader.read_exactly(2));
    static_cast<void>(co_await reader.read_until("x;"));
    co_await rondo::aclosing(reader.lines(), [](auto& lines) -> coro<> {
        for (int i = 0; i < 2 && co_await lines.next(); ++i) {}
    });
    static_cast<void>(co_await reader.read_all());
    writer.close();
    co_await writer.wait_closed();
}

RONDO_SWEPT(Streams, "io/tcp_stream",
            "connect read read_all read_into read_exactly read_until read_line lines write drain wait_closed aclose") {
    auto server = co_await rondo::start_server(
        [](rondo::tcp_stream stream) -> coro<> {
            const std::array<rondo::bytes_view, 2> pieces{"123456", "x;y\nlast\nrest"};
            co_await stream.write(pieces);
            co_await stream.drain();
            co_await stream.aclose();
        },
        "127.0.0.1", 0);
    auto stream = co_await rondo::tcp_stream::connect("127.0.0.1", server.port());
    std::array<std::byte, 2> two{};
    static_cast<void>(co_await stream.read_into(two));
    static_cast<void>(co_await stream.read_exactly(2));
    static_cast<void>(co_await stream.read(2));
    static_cast<void>(co_await stream.read_until("x;"));
    static_cast<void>(co_await stream.read_line());
    co_await rondo::aclosing(stream.lines(), [](auto& lines) -> coro<> { static_cast<void>(co_await lines.next()); });
    static_cast<void>(co_await stream.read_all());
    stream.close();
    co_await stream.wait_closed();
}

RONDO_SWEPT(UnixConnections, "io/open_connection io/server", "open_unix_connection start_unix_server wait_closed") {
    auto server = co_await rondo::start_unix_server(echo, "/run/echo.sock");
    auto [reader, writer] = co_await rondo::open_unix_connection("/run/echo.sock");
    co_await writer.write("hello\n");
    static_cast<void>(co_await reader.read_line());
    co_await writer.aclose();
    server.close();
    co_await server.wait_closed();
}

RONDO_SWEPT(ServingForEver, "io/server", "serve_forever start_serving") {
    auto server = co_await rondo::start_server(echo, "127.0.0.1", 0, {.start_serving = false});
    co_await server.start_serving();
    static_cast<void>(co_await rondo::move_on_after(1s, server.serve_forever()));
}

RONDO_SWEPT(Sockets, "loop/event_loop",
            "sock_connect sock_accept sock_sendall sock_recv sock_recv_into readable writable") {
    auto& loop = rondo::running_loop();
    auto server = co_await echo_server();
    const descriptor client(system().open_socket(AF_INET, SOCK_STREAM, 0));
    co_await loop.sock_connect(client.get(), server.addresses().front());
    co_await loop.writable(client.get());
    co_await loop.sock_sendall(client.get(), "hello");
    co_await loop.readable(client.get());
    static_cast<void>(co_await loop.sock_recv(client.get(), 2));
    std::array<std::byte, 8> rest{};
    static_cast<void>(co_await loop.sock_recv_into(client.get(), rest));
}

RONDO_SWEPT(DatagramSockets, "loop/event_loop", "sock_sendto sock_recvfrom sock_recvfrom_into sock_connect") {
    auto& loop = rondo::running_loop();
    const rondo::address where("127.0.0.1", 53);
    const descriptor server(system().open_socket(AF_INET, SOCK_DGRAM, 0));
    const rondo::detail::socket_address name(where);
    if (const int error = system().bind(server.get(), name.get(), name.size))
        throw std::system_error(-error, std::generic_category());
    const descriptor client(system().open_socket(AF_INET, SOCK_DGRAM, 0));
    co_await loop.sock_sendto(client.get(), "question", where);
    const auto [question, from] = co_await loop.sock_recvfrom(server.get(), 100);
    co_await loop.sock_connect(client.get(), where);
    co_await loop.sock_sendto(server.get(), "answer", from);
    std::array<std::byte, 8> answer{};
    static_cast<void>(co_await loop.sock_recvfrom_into(client.get(), answer));
}

struct listener : rondo::datagram_protocol {
    void connection_made(rondo::datagram_transport& t) override { to = &t; }
    void datagram_received(std::span<const std::byte>, const rondo::address&) override { over.set(); }
    void error_received(std::exception_ptr) override { over.set(); }
    void connection_lost(std::exception_ptr) override { to = nullptr; }
    rondo::datagram_transport* to = nullptr;
    rondo::event over;
};
struct closes_endpoint {
    std::shared_ptr<listener> of;
    ~closes_endpoint() {
        if (of->to) of->to->close();
    }
};

RONDO_SWEPT(DatagramEndpoints, "loop/event_loop", "create_datagram_endpoint") {
    auto& loop = rondo::running_loop();
    const rondo::address where("127.0.0.1", 53);
    const auto factory = [] { return std::make_shared<listener>(); };
    auto [server, asked] = co_await loop.create_datagram_endpoint(factory, {.local_address = where});
    const closes_endpoint server_at_end{asked};
    auto [client, answered] = co_await loop.create_datagram_endpoint(factory, {.remote_address = where});
    const closes_endpoint client_at_end{answered};
    client->sendto("question");
    static_cast<void>(co_await rondo::move_on_after(1s, asked->over.wait())); // one that could not be sent is lost
}

RONDO_SWEPT(Names, "io/resolver loop/event_loop", "getaddrinfo getnameinfo") {
    auto& loop = rondo::running_loop();
    static_cast<void>(co_await loop.getaddrinfo("localhost", "80")); // by a thread
    rondo::sim::world().add_name("store", "10.0.0.2");               // from now on without
    static_cast<void>(co_await loop.getaddrinfo("store", "80"));
    static_cast<void>(co_await loop.getnameinfo(rondo::address("10.0.0.2", 80)));
}

struct quiet : rondo::protocol {
    void connection_made(rondo::transport& t) override { to = &t; }
    void data_received(std::span<const std::byte> data) override { size += data.size(); }
    void connection_lost(std::exception_ptr) override {
        to = nullptr;
        over.set();
    }
    rondo::transport* to = nullptr;
    std::size_t size = 0;
    rondo::event over;
};

/// Closes what is still open when the body leaves.
struct closes {
    std::shared_ptr<quiet> of;
    ~closes() {
        if (of->to) of->to->close();
    }
};

RONDO_SWEPT(Protocols, "loop/event_loop", "create_server create_connection") {
    auto& loop = rondo::running_loop();
    auto server = co_await loop.create_server([] { return std::make_shared<quiet>(); }, "127.0.0.1", 0);
    auto [transport, client] =
        co_await loop.create_connection([] { return std::make_shared<quiet>(); }, "127.0.0.1", server.port());
    const closes at_end{client};
    transport->write("hello");
    transport->close();
    co_await client->over.wait();
    server.abort_clients();
}

RONDO_SWEPT(UnixProtocols, "loop/event_loop", "create_unix_server create_unix_connection") {
    auto& loop = rondo::running_loop();
    auto server = co_await loop.create_unix_server([] { return std::make_shared<quiet>(); }, "/run/quiet.sock");
    auto [transport, client] =
        co_await loop.create_unix_connection([] { return std::make_shared<quiet>(); }, "/run/quiet.sock");
    const closes at_end{client};
    transport->close();
    co_await client->over.wait();
    server.abort_clients();
}

RONDO_SWEPT(AcceptedSockets, "loop/event_loop", "connect_accepted_socket sock_accept") {
    auto& loop = rondo::running_loop();
    const descriptor listening(system().open_socket(AF_INET, SOCK_STREAM, 0));
    const rondo::detail::socket_address where(rondo::address("127.0.0.1", 80));
    if (const int error = system().bind(listening.get(), where.get(), where.size))
        throw std::system_error(-error, std::generic_category());
    if (const int error = system().listen(listening.get(), 5)) throw std::system_error(-error, std::generic_category());
    const descriptor client(system().open_socket(AF_INET, SOCK_STREAM, 0));
    co_await loop.sock_connect(client.get(), rondo::address("127.0.0.1", 80));
    descriptor accepted((co_await loop.sock_accept(listening.get())).first);
    auto [transport, made] =
        co_await loop.connect_accepted_socket([] { return std::make_shared<quiet>(); }, accepted.get());
    accepted.release();
    const closes at_end{made};
    transport->close();
    co_await made->over.wait();
}

RONDO_SWEPT(Pipes, "loop/event_loop", "connect_read_pipe connect_write_pipe") {
    auto& loop = rondo::running_loop();
    std::pair<int, int> ends;
    if (const int error = system().make_pipe(0, ends)) throw std::system_error(-error, std::generic_category());
    descriptor reading(ends.first);
    descriptor writing(ends.second);
    const auto factory = [] { return std::make_shared<quiet>(); };
    auto [from, reader] = co_await loop.connect_read_pipe(factory, reading.get());
    reading.release();
    const closes reader_at_end{reader};
    auto [to, writer] = co_await loop.connect_write_pipe(factory, writing.get());
    writing.release();
    const closes writer_at_end{writer};
    to->write("down the pipe");
    to->write_eof();
    co_await reader->over.wait();
    co_await writer->over.wait();
}

} // namespace
