// How addresses are found, and sockets made of them: family, protocol, flags, interleave, several hosts.
#include "io/io_test.hpp"

#include "io/connect_race.hpp"
#include "io/resolver.hpp"
#include "io/scripted_network.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using attempts = std::vector<test::network_script::attempt>;

class Interleaving : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<test::scripted_network>(kind, net);
    }
    /// In which order the addresses of host.test are tried.
    std::vector<std::string> order(connect_options options) {
        net.attempts.clear();
        run_io([&]() -> coro<> {
            static_cast<void>(co_await as_result(timeout(60s, open_connection("host.test", 80, options))));
        });
        std::vector<std::string> tried;
        for (const auto& a : net.attempts) tried.push_back(a.to);
        return tried;
    }
    test::network_script net;
};
RONDO_IN_EACH_WORLD(Interleaving);

const address a4("192.0.2.1", 80);
const address b4("192.0.2.2", 80);
const address a6("2001:db8::1", 80);
const address b6("2001:db8::2", 80);
const address c6("2001:db8::3", 80);

std::vector<std::string> names_of(std::vector<address> addresses) {
    std::vector<std::string> names;
    for (const address& a : addresses) names.push_back(a.str());
    return names;
}

TEST_P(Interleaving, BeginsWithSoManyOfTheFirstFamily) {
    net.names = {{"host.test", {a6, b6, c6, a4, b4}}};
    for (const address& a : {a6, b6, c6, a4, b4}) net.outcomes[a.str()] = {1ms, ECONNREFUSED};
    EXPECT_EQ(order({}), names_of({a6, a4, b6, b4, c6}));
    EXPECT_EQ(order({.interleave = 2}), names_of({a6, b6, a4, c6, b4}));
    EXPECT_EQ(order({.interleave = 9}), names_of({a6, b6, c6, a4, b4}));
    EXPECT_EQ(order({.interleave = 0}), names_of({a6, b6, c6, a4, b4}));
    EXPECT_EQ(order({.happy_eyeballs_delay = no_timeout}), names_of({a6, b6, c6, a4, b4}));
    EXPECT_EQ(order({.happy_eyeballs_delay = no_timeout, .interleave = 1}), names_of({a6, a4, b6, b4, c6}));
}

TEST_P(Interleaving, FamilyProtocolAndFlagsAreInTheQuestion) {
    net.names = {{"host.test", {a4}}};
    static_cast<void>(order({.family = AF_INET, .protocol = IPPROTO_TCP, .flags = AI_ADDRCONFIG}));
    ASSERT_EQ(net.questions.size(), 1u);
    EXPECT_EQ(net.questions[0].family, AF_INET);
    EXPECT_EQ(net.questions[0].protocol, IPPROTO_TCP);
    EXPECT_EQ(net.questions[0].flags, AI_ADDRCONFIG);
    run_io([&]() -> coro<> {
        static_cast<void>(co_await loop().getaddrinfo("host.test", "80", AF_INET, SOCK_STREAM, IPPROTO_TCP, AI_ALL));
        static_cast<void>(co_await as_result(start_server([](stream_reader, stream_writer) {}, "nobody.test", 0,
                                                          {.family = AF_INET6, .flags = AI_NUMERICSERV})));
    });
    ASSERT_EQ(net.questions.size(), 3u);
    EXPECT_EQ(net.questions[1].protocol, IPPROTO_TCP);
    EXPECT_EQ(net.questions[1].flags, AI_ALL);
    EXPECT_EQ(net.questions[2].family, AF_INET6);
    EXPECT_EQ(net.questions[2].flags, AI_NUMERICSERV);
    EXPECT_TRUE(net.questions[2].passive);
}

TEST_P(Interleaving, ANumericHostOfAnotherFamilyIsAResolversError) {
    run_io([&]() -> coro<> {
        const auto connecting = co_await as_result(open_connection("192.0.2.1", 80, {.family = AF_INET6}));
        const auto listening =
            co_await as_result(start_server([](stream_reader, stream_writer) {}, "::1", 0, {.family = AF_INET}));
        for (const std::exception_ptr& error : {connecting.error(), listening.error()}) {
            const auto* e = detail::exception_cast<std::system_error>(error);
            EXPECT_TRUE(e && e->code() == std::error_code(EAI_ADDRFAMILY, detail::resolver_category()));
        }
    });
    EXPECT_TRUE(net.questions.empty());
    EXPECT_TRUE(net.attempts.empty());
}

