// Names by c-ares, asked of a DNS server within the test.
#include "io/io_test.hpp"
#include "io/name_server.hpp"
#include "support/temporary_directory.hpp"

#include <netdb.h>

namespace rondo {
namespace {

using test::name_server;
using test::pass_by;

template <class T> int resolver_error(const result<T>& r) {
    const auto* e = detail::exception_cast<std::system_error>(r.error());
    return e && std::string(e->code().category().name()) == "resolver" ? e->code().value() : 0;
}

/// Of the kernel: c-ares asks a server by sockets of its own.
class CaresResolver : public test::io_test {
protected:
    void SetUp() override {
        if (!has_cares()) GTEST_SKIP() << "built without c-ares";
        io_test::SetUp();
    }
    /// Runs the body beside a server that the loop's resolver asks.
    template <std::invocable F> void run_with_server(F body, cares_options options = {}) {
        run_io([&]() -> coro<> {
            options.servers = {server.where()};
            loop().set_resolver(cares_resolver(options));
            auto serving = create_task([&] { return server.serve(); });
            co_await body();
            serving.cancel();
            static_cast<void>(co_await as_result(serving));
        });
    }
    coro<std::vector<address>> addresses_of(std::string host, int family = 0) {
        std::vector<address> all;
        for (const resolved& r : co_await loop().getaddrinfo(host, "80", family, SOCK_STREAM)) all.push_back(r.address);
        co_return all;
    }
    name_server server;
};
RONDO_ON_EACH_BACKEND(CaresResolver);

using addresses = std::vector<address>;

TEST_P(CaresResolver, GivesTheAddressesOfBothFamilies) {
    server.names["host.test"] = {"127.0.0.1", "::1"};
    run_with_server([this]() -> coro<> {
        const auto found = co_await loop().getaddrinfo("host.test", "80", 0, SOCK_STREAM);
        EXPECT_EQ(found.size(), 2u);
        std::set<std::string> all;
        for (const resolved& r : found) {
            all.insert(r.address.str());
            EXPECT_EQ(r.family, r.address.ip() == "::1" ? AF_INET6 : AF_INET);
            EXPECT_EQ(r.type, SOCK_STREAM);
        }
        EXPECT_EQ(all, (std::set<std::string>{"127.0.0.1:80", "[::1]:80"}));
        EXPECT_EQ(server.questions.size(), 2u);
    });
}

TEST_P(CaresResolver, AFamilyNarrowsTheQuestion) {
    server.names["host.test"] = {"127.0.0.1", "127.0.0.2", "::1"};
    run_with_server([this]() -> coro<> {
        EXPECT_EQ(co_await addresses_of("host.test", AF_INET6), addresses{address("::1", 80)});
        EXPECT_EQ((co_await addresses_of("host.test", AF_INET)).size(), 2u);
        EXPECT_EQ(server.questions.size(), 2u);
    });
}

TEST_P(CaresResolver, TheServiceIsAPortsNumberOrItsName) {
    server.names["host.test"] = {"127.0.0.1"};
    run_with_server([this]() -> coro<> {
        for (const auto& [service, port] : std::map<std::string, int>{{"", 0}, {"0", 0}, {"65535", 65'535}}) {
            const auto found = co_await loop().getaddrinfo("host.test", service, AF_INET, SOCK_STREAM);
            EXPECT_EQ(found.front().address.port(), port) << service;
        }
        EXPECT_EQ(resolver_error(co_await as_result(loop().getaddrinfo("host.test", "no-such-service"))), EAI_SERVICE);
    });
}

TEST_P(CaresResolver, ANameThatDoesNotExistAndOneWithoutAnAddressAreNoname) {
    server.names["empty.test"] = {};
    run_with_server([this]() -> coro<> {
        for (const char* name : {"absent.test", "empty.test"}) {
            const auto r = co_await as_result(addresses_of(name));
            EXPECT_EQ(resolver_error(r), EAI_NONAME) << name;
            const auto* e = detail::exception_cast<std::system_error>(r.error());
            EXPECT_TRUE(e && std::string(e->what()).find(name) != std::string::npos) << name;
        }
    });
}

TEST_P(CaresResolver, AServerThatDoesNotAnswerIsAskedAgainThenItIsTryAgain) {
    server.silent = {"host.test"};
    const auto ask = [this]() -> coro<> {
        EXPECT_EQ(resolver_error(co_await as_result(addresses_of("host.test", AF_INET))), EAI_AGAIN);
        EXPECT_EQ(server.questions.size(), 3u);
    };
    run_with_server(ask, {.timeout = std::chrono::milliseconds(5), .tries = 3});
}

TEST_P(CaresResolver, AServerThatFailsIsTryAgain) {
    server.failing = {"host.test"};
    run_with_server([this]() -> coro<> {
        EXPECT_EQ(resolver_error(co_await as_result(addresses_of("host.test", AF_INET))), EAI_AGAIN);
    });
}

TEST_P(CaresResolver, ManyAreAskedAtOnce) {
    for (int i = 0; i < 100; ++i)
        server.names["host" + std::to_string(i) + ".test"] = {"127.0.0." + std::to_string(i + 1)};
    run_with_server([this]() -> coro<> {
        std::vector<task<addresses>> asking;
        for (int i = 0; i < 100; ++i)
            asking.push_back(
                create_task([this, i] { return addresses_of("host" + std::to_string(i) + ".test", AF_INET); }));
        for (int i = 0; i < 100; ++i)
            EXPECT_EQ(co_await asking[static_cast<std::size_t>(i)],
                      addresses{address("127.0.0." + std::to_string(i + 1), 80)});
    });
}

TEST_P(CaresResolver, CancelledItReturnsAtOnceAndTheOthersGoOn) {
    server.silent = {"slow.test"};
    server.names["host.test"] = {"127.0.0.1"};
    run_with_server([this]() -> coro<> {
        auto slow = create_task([&] { return addresses_of("slow.test", AF_INET); });
        co_await server.asked.wait();
        slow.cancel();
        co_await pass_by(2);
        EXPECT_TRUE(slow.done());
        EXPECT_TRUE((co_await as_result(slow)).cancelled());
        EXPECT_EQ(co_await addresses_of("host.test", AF_INET), addresses{address("127.0.0.1", 80)});
    });
}

TEST_P(CaresResolver, ConnectionsAndServersUseIt) {
    server.names["host.test"] = {"127.0.0.1"};
    run_with_server([this]() -> coro<> {
        auto listening = co_await start_server([](stream_reader, stream_writer) {}, "host.test", 0);
        auto c = co_await open_connection("host.test", listening.port());
        EXPECT_EQ(c.writer.peer_address().ip(), "127.0.0.1");
        co_await start_server([](stream_reader, stream_writer) {}, "", 0); // every interface: no name at all
        for (const auto& [name, type] : server.questions) EXPECT_EQ(name, "host.test");
    });
}

TEST_P(CaresResolver, ALoopThatClosesEndsItsLookupsAndItsSockets) {
    server.silent = {"host.test"};
    const std::size_t before = test::open_descriptors();
    std::shared_ptr<resolver> kept = cares_resolver({.servers = {server.where()}});
    {
        const std::unique_ptr<event_loop> own = test::make_loop(GetParam());
        own->set_resolver(kept);
        own->run_until_complete([](event_loop& loop) -> coro<> {
            spawn([&loop]() -> coro<> { co_await loop.getaddrinfo("host.test", "80", AF_INET); });
            co_await pass_by(5);
        }(*own));
        own->close();
    }
    EXPECT_EQ(test::open_descriptors(), before);
    run_io([&]() -> coro<> {
        EXPECT_TRUE((co_await as_result(kept->getaddrinfo({.host = "host.test"}))).holds<runtime_error>());
    });
}

TEST_P(CaresResolver, BelongsToTheLoopThatUsesItFirst) {
    server.names["host.test"] = {"127.0.0.1"};
    run_with_server([this]() -> coro<> {
        co_await addresses_of("host.test", AF_INET);
        co_return;
    });
    const auto shared = cares_resolver({.servers = {server.where()}});
    run_io([&]() -> coro<> {
        auto serving = create_task([&] { return server.serve(); });
        co_await shared->getaddrinfo({.host = "host.test", .family = AF_INET});
        serving.cancel();
        static_cast<void>(co_await as_result(serving));
    });
    event_loop other;
    other.run_until_complete([](resolver& r) -> coro<> {
        EXPECT_TRUE((co_await as_result(r.getaddrinfo({.host = "host.test"}))).holds<runtime_error>());
    }(*shared));
    other.close();
}

TEST(CaresOptions, AreChecked) {
    if (!has_cares()) {
        EXPECT_THROW(cares_resolver(), runtime_error);
        return;
    }
    EXPECT_THROW(cares_resolver({.timeout = std::chrono::milliseconds(0)}), value_error);
    EXPECT_THROW(cares_resolver({.tries = 0}), value_error);
    EXPECT_THROW(cares_resolver({.servers = {address::unix_path("/run/dns")}}), value_error);
}

} // namespace
} // namespace rondo
