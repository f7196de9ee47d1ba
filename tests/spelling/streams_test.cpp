// Sections 10 and 11: streams, servers, subprocesses.
#include "spelling/spelled.hpp"

#include <csignal>

namespace rondo::spelling::of_streams {

void addresses() {
    address none;
    const address ip("127.0.0.1", 80);
    const address path = address::unix_path("/tmp/x");
    GIVES(std::string, ip.ip());
    GIVES(std::uint16_t, ip.port());
    GIVES(std::string, path.path());
    GIVES(std::string, ip.str());
    GIVES(bool, ip == path);
    none = ip;
}

coro<> reading(stream_reader& reader) {
    static_assert(only_moves<stream_reader>);
    stream_reader in_memory;
    stream_reader limited(default_limit / 2);
    std::array<std::byte, 8> buffer{};
    AWAITS(bytes, reader.read(10));
    AWAITS(bytes, reader.read_all());
    AWAITS(std::size_t, reader.read_into(buffer));
    AWAITS(bytes, reader.read_exactly(4));
    AWAITS(bytes, reader.read_until("\r\n"));
    AWAITS(bytes, reader.read_until(std::vector<std::string>{"\r\n", "\n"}));
    AWAITS(bytes, reader.read_until({"\r\n", "\n", ";"}));
    AWAITS(std::optional<bytes>, reader.read_line());
    IS(async_generator<bytes>, reader.lines());
    RONDO_FOR_AWAIT(line, reader.lines()) static_cast<void>(line.view());
    GIVES(void, reader.feed_data("x"));
    GIVES(void, reader.feed_eof());
    GIVES(bool, reader.at_eof());
    GIVES(void, reader.set_exception(nullptr));
    GIVES(std::exception_ptr, std::exception_ptr(reader.exception()));
}

struct tag {
    using type = int;
    static std::optional<int> of(const base_transport&) { return 1; }
};

coro<> writing(stream_writer& writer, bytes data, std::vector<bytes_view> pieces) {
    static_assert(only_moves<stream_writer>);
    AWAITS(void, writer.write("text"));
    AWAITS(void, writer.write(data));
    AWAITS(void, writer.write(pieces));
    AWAITS(void, writer.write(std::span<const bytes_view>(pieces)));
    GIVES(void, writer.write_nowait("x"));
    AWAITS(void, writer.drain());
    GIVES(void, writer.write_eof());
    GIVES(bool, writer.can_write_eof());
    GIVES(void, writer.close());
    GIVES(bool, writer.is_closing());
    AWAITS(void, writer.wait_closed());
    AWAITS(void, writer.aclose());
    GIVES(rondo::transport&, writer.transport());
    GIVES(address, writer.peer_address());
    GIVES(address, writer.local_address());
    GIVES(std::optional<int>, writer.get_extra<tag>());
}

coro<> connecting() {
    AWAITS(connection, open_connection("localhost", 80));
    AWAITS(connection, open_connection("localhost", 80,
                                       {.limit = 1000,
                                        .local_address = address("127.0.0.1", 0),
                                        .happy_eyeballs_delay = no_timeout,
                                        .all_errors = true}));
    auto [reader, writer] = co_await open_connection("localhost", 80);
    static_assert(std::same_as<decltype(reader), stream_reader> && std::same_as<decltype(writer), stream_writer>);
    AWAITS(connection, open_unix_connection("/tmp/x"));
    AWAITS(connection, open_unix_connection("/tmp/x", {.limit = 1000}));
}

coro<> handler(stream_reader, stream_writer) { co_return; }
void plain_handler(stream_reader, stream_writer) {}

coro<> serving() {
    static_assert(only_moves<server>);
    server s = co_await start_server(handler, "127.0.0.1", 0);
    AWAITS(server, start_server(plain_handler, "", 0,
                                {.limit = 1000,
                                 .backlog = 10,
                                 .reuse_address = true,
                                 .reuse_port = true,
                                 .start_serving = false,
                                 .cleanup_socket = false}));
    AWAITS(server,
           start_server([n = std::make_unique<int>(1)](
                            stream_reader r, stream_writer w) -> coro<> { co_await w.write(co_await r.read(10)); },
                        "127.0.0.1", 0));
    AWAITS(server, start_unix_server(handler, "/tmp/x"));
    AWAITS(server, start_unix_server(handler, "/tmp/x", {.cleanup_socket = true}));
    GIVES(bool, s.is_serving());
    GIVES(std::vector<address>, s.addresses());
    GIVES(std::uint16_t, s.port());
    GIVES(event_loop&, s.loop());
    AWAITS(void, s.start_serving());
    AWAITS(void, s.serve_forever());
    GIVES(void, s.close());
    GIVES(void, s.close_clients());
    GIVES(void, s.abort_clients());
    AWAITS(void, s.wait_closed());
    AWAITS(shutdown_report, s.shutdown(1s));
    const shutdown_report report{.finished = 1, .cancelled = 0, .aborted = 0};
    static_cast<void>(report);
}

coro<> processes() {
    static_assert(only_moves<process>);
    auto ls = co_await create_subprocess_exec({"ls", "-l"});
    auto with_options = co_await create_subprocess_exec({"env"}, {.in = stdio::devnull,
                                                                  .out = stdio::pipe,
                                                                  .err = stdio::to_stdout,
                                                                  .limit = 1000,
                                                                  .env = {{{"NAME", "value"}, {"OTHER", "x"}}},
                                                                  .cwd = "/",
                                                                  .start_new_session = true,
                                                                  .pass_fds = {}});
    AWAITS(process, create_subprocess_shell("exit 1"));
    AWAITS(process, create_subprocess_shell("exit 1", {.in = redirect(0), .out = stdio::inherit}));
    static_assert(redirect(3).fd() == 3 && redirect(stdio::pipe).kind() == stdio::pipe);
    IS(std::optional<stream_writer>, ls.in);
    IS(std::optional<stream_reader>, ls.out);
    IS(std::optional<stream_reader>, ls.err);
    GIVES(int, ls.pid());
    GIVES(std::optional<int>, ls.returncode());
    AWAITS(process_output, with_options.communicate());
    AWAITS(process_output, with_options.communicate(bytes(bytes_view("input"))));
    const process_output output;
    IS(const std::optional<bytes>&, (output.out));
    IS(const std::optional<bytes>&, (output.err));
    AWAITS(int, ls.wait());
    GIVES(void, ls.send_signal(SIGTERM));
    GIVES(void, ls.terminate());
    GIVES(void, ls.kill());
}

TEST(Spelling, Streams) {
    addresses();
    run([]() -> coro<> {
        stream_reader reader;
        reader.feed_data("one\ntwo\n");
        reader.feed_eof();
        std::string all;
        RONDO_FOR_AWAIT(line, reader.lines()) all += line.view();
        EXPECT_EQ(all, "one\ntwo\n");
        server s = co_await start_server(handler, "127.0.0.1", 0);
        auto [in, out] = co_await open_connection("127.0.0.1", s.port());
        EXPECT_EQ(out.get_extra<tag>(), 1);
        EXPECT_EQ((co_await in.read_all()).size(), 0u);
    });
}

} // namespace rondo::spelling::of_streams