TEST_P(Interleaving, ATroubleOnThisSideIsToldOnce) {
    net.absent = {"203.0.113.9"};
    const address not_ours("203.0.113.9", 0);
    run_io([&]() -> coro<> {
        detail::connect_race race(running_loop(), {a4, b4}, {.local_address = not_ours});
        const auto r = co_await as_result(race);
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_not_available);
        const std::string what = e ? e->what() : "";
        EXPECT_EQ(what.find("cannot bind to 203.0.113.9:0"), 0u) << what;
        EXPECT_EQ(what.find("Multiple"), std::string::npos) << what;
    });
    EXPECT_TRUE(net.attempts.empty());
    EXPECT_EQ(net.open_sockets, 0);
}

/// Remembers what was asked of the kernel.
struct asked_of_kernel {
    struct option {
        int level, name, value;
        friend bool operator==(const option&, const option&) = default;
    };
    std::vector<int> protocols;
    std::vector<int> backlogs;
    std::vector<option> options;
    bool has(int level, int name, int value = 1) const {
        return std::find(options.begin(), options.end(), option{level, name, value}) != options.end();
    }
};
class watched_os final : public test::forwarding_os {
public:
    watched_os(detail::os& real, asked_of_kernel& asked) noexcept : forwarding_os(real), asked_(asked) {}
    int open_socket(int family, int type, int protocol) noexcept override {
        asked_.protocols.push_back(protocol);
        return forwarding_os::open_socket(family, type, protocol);
    }
    int listen(int fd, int backlog) noexcept override {
        asked_.backlogs.push_back(backlog);
        return forwarding_os::listen(fd, backlog);
    }
    int set_option(int fd, int level, int name, int value) noexcept override {
        asked_.options.push_back({level, name, value});
        return forwarding_os::set_option(fd, level, name, value);
    }

private:
    asked_of_kernel& asked_;
};
class watched_kernel final : public test::forwarding_backend {
public:
    watched_kernel(std::unique_ptr<detail::backend> real, asked_of_kernel& asked)
        : forwarding_backend(std::move(real)), os_(forwarding_backend::os(), asked) {}
    detail::os& os() noexcept override { return os_; }

private:
    watched_os os_;
};

/// Of the kernel: options of sockets.
class SocketOptions : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<watched_kernel>(kind, asked);
    }
    asked_of_kernel asked;
};
RONDO_ON_EACH_BACKEND(SocketOptions);

coro<> greet(stream_reader, stream_writer writer) {
    co_await writer.write("hello");
    co_await writer.aclose();
}
coro<std::string> what_it_says(std::string host, std::uint16_t port) {
    auto [reader, writer] = co_await open_connection(std::move(host), port);
    co_return (co_await reader.read_all()).str();
}

TEST_P(SocketOptions, TheSocketIsOfTheProtocol) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        auto c = co_await open_connection("127.0.0.1", s.port(), {.protocol = IPPROTO_TCP});
        EXPECT_EQ((co_await c.reader.read_all()).str(), "hello");
        EXPECT_EQ(asked.protocols, (std::vector<int>{0, IPPROTO_TCP}));
        const auto r = co_await as_result(open_connection("127.0.0.1", s.port(), {.protocol = IPPROTO_UDP}));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::protocol_not_supported);
        EXPECT_TRUE(e && std::string(e->what()).find("cannot open a socket") == 0) << e->what();
        const auto nobody = [] { return std::make_shared<datagram_protocol>(); };
        auto [t, p] = co_await loop().create_datagram_endpoint(nobody, {.family = AF_INET, .protocol = IPPROTO_UDP});
        EXPECT_EQ(asked.protocols.back(), IPPROTO_UDP);
        t->close();
    });
}

