// Names and addresses: getaddrinfo(), getnameinfo(), and resolvers of one's own.
#include "io/io_test.hpp"

#include "io/scripted_network.hpp"

#include <rondo/task/concurrent_future.hpp>

#include <netdb.h>

namespace rondo {
namespace {

template <class T> int resolver_error(const result<T>& r) {
    const auto* e = detail::exception_cast<std::system_error>(r.error());
    return e && std::string(e->code().category().name()) == "resolver" ? e->code().value() : 0;
}

class Names : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<test::scripted_names>(kind, net);
    }
    test::network_script net;
};
RONDO_IN_EACH_WORLD(Names);

TEST_P(Names, GetaddrinfoGivesWhatTheSystemAnswersInItsOrder) {
    net.names["host.test"] = {address("192.0.2.1", 80), address("2001:db8::1", 80), address("192.0.2.1", 80)};
    run_io([this]() -> coro<> {
        const std::vector<resolved> found = co_await loop().getaddrinfo("host.test", "http", 0, SOCK_STREAM);
        EXPECT_EQ(found.size(), 3u);
        if (found.size() != 3) co_return;
        EXPECT_EQ(found[0].address, address("192.0.2.1", 80));
        EXPECT_EQ(found[0].family, AF_INET);
        EXPECT_EQ(found[0].type, SOCK_STREAM);
        EXPECT_EQ(found[1].address, address("2001:db8::1", 80));
        EXPECT_EQ(found[1].family, AF_INET6);
        co_await loop().getaddrinfo("host.test", "", AF_INET6);
    });
    ASSERT_EQ(net.questions.size(), 2u);
    EXPECT_EQ(net.questions[0].host, "host.test");
    EXPECT_EQ(net.questions[0].service, "http");
    EXPECT_EQ(net.questions[0].type, SOCK_STREAM);
    EXPECT_EQ(net.questions[1].service, "");
    EXPECT_EQ(net.questions[1].family, AF_INET6);
    EXPECT_EQ(net.questions[1].type, 0);
}

TEST_P(Names, ANameThatDoesNotExistIsAResolversErrorThatNamesIt) {
    run_io([this]() -> coro<> {
        const auto r = co_await as_result(loop().getaddrinfo("absent.test", "80"));
        EXPECT_EQ(resolver_error(r), EAI_NONAME);
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find("absent.test") != std::string::npos);
    });
}

TEST_P(Names, AResolverOfOnesOwnIsAskedByEverythingUntilItIsTakenAway) {
    struct pinned : resolver {
        std::vector<name_query> queries;
        std::vector<resolved> answer;
        coro<std::vector<resolved>> getaddrinfo(name_query query) override {
            queries.push_back(query);
            co_return answer;
        }
    };
    const auto own = std::make_shared<pinned>();
    net.names["host.test"] = {address("192.0.2.1", 80)};
    run_io([&]() -> coro<> {
        loop().set_resolver(own);
        auto listening = co_await start_server([](stream_reader, stream_writer) {}, "127.0.0.1", 0);
        own->answer = {{.address = address("127.0.0.1", listening.port())}};
        EXPECT_EQ((co_await loop().getaddrinfo("host.test", "1", AF_INET, SOCK_DGRAM)).front().address,
                  own->answer.front().address);
        auto c = co_await open_connection("host.test", 2);
        EXPECT_EQ(c.writer.peer_address().port(), listening.port());
        own->answer.clear();
        EXPECT_EQ(resolver_error(co_await as_result(loop().getaddrinfo("host.test", "3"))), EAI_NONAME);
        EXPECT_EQ(resolver_error(co_await as_result(open_connection("host.test", 3))), EAI_NONAME);
        loop().set_resolver(nullptr);
        EXPECT_EQ((co_await loop().getaddrinfo("host.test", "4")).front().address, address("192.0.2.1", 80));
    });
    ASSERT_EQ(own->queries.size(), 4u);
    EXPECT_EQ(own->queries[0].family, AF_INET);
    EXPECT_EQ(own->queries[0].type, SOCK_DGRAM);
    EXPECT_FALSE(own->queries[0].passive);
    EXPECT_EQ(own->queries[1].host, "host.test");
    EXPECT_EQ(own->queries[1].service, "2");
    EXPECT_EQ(own->queries[1].type, SOCK_STREAM);
    EXPECT_EQ(net.questions.size(), 1u);
}

/// Of the kernel: the machine's names.
class SystemNames : public test::io_test {};
RONDO_ON_EACH_BACKEND(SystemNames);

TEST_P(SystemNames, NumericHostsAndServicesByNameNeedNoNetwork) {
    run_io([this]() -> coro<> {
        const auto found = co_await loop().getaddrinfo("127.0.0.1", "8080", AF_INET, SOCK_STREAM);
        EXPECT_EQ(found.size(), 1u);
        EXPECT_EQ(found.front().address, address("127.0.0.1", 8080));
        EXPECT_EQ(found.front().protocol, IPPROTO_TCP);
        const auto here = co_await loop().getaddrinfo("", "1", AF_INET, SOCK_STREAM);
        EXPECT_EQ(here.front().address, address("127.0.0.1", 1));
        EXPECT_EQ(resolver_error(co_await as_result(loop().getaddrinfo("127.0.0.1", "1", AF_INET6))), EAI_ADDRFAMILY);
    });
}

TEST_P(SystemNames, GetnameinfoGivesHostAndService) {
    run_io([this]() -> coro<> {
        const auto [host, service] =
            co_await loop().getnameinfo(address("127.0.0.1", 8080), NI_NUMERICHOST | NI_NUMERICSERV);
        EXPECT_EQ(host, "127.0.0.1");
        EXPECT_EQ(service, "8080");
        const auto six = co_await loop().getnameinfo(address("::1", 1), NI_NUMERICHOST | NI_NUMERICSERV);
        EXPECT_EQ(six.first, "::1");
        EXPECT_NE(resolver_error(co_await as_result(loop().getnameinfo(address()))), 0);
    });
}

TEST_P(SystemNames, AnotherLoopsIsARuntimeError) {
    event_loop other;
    run_io([&]() -> coro<> {
        EXPECT_TRUE((co_await as_result(other.getaddrinfo("127.0.0.1", "1"))).holds<runtime_error>());
        EXPECT_TRUE((co_await as_result(other.getnameinfo(address("127.0.0.1", 1)))).holds<runtime_error>());
    });
    other.close();
}

TEST_P(SystemNames, CancelledItReturnsAtOnceThoughTheThreadIsBusy) {
    const auto one_thread = std::make_shared<thread_pool>(1);
    run_io([&]() -> coro<> {
        loop().set_default_executor(one_thread);
        concurrent_future<> held;
        auto blocking = loop().run_in_executor(nullptr, [held]() mutable { held.get(); });
        auto asking = create_task([&] { return loop().getaddrinfo("127.0.0.1", "1"); });
        auto asking_back = create_task([&] { return loop().getnameinfo(address("127.0.0.1", 1)); });
        co_await test::pass_by(5);
        asking.cancel();
        asking_back.cancel();
        EXPECT_TRUE((co_await as_result(asking)).cancelled());
        EXPECT_TRUE((co_await as_result(asking_back)).cancelled());
        held.set_result();
        co_await blocking;
    });
}

} // namespace
} // namespace rondo
