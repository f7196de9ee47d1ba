// tcp_stream: both halves of a connection in one object.
#include "io/io_test.hpp"

#include "io/raw_client.hpp"

namespace rondo {
namespace {

using test::pattern;

class TcpStream : public test::io_test {};
RONDO_IN_EACH_WORLD(TcpStream);

static_assert(!std::is_copy_constructible_v<tcp_stream>);
static_assert(std::is_nothrow_move_constructible_v<tcp_stream>);

coro<> echo_lines(tcp_stream s) {
    RONDO_FOR_AWAIT(line, s.lines()) { co_await s.write(line); }
    co_await s.aclose();
}

TEST_P(TcpStream, IsReadAndWrittenInOnePlace) {
    run_io([]() -> coro<> {
        auto server = co_await start_server(echo_lines, "127.0.0.1", 0);
        auto s = co_await tcp_stream::connect("127.0.0.1", server.port());
        EXPECT_EQ(s.peer_address(), server.addresses().front());
        co_await s.write("one\n");
        EXPECT_EQ((co_await s.read_line())->view(), "one\n");
        const std::array<bytes_view, 2> pieces{"tw", "o;three\n"};
        co_await s.write(pieces);
        EXPECT_EQ((co_await s.read_until(";")).view(), "two;");
        EXPECT_EQ((co_await s.read_until(std::vector<std::string>{"h", "r"})).view(), "th");
        EXPECT_EQ((co_await s.read_exactly(2)).view(), "re");
        EXPECT_EQ((co_await s.read(10)).view(), "e\n");
        s.write_nowait("four\nfi");
        co_await s.drain();
        s.write_eof();
        EXPECT_FALSE(s.at_eof());
        std::array<std::byte, 5> room{};
        EXPECT_EQ(co_await s.read_into(room), 5u);
        EXPECT_EQ((co_await s.read_all()).view(), "fi");
        EXPECT_TRUE(s.at_eof());
        EXPECT_FALSE(s.is_closing());
        co_await s.aclose();
        EXPECT_TRUE(s.is_closing());
        co_await s.wait_closed();
        co_await server.shutdown(std::chrono::seconds(1));
    });
}

TEST_P(TcpStream, OneTaskReadsWhileAnotherWrites) {
    run_io([]() -> coro<> {
        const std::string data = pattern(3'000'000);
        auto server = co_await start_server(
            [](tcp_stream s) -> coro<> {
                for (;;) {
                    const bytes part = co_await s.read(65536);
                    if (part.empty()) break;
                    co_await s.write(part);
                }
            },
            "127.0.0.1", 0);
        auto s = co_await tcp_stream::connect("127.0.0.1", server.port());
        auto writing = create_task([&]() -> coro<> {
            co_await s.write(data);
            s.write_eof();
        });
        EXPECT_TRUE((co_await s.read_all()).view() == data);
        co_await writing;
    });
}

TEST_P(TcpStream, ItsDestructorClosesAndAssignmentClosesTheOneBefore) {
    run_io([]() -> coro<> {
        queue<tcp_stream> accepted(2);
        auto server = co_await start_server([&](tcp_stream s) { accepted.put_nowait(std::move(s)); }, "127.0.0.1", 0);
        auto s = co_await tcp_stream::connect("127.0.0.1", server.port());
        auto first = co_await accepted.get();
        s = co_await tcp_stream::connect("127.0.0.1", server.port());
        auto second = co_await accepted.get();
        EXPECT_TRUE((co_await first.read_all()).empty());
        { const tcp_stream gone = std::move(s); }
        EXPECT_TRUE((co_await second.read_all()).empty());
    });
}

TEST_P(TcpStream, SplitsIntoItsHalves) {
    run_io([]() -> coro<> {
        auto server = co_await start_server(echo_lines, "127.0.0.1", 0);
        tcp_stream s(co_await open_connection("127.0.0.1", server.port()));
        co_await s.write("hello\n");
        auto [reader, writer] = std::move(s).split();
        EXPECT_EQ((co_await reader.read_line())->view(), "hello\n");
        co_await writer.aclose();
    });
}

TEST_P(TcpStream, NobodyThereIsAnError) {
    run_io([]() -> coro<> {
        std::uint16_t port = 0;
        {
            auto gone = co_await start_server(echo_lines, "127.0.0.1", 0);
            port = gone.port();
        }
        EXPECT_TRUE((co_await as_result(tcp_stream::connect("127.0.0.1", port))).holds<connection_refused_error>());
    });
}

} // namespace
} // namespace rondo