TEST_P(SocketOptions, SeveralHostsShareAPortAndADoubleAddressCountsOnce) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server(greet, {"127.0.0.1", "127.0.0.2", "127.0.0.1"}, 0);
        EXPECT_EQ(s.addresses(), (std::vector{address("127.0.0.1", s.port()), address("127.0.0.2", s.port())}));
        EXPECT_EQ(co_await what_it_says("127.0.0.1", s.port()), "hello");
        EXPECT_EQ(co_await what_it_says("127.0.0.2", s.port()), "hello");
        const std::vector<std::string> one{"127.0.0.3"};
        auto t = co_await loop().create_server([] { return std::make_shared<protocol>(); }, one, 0);
        EXPECT_EQ(t.addresses().front().ip(), "127.0.0.3");
        EXPECT_TRUE((co_await as_result(start_server(greet, std::vector<std::string>(), 0))).holds<value_error>());
    });
}

TEST_P(SocketOptions, BothFamiliesAreOnOnePortEachWithASocketOfItsOwn) {
    run_io([this]() -> coro<> {
        if (const int six = ::socket(AF_INET6, SOCK_STREAM, 0); six < 0) co_return; // this machine has no IPv6
        else ::close(six);
        auto s = co_await start_server(greet, "", 0);
        std::vector<std::string> ips;
        for (const address& a : s.addresses()) ips.push_back(a.ip());
        std::sort(ips.begin(), ips.end());
        EXPECT_EQ(ips, (std::vector<std::string>{"0.0.0.0", "::"}));
        EXPECT_TRUE(asked.has(IPPROTO_IPV6, IPV6_V6ONLY)); // otherwise the second could not have the port
        EXPECT_EQ(co_await what_it_says("127.0.0.1", s.port()), "hello");
        EXPECT_EQ(co_await what_it_says("::1", s.port()), "hello");

        auto only = co_await start_server(greet, "::", 0);
        EXPECT_TRUE((co_await as_result(what_it_says("127.0.0.1", only.port()))).holds<connection_refused_error>());
        auto four = co_await start_server(greet, "", 0, {.family = AF_INET});
        EXPECT_EQ(four.addresses(), std::vector{address("0.0.0.0", four.port())});
    });
}

TEST_P(SocketOptions, KeepAliveAndReuseAreAsTheOptionsSay) {
    run_io([this]() -> coro<> {
        auto usual = co_await start_server(greet, "127.0.0.1", 0);
        EXPECT_TRUE(asked.has(SOL_SOCKET, SO_REUSEADDR));
        EXPECT_FALSE(asked.has(SOL_SOCKET, SO_REUSEPORT));
        EXPECT_FALSE(asked.has(SOL_SOCKET, SO_KEEPALIVE));
        asked.options.clear();
        int on = 0;
        auto other = co_await start_server(
            [&](stream_reader, stream_writer w) {
                ::socklen_t size = sizeof on;
                ::getsockopt(*w.get_extra<extra::socket>(), SOL_SOCKET, SO_KEEPALIVE, &on, &size);
            },
            "127.0.0.1", 0, {.reuse_address = false, .keep_alive = true});
        EXPECT_FALSE(asked.has(SOL_SOCKET, SO_REUSEADDR));
        EXPECT_EQ(co_await what_it_says("127.0.0.1", other.port()), "");
        EXPECT_EQ(on, 1); // the connections have it
    });
}

TEST_P(SocketOptions, TheBacklogIsTheKernels) {
    run_io([this]() -> coro<> {
        auto usual = co_await start_server(greet, "127.0.0.1", 0);
        auto other = co_await start_server(greet, "127.0.0.1", 0, {.backlog = 7});
        EXPECT_EQ(asked.backlogs, (std::vector<int>{100, 7}));
    });
}

TEST_P(SocketOptions, WithoutReuseAddressAPortWhoseConnectionsLingerIsTaken) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0, {.reuse_address = false});
        const std::uint16_t port = s.port();
        EXPECT_EQ(co_await what_it_says("127.0.0.1", port), "hello"); // the server closed first: TIME_WAIT is here
        co_await s.shutdown(1s);
        const auto again = co_await as_result(start_server(greet, "127.0.0.1", port, {.reuse_address = false}));
        const auto* e = detail::exception_cast<std::system_error>(again.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
    });
}

} // namespace
} // namespace rondo
