// Unix sockets: their servers, their files, and connecting to them.
#include "io/io_test.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace rondo {
namespace {

namespace fs = std::filesystem;
using test::pass_by;

class UnixServer : public test::io_test {
protected:
    void SetUp() override {
        test::io_test::SetUp();
        std::string name = (fs::temp_directory_path() / "rondo-unix-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    void TearDown() override {
        test::io_test::TearDown();
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }
    std::string path(const char* name = "socket") const { return (directory_ / name).string(); }

private:
    fs::path directory_;
};
RONDO_IN_EACH_WORLD(UnixServer);

/// Of the kernel: looks at the files themselves.
class UnixSocketFiles : public UnixServer {};
RONDO_ON_EACH_BACKEND(UnixSocketFiles);

coro<> greet(stream_reader, stream_writer writer) {
    co_await writer.write("hello");
    co_await writer.aclose();
}

coro<std::string> what_it_says(std::string path) {
    auto [reader, writer] = co_await open_unix_connection(std::move(path));
    co_return (co_await reader.read_all()).str();
}

/// A socket file that nobody listens on.
void leave_a_stale_socket(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ::sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const ::sockaddr*>(&name), sizeof name), 0);
    ::close(fd);
}

bool is_socket(const std::string& path) { return fs::is_socket(fs::symlink_status(path)); }

TEST_P(UnixSocketFiles, ServesAndRemovesItsFileWhenItCloses) {
    run_io([this]() -> coro<> {
        auto s = co_await start_unix_server(greet, path());
        EXPECT_TRUE(is_socket(path()));
        EXPECT_EQ(s.addresses(), std::vector{address::unix_path(path())});
        EXPECT_EQ(s.port(), 0);
        EXPECT_EQ(co_await what_it_says(path()), "hello");
        s.close();
        EXPECT_FALSE(fs::exists(path()));
        EXPECT_TRUE((co_await as_result(open_unix_connection(path()))).holds<std::system_error>());
    });
}

TEST_P(UnixServer, ItsConnectionsHaveTheAddressesOfUnixSockets) {
    run_io([this]() -> coro<> {
        queue<connection> accepted(1);
        auto s = co_await start_unix_server(
            [&](stream_reader r, stream_writer w) { accepted.put_nowait(connection{std::move(r), std::move(w)}); },
            path());
        const connection client = co_await open_unix_connection(path());
        const connection server = co_await accepted.get();
        EXPECT_EQ(client.writer.peer_address(), address::unix_path(path()));
        EXPECT_EQ(client.writer.local_address(), address());
        EXPECT_EQ(server.writer.peer_address(), address());
        EXPECT_EQ(server.writer.local_address(), address::unix_path(path()));
    });
}

TEST_P(UnixSocketFiles, ReplacesASocketFileThatNobodyListensOn) {
    leave_a_stale_socket(path());
    run_io([this]() -> coro<> {
        auto s = co_await start_unix_server(greet, path());
        EXPECT_EQ(co_await what_it_says(path()), "hello");
    });
}

