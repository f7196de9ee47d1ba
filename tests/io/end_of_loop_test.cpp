// Streams and servers when their loop ends.
#include "io/io_test.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace rondo {
namespace {

class StreamsAtTheEnd : public test::io_test {};
RONDO_ON_EACH_BACKEND(StreamsAtTheEnd);

TEST_P(StreamsAtTheEnd, WhatWasWrittenLastIsStillSent) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    ::sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener, reinterpret_cast<const ::sockaddr*>(&at), sizeof at);
    ::listen(listener, 1);
    ::socklen_t size = sizeof at;
    ::getsockname(listener, reinterpret_cast<::sockaddr*>(&at), &size);
    run_io([&]() -> coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", ntohs(at.sin_port));
        co_await writer.write("last words");
    });
    end_loop();
    const int fd = ::accept(listener, nullptr, nullptr);
    std::array<char, 64> got{};
    const long n = ::recv(fd, got.data(), got.size(), MSG_WAITALL);
    EXPECT_EQ(std::string_view(got.data(), n > 0 ? static_cast<std::size_t>(n) : 0), "last words");
    ::close(fd);
    ::close(listener);
}

TEST_P(StreamsAtTheEnd, HandlesThatOutliveTheLoopAreLostAndHarmless) {
    std::optional<test::pair_of_streams> left;
    std::optional<server> serving;
    run_io([&]() -> coro<> {
        left = co_await test::connected_pair();
        serving = co_await start_server([](stream_reader, stream_writer) {}, "127.0.0.1", 0);
    });
    end_loop();
    EXPECT_TRUE(left->client.writer.is_closing());
    EXPECT_FALSE(serving->is_serving());
    left->client.writer.close();
    left->client.writer.write_nowait("x");
    serving->close();
}

} // namespace
} // namespace rondo
