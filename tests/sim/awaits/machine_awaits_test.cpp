// Files, processes and signals.
#include <rondo/rondo.hpp>
#include <rondo/sim/world.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "sim/awaits/swept.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <system_error>

#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::invocation;

void put_a_file() { rondo::sim::world().files().put("/etc/motd", "hello\nworld\n"); }

coro<> use_a_file() {
    put_a_file();
    auto file = co_await rondo::open_file("/etc/motd", "r+");
    static_cast<void>(co_await file.read(5));
    std::array<std::byte, 4> some{};
    static_cast<void>(co_await file.read_into(some));
    static_cast<void>(co_await file.read_all());
    static_cast<void>(co_await file.read_at(2, 3));
    co_await file.write("!");
    co_await file.write_at(0, "H");
    co_await file.sync_data();
    co_await file.truncate(3);
    co_await file.sync();
    co_await file.aclose();
}
coro<> use_whole_files() {
    put_a_file();
    static_cast<void>(co_await rondo::read_file("/etc/motd"));
    co_await rondo::write_file("/etc/motd", "new");
    co_await rondo::write_file("/etc/motd", "newer", {.replace = true, .sync = true});
}

coro<> send_a_file() {
    put_a_file();
    auto server = co_await rondo::start_server(
        [](rondo::stream_reader reader, rondo::stream_writer writer) -> coro<> {
            try {
                static_cast<void>(co_await reader.read_all());
                co_await writer.aclose();
            } catch (const std::system_error&) { // the client has left
            }
        },
        "127.0.0.1", 0);
    auto& loop = rondo::running_loop();
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    auto file = co_await rondo::open_file("/etc/motd");
    static_cast<void>(co_await loop.sendfile(writer.transport(), file.fd()));
    co_await writer.aclose();
    auto& system = rondo::detail::loop_access::backend(loop).os();
    struct closing {
        rondo::detail::os& system;
        int fd;
        ~closing() { system.close(fd); }
    };
    const closing socket{system, system.open_socket(AF_INET, SOCK_STREAM, 0)};
    if (socket.fd < 0) throw std::system_error(-socket.fd, std::generic_category());
    co_await loop.sock_connect(socket.fd, rondo::address("127.0.0.1", server.port()));
    static_cast<void>(co_await loop.sock_sendfile(socket.fd, file.fd()));
}

RONDO_SWEPT(SentFiles, "loop/event_loop", "sendfile sock_sendfile") { co_await send_a_file(); }

/// Where files are for threads, and where they are not.
rondo::sim::options by(rondo::sim::file_access way) { return {.files = way}; }

RONDO_SWEPT(Files, "io/async_file",
            "open_file read read_into read_all read_at write write_at truncate sync sync_data aclose") {
    co_await use_a_file();
}
RONDO_SWEPT(WholeFiles, "io/read_file io/write_file", "read_file write_file") { co_await use_whole_files(); }

TEST(Swept, FilesInThreads) { rondo::test::expect_swept(use_a_file, by(rondo::sim::file_access::threads)); }
TEST(Swept, WholeFilesInThreads) { rondo::test::expect_swept(use_whole_files, by(rondo::sim::file_access::threads)); }

coro<int> cat(invocation me) {
    while (auto line = co_await me.in->read_line()) co_await me.out->write(*line);
    co_await me.out->aclose();
    co_return 0;
}

RONDO_SWEPT(Processes, "io/subprocess", "create_subprocess_exec wait communicate") {
    rondo::sim::world().add_program("/bin/cat", cat);
    auto child = co_await rondo::create_subprocess_exec({"cat"}, {.in = rondo::stdio::pipe, .out = rondo::stdio::pipe});
    static_cast<void>(co_await child.communicate(rondo::bytes("one\ntwo\n")));
    static_cast<void>(co_await child.wait());
}

RONDO_SWEPT(Shells, "io/subprocess", "create_subprocess_shell wait") {
    rondo::sim::world().add_program("/bin/sh", [](invocation) -> coro<int> { co_return 3; });
    auto child = co_await rondo::create_subprocess_shell("exit 3", {.out = rondo::stdio::devnull});
    static_cast<void>(co_await child.wait());
}

class until_its_end : public rondo::subprocess_protocol {
public:
    void process_exited() override { ended.set(); }
    rondo::event ended;
};

RONDO_SWEPT(ProcessProtocols, "loop/event_loop", "subprocess_exec subprocess_shell") {
    rondo::sim::world().add_program("/bin/sh", [](invocation) -> coro<int> { co_return 3; });
    auto& loop = rondo::running_loop();
    const auto make = [] { return std::make_shared<until_its_end>(); };
    auto first = co_await loop.subprocess_exec(make, {"/bin/sh"});
    co_await first.protocol->ended.wait();
    first.transport->close();
    auto second = co_await loop.subprocess_shell(make, "exit 3");
    co_await second.protocol->ended.wait();
    second.transport->close();
}

RONDO_SWEPT(Signals, "io/signal_receiver", "next") {
    try {
        rondo::signal_receiver signals({SIGHUP});
        rondo::sim::world().raise(SIGHUP);
        static_cast<void>(co_await signals.next());
    } catch (const rondo::runtime_error&) { // nobody more can watch it: the signal is not raised either
    }
}

} // namespace