TEST_P(UnixServer, OneInUseIsLeftAloneAndNamed) {
    run_io([this]() -> coro<> {
        auto first = co_await start_unix_server(greet, path());
        auto second = co_await as_result(start_unix_server(greet, path()));
        const auto* e = detail::exception_cast<std::system_error>(second.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(e && std::string(e->what()).find(path()) != std::string::npos) << e->what();
        EXPECT_EQ(co_await what_it_says(path()), "hello");
    });
}

TEST_P(UnixSocketFiles, OneWhoseQueueIsFullIsInUse) {
    run_io([this]() -> coro<> {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0); // listens, and never accepts
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path("full").copy(name.sun_path, sizeof name.sun_path - 1);
        ::bind(fd, reinterpret_cast<const ::sockaddr*>(&name), sizeof name);
        ::listen(fd, 0);
        std::vector<int> clients;
        for (int connected = 0; connected == 0;) {
            clients.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
            connected = ::connect(clients.back(), reinterpret_cast<const ::sockaddr*>(&name), sizeof name);
        }
        EXPECT_EQ(errno, EAGAIN);
        auto second = co_await as_result(start_unix_server(greet, path("full")));
        const auto* e = detail::exception_cast<std::system_error>(second.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(is_socket(path("full")));
        auto connecting = co_await as_result(open_unix_connection(path("full")));
        const auto* full = detail::exception_cast<std::system_error>(connecting.error());
        EXPECT_TRUE(full && full->code().value() == EAGAIN);
        for (const int client : clients) ::close(client);
        ::close(fd);
    });
}

TEST_P(UnixSocketFiles, AFileThatIsNoSocketIsNeverTouched) {
    std::ofstream(path()) << "precious";
    run_io([this]() -> coro<> {
        auto r = co_await as_result(start_unix_server(greet, path()));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        std::string content;
        std::ifstream(path()) >> content;
        EXPECT_EQ(content, "precious");
    });
}

TEST_P(UnixSocketFiles, LeavesTheFileOfItsSuccessor) {
    run_io([this]() -> coro<> {
        auto first = co_await start_unix_server(greet, path());
        fs::remove(path());
        auto second = co_await start_unix_server(greet, path());
        first.close();
        EXPECT_TRUE(is_socket(path()));
        EXPECT_EQ(co_await what_it_says(path()), "hello");
    });
}

TEST_P(UnixSocketFiles, LeavesItsFileWhereThatIsWanted) {
    run_io([this]() -> coro<> {
        { auto s = co_await start_unix_server(greet, path(), {.cleanup_socket = false}); }
        EXPECT_TRUE(is_socket(path()));
    });
}

TEST_P(UnixSocketFiles, ItsDestructorAndTheEndOfTheLoopRemoveTheFileToo) {
    std::optional<server> left;
    run_io([&]() -> coro<> {
        { auto s = co_await start_unix_server(greet, path("a")); }
        EXPECT_FALSE(fs::exists(path("a")));
        left = co_await start_unix_server(greet, path("b"));
    });
    end_loop();
    EXPECT_FALSE(fs::exists(path("b")));
}

TEST_P(UnixServer, AnAbstractNameHasNoFile) {
    run_io([this]() -> coro<> {
        const std::string name = std::string(1, '\0') + path();
        auto s = co_await start_unix_server(greet, name);
        EXPECT_EQ(s.addresses(), std::vector{address::unix_path(name)});
        EXPECT_EQ(co_await what_it_says(name), "hello");
        auto second = co_await as_result(start_unix_server(greet, name));
        const auto* e = detail::exception_cast<std::system_error>(second.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(e && std::string(e->what()).find("@" + path()) != std::string::npos) << e->what();
        s.close();
        co_await s.wait_closed();
        auto again = co_await start_unix_server(greet, name);
        EXPECT_EQ(co_await what_it_says(name), "hello");
    });
}

TEST_P(UnixServer, APathThatCannotBeOneIsAValueError) {
    run_io([]() -> coro<> {
        EXPECT_TRUE((co_await as_result(start_unix_server(greet, ""))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(start_unix_server(greet, std::string(108, 'x')))).holds<value_error>());
        EXPECT_TRUE((co_await as_result(open_unix_connection(std::string(108, 'x')))).holds<value_error>());
    });
}

TEST_P(UnixSocketFiles, NobodyThereIsAnError) {
    leave_a_stale_socket(path("stale"));
    run_io([this]() -> coro<> {
        EXPECT_TRUE((co_await as_result(open_unix_connection(path("stale")))).holds<connection_refused_error>());
        auto r = co_await as_result(open_unix_connection(path("nothing")));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::no_such_file_or_directory);
        EXPECT_TRUE(e && std::string(e->what()).find(path("nothing")) != std::string::npos);
    });
}

TEST_P(UnixServer, OneThatDoesNotListenYetIsInUse) {
    run_io([this]() -> coro<> {
        auto first = co_await start_unix_server(greet, path(), {.start_serving = false});
        EXPECT_TRUE((co_await as_result(start_unix_server(greet, path()))).holds<std::system_error>());
        co_await first.start_serving();
        EXPECT_EQ(co_await what_it_says(path()), "hello");
    });
}

TEST_P(UnixServer, WhoeverAsksIfItIsInUseIsNoClient) {
    run_io([this]() -> coro<> {
        int served = 0;
        auto first = co_await start_unix_server([&](stream_reader, stream_writer) { ++served; }, path());
        EXPECT_TRUE((co_await as_result(start_unix_server(greet, path()))).holds<std::system_error>());
        co_await pass_by(70);
        EXPECT_EQ(served, 0);
    });
}

} // namespace
} // namespace rondo
