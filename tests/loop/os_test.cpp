// Descriptors and names, as the operating system gives them.
#include "loop/backend/posix_os.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace rondo::detail {
namespace {

bool is_non_blocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }
bool is_close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

class Os : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "rondo-os-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::filesystem::path folder;
    posix_os os;
};

TEST_F(Os, SocketsAreNonBlockingAndNotInherited) {
    const int fd = os.open_socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(fd, 0);
    EXPECT_TRUE(is_non_blocking(fd));
    EXPECT_TRUE(is_close_on_exec(fd));
    EXPECT_EQ(os.set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    int value = 0;
    EXPECT_EQ(os.get_option(fd, IPPROTO_TCP, TCP_NODELAY, value), 0);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(os.shutdown(fd, SHUT_WR), -ENOTCONN);
    sockaddr_in address{};
    std::uint32_t size = sizeof address;
    EXPECT_EQ(os.peer_address(fd, reinterpret_cast<sockaddr*>(&address), size), -ENOTCONN);
    EXPECT_EQ(os.close(fd), 0);
    EXPECT_EQ(os.close(fd), -EBADF);
    EXPECT_EQ(os.open_socket(AF_INET, 12345, 0), -EINVAL);
}

TEST_F(Os, APortInUseIsAnError) {
    const int first = os.open_socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::uint32_t size = sizeof address;
    ASSERT_EQ(os.bind(first, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(os.listen(first, 1), 0);
    ASSERT_EQ(os.local_address(first, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_NE(address.sin_port, 0);
    const int second = os.open_socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(os.bind(second, reinterpret_cast<sockaddr*>(&address), size), -EADDRINUSE);
    os.close(first);
    os.close(second);
}

TEST_F(Os, OnlyOurEndOfAPipeIsNonBlocking) {
    for (const int our_end : {0, 1}) {
        std::pair<int, int> ends;
        ASSERT_EQ(os.make_pipe(our_end, ends), 0);
        EXPECT_EQ(is_non_blocking(ends.first), our_end == 0);
        EXPECT_EQ(is_non_blocking(ends.second), our_end == 1);
        EXPECT_TRUE(is_close_on_exec(ends.first));
        EXPECT_TRUE(is_close_on_exec(ends.second));
        EXPECT_EQ(::write(ends.second, "x", 1), 1);
        char c = 0;
        EXPECT_EQ(::read(ends.first, &c, 1), 1);
        os.close(ends.first);
        os.close(ends.second);
    }
}

TEST_F(Os, TheNullDeviceIsEmptyAndTakesEverything) {
    const int in = os.open_null(false);
    const int out = os.open_null(true);
    ASSERT_GE(in, 0);
    ASSERT_GE(out, 0);
    EXPECT_TRUE(is_close_on_exec(in));
    char c = 0;
    EXPECT_EQ(::read(in, &c, 1), 0);
    EXPECT_EQ(::write(out, "x", 1), 1);
    os.close(in);
    os.close(out);
}

TEST_F(Os, OnlySocketFilesAreUnlinked) {
    const std::string socket = folder / "s";
    const std::string file = folder / "f";
    std::ofstream(file) << "precious";
    const int fd = os.open_socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(os.bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    std::filesystem::create_symlink(socket, folder / "link");

    EXPECT_EQ(os.unlink_socket(file), -ENOTSOCK);
    EXPECT_EQ(os.unlink_socket(folder / "link"), -ENOTSOCK);
    EXPECT_EQ(os.unlink_socket(folder / "missing"), -ENOENT);
    EXPECT_EQ(os.unlink_socket(socket), 0);
    EXPECT_FALSE(std::filesystem::exists(socket));
    EXPECT_TRUE(std::filesystem::exists(file));
    os.close(fd);
}

TEST_F(Os, ASocketInUseIsFoundWithoutDisturbingIt) {
    const std::string path = folder / "socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(os.socket_in_use(path), 0);
    const int fd = os.open_socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(os.bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(os.socket_in_use(path), 1); // bound, and not listening yet
    ASSERT_EQ(os.listen(fd, 8), 0);
    EXPECT_EQ(os.socket_in_use(path), 1);
    EXPECT_EQ(::accept(fd, nullptr, nullptr), -1);
    EXPECT_EQ(errno, EAGAIN);
    os.close(fd);
    EXPECT_EQ(os.socket_in_use(path), 0);
    EXPECT_EQ(os.socket_in_use(std::string(200, 'x')), -ENAMETOOLONG);

    std::filesystem::remove(path);
    const int datagrams = os.open_socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_EQ(os.bind(datagrams, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(os.socket_in_use(path), 1);
    os.close(datagrams);
}

TEST_F(Os, TheEnvironmentIsWhatGetenvSees) {
    ::setenv("RONDO_TEST_VARIABLE", "a=b", 1);
    const auto all = os.environment();
    ::unsetenv("RONDO_TEST_VARIABLE");
    EXPECT_EQ(all.at("RONDO_TEST_VARIABLE"), "a=b");
    EXPECT_EQ(all.at("PATH"), ::getenv("PATH"));
    EXPECT_FALSE(os.environment().contains("RONDO_TEST_VARIABLE"));
}

TEST_F(Os, FilesHaveAnIdentity) {
    const std::string one = folder / "one";
    std::ofstream(one) << "1";
    std::ofstream(folder / "two") << "2";
    std::filesystem::create_hard_link(one, folder / "same");
    std::pair<std::uint64_t, std::uint64_t> a, b, c;
    ASSERT_EQ(os.file_identity(one, a), 0);
    ASSERT_EQ(os.file_identity(folder / "same", b), 0);
    ASSERT_EQ(os.file_identity(folder / "two", c), 0);
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    EXPECT_EQ(os.file_identity(folder / "missing", a), -ENOENT);
}

class counting_sink final : public signal_sink {
public:
    void signal_arrived(int signal) noexcept override { last = signal, ++told; }
    std::atomic<int> last{0};
    std::atomic<int> told{0};
};

TEST_F(Os, EverySinkThatWatchesASignalIsTold) {
    counting_sink a;
    counting_sink b;
    EXPECT_TRUE(os.has_default_action(SIGUSR1));
    EXPECT_EQ(os.watch_signal(SIGUSR1, a), 0);
    EXPECT_EQ(os.watch_signal(SIGUSR1, a), 0) << "twice is once";
    EXPECT_EQ(os.watch_signal(SIGUSR1, b), 0);
    EXPECT_EQ(os.watch_signal(SIGUSR2, b), 0);
    EXPECT_FALSE(os.has_default_action(SIGUSR1));
    ::raise(SIGUSR1);
    ::raise(SIGUSR2);
    EXPECT_EQ(a.told, 1);
    EXPECT_EQ(a.last, SIGUSR1);
    EXPECT_EQ(b.told, 2);
    EXPECT_EQ(b.last, SIGUSR2);
    os.unwatch_signal(SIGUSR1, a);
    ::raise(SIGUSR1);
    EXPECT_EQ(a.told, 1);
    EXPECT_EQ(b.told, 3);
    os.unwatch_signal(SIGUSR1, b);
    os.unwatch_signal(SIGUSR1, b);
    os.unwatch_signal(SIGUSR2, b);
    EXPECT_TRUE(os.has_default_action(SIGUSR1));
    EXPECT_TRUE(os.has_default_action(SIGUSR2));
}

TEST_F(Os, WhatCannotBeCaughtIsAnErrorAndKeepsNoPlace) {
    counting_sink sink;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(os.watch_signal(SIGKILL, sink), -EINVAL);
        EXPECT_EQ(os.watch_signal(SIGSTOP, sink), -EINVAL);
    }
    EXPECT_EQ(os.watch_signal(SIGUSR1, sink), 0);
    os.unwatch_signal(SIGUSR1, sink);
}

TEST_F(Os, AsManySinksMayWatchAsItSays) {
    std::vector<std::unique_ptr<counting_sink>> sinks;
    for (int i = 0; i < 256; ++i) {
        sinks.push_back(std::make_unique<counting_sink>());
        EXPECT_EQ(os.watch_signal(SIGUSR1, *sinks.back()), 0);
    }
    counting_sink late;
    EXPECT_EQ(os.watch_signal(SIGUSR1, late), -EAGAIN);
    os.unwatch_signal(SIGUSR1, *sinks[17]);
    EXPECT_EQ(os.watch_signal(SIGUSR1, late), 0);
    ::raise(SIGUSR1);
    EXPECT_EQ(late.told, 1);
    EXPECT_EQ(sinks[17]->told, 0);
    os.unwatch_signal(SIGUSR1, late);
    for (const auto& sink : sinks) os.unwatch_signal(SIGUSR1, *sink);
    EXPECT_TRUE(os.has_default_action(SIGUSR1));
}

TEST_F(Os, KnowsTheMainThread) {
    EXPECT_TRUE(os.in_main_thread());
    std::thread([&] { EXPECT_FALSE(os.in_main_thread()); }).join();
}

} // namespace
} // namespace rondo::detail
