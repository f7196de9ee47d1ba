// Datagrams in a simulated world.
#include <rondo/rondo.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "sim/plain_world.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::host;
using rondo::sim::world;
using rondo::test::error_of;
using rondo::test::in_a_plain_world;

rondo::detail::os& system() { return rondo::detail::loop_access::backend(rondo::running_loop()).os(); }

/// A datagram socket of the test's own, on the host of the running task.
class socket {
public:
    explicit socket(int family = AF_INET) : fd_(system().open_socket(family, SOCK_DGRAM, 0)) { EXPECT_GE(fd_, 0); }
    explicit socket(const rondo::address& at) : socket(rondo::detail::address_access::family(at)) {
        const rondo::detail::socket_address name(at);
        EXPECT_EQ(system().bind(fd_, name.get(), name.size), 0) << at.str();
    }
    socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    socket& operator=(socket&&) = delete;
    ~socket() {
        if (fd_ >= 0) system().close(fd_);
    }
    rondo::address where() const { return rondo::detail::local_address_of(system(), fd_); }
    auto connect(const rondo::address& to) { return rondo::running_loop().sock_connect(fd_, to); }
    auto send(std::string_view data, const rondo::address& to) {
        return rondo::running_loop().sock_sendto(fd_, data, to);
    }
    coro<std::string> receive(std::size_t n = 100) {
        const auto [data, from] = co_await rondo::running_loop().sock_recvfrom(fd_, n);
        last_ = from;
        co_return data.str();
    }
    const rondo::address& last_sender() const { return last_; }
    int fd() const { return fd_; }

private:
    int fd_;
    rondo::address last_;
};
coro<std::unique_ptr<socket>> socket_at(rondo::address where) { co_return std::make_unique<socket>(where); }

const rondo::address here("127.0.0.1", 5000);

TEST(Datagrams, ArriveOnceInOrderAndWithTheirSender) {
    in_a_plain_world([]() -> coro<> {
        socket server(here);
        socket client;
        for (const char* text : {"one", "", "three"}) co_await client.send(text, here);
        EXPECT_EQ(co_await server.receive(), "one");
        EXPECT_EQ(server.last_sender(), rondo::address("127.0.0.1", client.where().port()));
        EXPECT_EQ(co_await server.receive(), "");
        EXPECT_EQ(co_await server.receive(), "three");
        co_await server.send("answer", server.last_sender());
        EXPECT_EQ(co_await client.receive(), "answer");
        EXPECT_EQ(client.last_sender(), here);
    });
}

