// Names of hosts in a simulated world.
#include <rondo/rondo.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>

#include "sim/plain_world.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::world;
using rondo::test::in_a_plain_world;

struct asked {
    std::string service = "80";
    int family = AF_UNSPEC;
    int type = SOCK_STREAM;
    int flags = 0;
};
/// "10.0.0.2:80 ...", or EAI_*'s number.
coro<std::string> look_up(std::string host, asked how = {}) {
    try {
        std::string text;
        for (const auto& found :
             co_await rondo::running_loop().getaddrinfo(host, how.service, how.family, how.type, 0, how.flags))
            text += (text.empty() ? "" : " ") + found.address.str();
        co_return text;
    } catch (const std::system_error& e) {
        co_return std::to_string(e.code().value());
    }
}

TEST(Names, NumbersAndLocalhostNeedNoServer) {
    const rondo::sim::options how{.schedules = 100, .faults = rondo::sim::fault_classes::all()};
    rondo::sim::expect_no_failure(how, []() -> coro<> {
        EXPECT_EQ(co_await look_up("127.0.0.1"), "127.0.0.1:80");
        EXPECT_EQ(co_await look_up("::1"), "[::1]:80");
        EXPECT_EQ(co_await look_up("localhost"), "[::1]:80 127.0.0.1:80");
        EXPECT_EQ(co_await look_up("localhost", {.family = AF_INET}), "127.0.0.1:80");
        EXPECT_EQ(co_await look_up(""), "[::1]:80 127.0.0.1:80");
        EXPECT_EQ(co_await look_up("", {.flags = AI_PASSIVE}), "0.0.0.0:80 [::]:80");
    });
}

TEST(Names, OfHostsAndThoseThatWereAddedHaveTheirAddresses) {
    in_a_plain_world([]() -> coro<> {
        EXPECT_EQ(co_await look_up("store"), std::to_string(EAI_NONAME));
        world().add_host("store", {"10.0.0.2", "2001:db8::2"});
        world().add_name("example.org", {"10.0.0.2", "10.0.0.3"});
        EXPECT_EQ(co_await look_up("store"), "10.0.0.2:80 [2001:db8::2]:80");
        EXPECT_EQ(co_await look_up("STORE."), "10.0.0.2:80 [2001:db8::2]:80");
        EXPECT_EQ(co_await look_up("example.org"), "10.0.0.2:80 10.0.0.3:80");
        EXPECT_EQ(co_await look_up("nobody"), std::to_string(EAI_NONAME));
        world().add_name("example.org", "10.0.0.4");
        EXPECT_EQ(co_await look_up("example.org"), "10.0.0.4:80");
        world().remove_name("example.org");
        EXPECT_EQ(co_await look_up("example.org"), std::to_string(EAI_NONAME));
        EXPECT_THROW(world().add_name("broken", "not an address"), rondo::value_error);
    });
}

TEST(Names, FamilyTypeServiceAndFlagsAreHonoured) {
    in_a_plain_world([]() -> coro<> {
        world().add_host("store", {"10.0.0.2", "2001:db8::2"});
        world().add_name("old", "10.0.0.9");
        EXPECT_EQ(co_await look_up("store", {.family = AF_INET6}), "[2001:db8::2]:80");
        EXPECT_EQ(co_await look_up("old", {.family = AF_INET6}), std::to_string(EAI_NODATA));
        EXPECT_EQ(co_await look_up("10.0.0.1", {.family = AF_INET6}), std::to_string(EAI_ADDRFAMILY));
        EXPECT_EQ(co_await look_up("old", {.service = "https"}), "10.0.0.9:443");
        EXPECT_EQ(co_await look_up("old", {.service = "no such service"}), std::to_string(EAI_SERVICE));
        EXPECT_EQ(co_await look_up("old", {.service = "https", .flags = AI_NUMERICSERV}), std::to_string(EAI_NONAME));
        EXPECT_EQ(co_await look_up("old", {.flags = AI_NUMERICHOST}), std::to_string(EAI_NONAME));
        EXPECT_EQ(co_await look_up("old", {.family = AF_UNIX}), std::to_string(EAI_FAMILY));
        EXPECT_EQ(co_await look_up("old", {.type = 99}), std::to_string(EAI_SOCKTYPE));
        EXPECT_EQ(co_await look_up("", {.service = ""}), std::to_string(EAI_NONAME));
        const auto all = co_await rondo::running_loop().getaddrinfo("old", "53");
        EXPECT_EQ(all.size(), 3U);
        EXPECT_EQ(all.at(1).type, SOCK_DGRAM);
        EXPECT_EQ(all.at(1).protocol, IPPROTO_UDP);
    });
}

TEST(Names, OfAddressesAreThoseOfTheirHosts) {
    in_a_plain_world([]() -> coro<> {
        world().add_host("store", "10.0.0.2");
        auto& loop = rondo::running_loop();
        const auto name_of = [&](const char* ip, std::uint16_t port, int flags) -> coro<std::string> {
            try {
                const auto [host, service] = co_await loop.getnameinfo(rondo::address(ip, port), flags);
                co_return host + " " + service;
            } catch (const std::system_error& e) {
                co_return std::to_string(e.code().value());
            }
        };
        EXPECT_EQ(co_await name_of("10.0.0.2", 80, 0), "store http");
        EXPECT_EQ(co_await name_of("127.0.0.1", 81, 0), "localhost 81");
        EXPECT_EQ(co_await name_of("10.0.0.2", 80, NI_NUMERICHOST | NI_NUMERICSERV), "10.0.0.2 80");
        EXPECT_EQ(co_await name_of("10.0.0.99", 80, 0), "10.0.0.99 http");
        EXPECT_EQ(co_await name_of("10.0.0.99", 80, NI_NAMEREQD), std::to_string(EAI_NONAME));
    });
}

TEST(Names, LookingOneUpFailsInEveryWayAndTakesItsTime) {
    std::set<std::string> answers;
    rondo::duration longest{};
    const auto result = rondo::sim::explore({.schedules = 300, .faults = {.names = true}}, [&]() -> coro<> {
        world().add_host("store", "10.0.0.2");
        const auto before = rondo::clock::now();
        answers.insert(co_await look_up("store"));
        longest = std::max(longest, rondo::clock::now() - before);
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_EQ(answers, (std::set<std::string>{"10.0.0.2:80", std::to_string(EAI_AGAIN), std::to_string(EAI_NONAME),
                                              std::to_string(EAI_FAIL)}));
    EXPECT_GE(longest, 14s); // a slow network, and nobody answers
}

TEST(Names, AnOutagePassesForAProgramThatAsksAgain) {
    const auto result = rondo::sim::explore({.schedules = 300, .faults = {.names = true}}, []() -> coro<> {
        world().add_host("store", "10.0.0.2");
        std::string found;
        for (int i = 0; i < 200 && found != "10.0.0.2:80"; ++i) found = co_await look_up("store");
        EXPECT_EQ(found, "10.0.0.2:80");
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
}

TEST(Names, ConnectingTriesEveryAddressOfOne) {
    in_a_plain_world([]() -> coro<> {
        rondo::sim::host& first = world().add_host("first");
        rondo::sim::host& second = world().add_host("second");
        world().add_name("service", {first.ip(), second.ip()});
        auto server =
            co_await second.run(rondo::start_server([](rondo::stream_reader, rondo::stream_writer) {}, "0.0.0.0", 80));
        auto connection = co_await rondo::open_connection("service", 80);
        EXPECT_EQ(connection.writer.peer_address().ip(), second.ip());
    });
}

} // namespace