TEST(Datagrams, AreLostDoubledAndOvertaken) {
    bool lost = false;
    bool doubled = false;
    bool overtaken = false;
    const auto result = rondo::sim::explore({.schedules = 300}, [&]() -> coro<> {
        socket server(here);
        socket client;
        for (const char* text : {"1", "2", "3"}) co_await client.send(text, here);
        std::string came;
        while (auto text = co_await rondo::move_on_after(1min, server.receive())) came += *text;
        lost = lost || std::set(came.begin(), came.end()).size() < 3;
        doubled = doubled || came.find("22") != std::string::npos;
        overtaken = overtaken || came.find("21") != std::string::npos;
        EXPECT_LE(came.size(), 6U);
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_TRUE(lost);
    EXPECT_TRUE(doubled);
    EXPECT_TRUE(overtaken);
}

TEST(Datagrams, ArriveInAWorldThatHasNoSuchTrouble) {
    const auto result = rondo::sim::explore({.schedules = 100, .faults = {.datagrams = false}}, []() -> coro<> {
        socket server(here);
        socket client;
        for (const char* text : {"1", "2", "3"}) co_await client.send(text, here);
        std::string came;
        for (int i = 0; i < 3; ++i) came += co_await server.receive();
        EXPECT_EQ(came, "123");
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
}

TEST(Datagrams, AConnectedSocketHearsThatNobodyIsThereAndAnotherDoesNot) {
    in_a_plain_world([]() -> coro<> {
        socket connected;
        co_await connected.connect(here);
        co_await rondo::running_loop().sock_sendall(connected.fd(), "anybody?");
        EXPECT_EQ(co_await error_of(connected.receive()), std::errc::connection_refused);
        socket other;
        co_await other.send("anybody?", here);
        EXPECT_FALSE(co_await rondo::move_on_after(1s, other.receive()));
    });
}

TEST(Datagrams, AConnectedSocketHearsOnlyItsPeer) {
    in_a_plain_world([]() -> coro<> {
        socket server(here);
        socket client;
        co_await client.connect(here);
        socket stranger;
        co_await stranger.send("psst", client.where());
        co_await server.send("hello", client.where());
        EXPECT_EQ(co_await client.receive(), "hello");
        EXPECT_EQ(rondo::detail::peer_address_of(system(), client.fd()), here);
    });
}

TEST(Datagrams, WhatABufferHasNoRoomForIsGone) {
    in_a_plain_world([]() -> coro<> {
        socket server(here);
        socket client;
        co_await client.send("a long datagram", here);
        co_await client.send("next", here);
        EXPECT_EQ(co_await server.receive(6), "a long");
        EXPECT_EQ(co_await server.receive(6), "next");
    });
}

TEST(Datagrams, HaveALimitedSize) {
    in_a_plain_world([]() -> coro<> {
        socket server(here);
        socket client;
        EXPECT_EQ(co_await client.send(std::string(65507, 'x'), here), 65507U);
        EXPECT_EQ(co_await error_of(client.send(std::string(65508, 'x'), here)), std::errc::message_size);
        EXPECT_EQ((co_await server.receive(70000)).size(), 65507U);
        EXPECT_EQ(co_await error_of(client.send("x", rondo::address("10.0.0.1", 1))), std::errc::network_unreachable);
    });
}

TEST(Datagrams, AreDroppedWhenNobodyTakesThem) {
    in_a_plain_world([]() -> coro<> {
        socket server(here);
        socket client;
        for (int i = 0; i < 1000; ++i) co_await client.send(std::string(1000, 'x'), here);
        int came = 0;
        while (co_await rondo::move_on_after(1s, server.receive(2000))) ++came;
        EXPECT_EQ(came, 120); // 212992 bytes, of which each takes 768 more than it has
        co_await client.send("room again", here);
        EXPECT_EQ(co_await server.receive(), "room again");
    });
}

TEST(Datagrams, StreamsAndDatagramsHavePortsOfTheirOwn) {
    in_a_plain_world([]() -> coro<> {
        auto server =
            co_await rondo::start_server([](rondo::stream_reader, rondo::stream_writer) {}, "127.0.0.1", 5000);
        socket same(here);
        socket second;
        const rondo::detail::socket_address name(here);
        EXPECT_EQ(system().bind(second.fd(), name.get(), name.size), -EADDRINUSE);
        EXPECT_EQ(system().listen(same.fd(), 5), -EOPNOTSUPP);
    });
}

struct collector : rondo::datagram_protocol {
    void connection_made(rondo::datagram_transport& t) override { to = &t; }
    void datagram_received(std::span<const std::byte> d, const rondo::address& from) override {
        received.put_nowait({std::string(reinterpret_cast<const char*>(d.data()), d.size()), from});
    }
    void error_received(std::exception_ptr) override { ++errors; }
    rondo::queue<std::pair<std::string, rondo::address>> received{100};
    rondo::datagram_transport* to = nullptr;
    int errors = 0;
};

TEST(Datagrams, ServeEndpointsAndTheirProtocols) {
    in_a_plain_world([]() -> coro<> {
        auto& loop = rondo::running_loop();
        const auto factory = [] { return std::make_shared<collector>(); };
        auto [server, asked] = co_await loop.create_datagram_endpoint(factory, {.local_address = here});
        auto [client, answered] = co_await loop.create_datagram_endpoint(factory, {.remote_address = here});
        client->sendto("question");
        const auto [text, from] = co_await asked->received.get();
        EXPECT_EQ(text, "question");
        server->sendto("answer", from);
        EXPECT_EQ((co_await answered->received.get()).first, "answer");
        server->close();
        co_await rondo::sleep(1s);
        client->sendto("anybody?");
        co_await rondo::sleep(1s);
        EXPECT_EQ(answered->errors, 1);
        client->close();
    });
}

TEST(Datagrams, BetweenHostsTakeTheirTimeAndVanishInAPartition) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store", "10.0.0.2");
        world().set_latency(store, world().body_host(), 30ms);
        auto server = co_await store.run(socket_at({"0.0.0.0", 5000}));
        socket client;
        const auto before = rondo::clock::now();
        co_await client.send("hello", {"10.0.0.2", 5000});
        EXPECT_EQ(co_await server->receive(), "hello");
        EXPECT_EQ(rondo::clock::now() - before, 30ms);
        EXPECT_EQ(server->last_sender().ip(), world().body_host().ip());
        co_await client.send("under way", {"10.0.0.2", 5000});
        world().partition_one_way(world().body_host(), store);
        co_await client.send("vanishes", {"10.0.0.2", 5000});
        co_await rondo::sleep(1s);
        world().heal();
        co_await client.send("again", {"10.0.0.2", 5000});
        EXPECT_EQ(co_await server->receive(), "again");
        store.crash();
        co_await client.send("nobody", {"10.0.0.2", 5000});
        EXPECT_FALSE(co_await rondo::move_on_after(1min, client.receive()));
        co_await rondo::yield();
    });
}

TEST(UnixDatagrams, LoseNothingAndMakeTheSenderWait) {
    in_a_plain_world([]() -> coro<> {
        const auto path = rondo::address::unix_path("/run/log.sock");
        EXPECT_EQ(co_await error_of(socket(AF_UNIX).send("x", path)), std::errc::no_such_file_or_directory);
        std::optional<socket> server(path);
        socket client(rondo::address::unix_path("/run/client.sock"));
        auto sending = rondo::create_task([&]() -> coro<> {
            for (int i = 0; i < 100; ++i) co_await client.send(std::to_string(i), path);
        });
        co_await rondo::sleep(1s);
        EXPECT_FALSE(sending.done());
        for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await server->receive(), std::to_string(i));
        EXPECT_EQ(server->last_sender(), client.where());
        co_await sending;
        server.reset();
        EXPECT_EQ(co_await error_of(client.send("x", path)), std::errc::connection_refused);
    });
}

} // namespace
