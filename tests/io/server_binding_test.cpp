// Where a server listens.
#include "io/io_test.hpp"

#include "io/scripted_network.hpp"

namespace rondo {
namespace {

class ServerBinding : public test::io_test {};
RONDO_IN_EACH_WORLD(ServerBinding);

/// Of the kernel: the names of interfaces, and ports that are shared.
class ServerBindingInTheKernel : public test::io_test {};
RONDO_ON_EACH_BACKEND(ServerBindingInTheKernel);

coro<> greet(stream_reader, stream_writer writer) {
    co_await writer.write("hello");
    co_await writer.aclose();
}

coro<std::string> what_it_says(std::uint16_t port, std::string host = "127.0.0.1") {
    auto [reader, writer] = co_await open_connection(std::move(host), port);
    co_return (co_await reader.read_all()).str();
}

TEST_P(ServerBindingInTheKernel, OfEveryInterfaceHasOnePort) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "", 0);
        EXPECT_NE(s.port(), 0);
        for (const address& a : s.addresses()) EXPECT_EQ(a.port(), s.port()) << a.str();
        EXPECT_EQ(co_await what_it_says(s.port()), "hello");
    });
}

TEST_P(ServerBinding, APortInUseIsNamed) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        auto r = co_await as_result(start_server(greet, "127.0.0.1", s.port()));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(e && std::string(e->what()).find("127.0.0.1:" + std::to_string(s.port())) != std::string::npos);
    });
}

TEST_P(ServerBinding, CanBindItsPortAgainAtOnceAfterClose) {
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "127.0.0.1", 0);
        const std::uint16_t port = s.port();
        EXPECT_EQ(co_await what_it_says(port), "hello");
        s.close();
        auto again = co_await start_server(greet, "127.0.0.1", port);
        EXPECT_EQ(co_await what_it_says(port), "hello");
    });
}

TEST_P(ServerBindingInTheKernel, TwoMayShareAPortWhereBothWantThat) {
    run_io([]() -> coro<> {
        auto first = co_await start_server(greet, "127.0.0.1", 0, {.reuse_port = true});
        auto second = co_await start_server(greet, "127.0.0.1", first.port(), {.reuse_port = true});
        first.close();
        EXPECT_EQ(co_await what_it_says(second.port()), "hello");
    });
}

TEST_P(ServerBinding, RefusesALimitOfNothing) {
    run_io([]() -> coro<> {
        EXPECT_TRUE((co_await as_result(start_server(greet, "127.0.0.1", 0, {.limit = 0}))).holds<value_error>());
    });
}

class ServerOfAName : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<test::scripted_names>(kind, net);
    }
    test::network_script net;
};
RONDO_IN_EACH_WORLD(ServerOfAName);

TEST_P(ServerOfAName, ListensOnEachOfItsAddressesOnce) {
    net.names = {{"host.test", {address("127.0.0.1", 0), address("127.0.0.2", 0), address("127.0.0.1", 0)}}};
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "host.test", 0);
        const std::uint16_t port = s.port();
        EXPECT_EQ(s.addresses(), (std::vector{address("127.0.0.1", port), address("127.0.0.2", port)}));
        EXPECT_EQ(co_await what_it_says(port, "127.0.0.1"), "hello");
        EXPECT_EQ(co_await what_it_says(port, "127.0.0.2"), "hello");
    });
    ASSERT_EQ(net.questions.size(), 1u);
    EXPECT_TRUE(net.questions[0].passive);
}

TEST_P(ServerOfAName, LeavesOutAddressesThatThisMachineDoesNotHave) {
    net.names = {{"host.test", {address("203.0.113.1", 0), address("127.0.0.1", 0)}},
                 {"elsewhere.test", {address("203.0.113.1", 0), address("203.0.113.2", 0)}}};
    net.absent = {"203.0.113.1", "203.0.113.2"};
    run_io([]() -> coro<> {
        auto s = co_await start_server(greet, "host.test", 0);
        EXPECT_EQ(s.addresses(), std::vector{address("127.0.0.1", s.port())});
        auto none = co_await as_result(start_server(greet, "elsewhere.test", 0));
        const auto* e = detail::exception_cast<std::system_error>(none.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_not_available);
        EXPECT_TRUE(e && std::string(e->what()).find("203.0.113.1") != std::string::npos);
    });
}

TEST_P(ServerOfAName, WhenOneAddressCannotBeBoundNoneIs) {
    run_io([this]() -> coro<> {
        auto occupant = co_await start_server(greet, "127.0.0.2", 0);
        const std::uint16_t port = occupant.port();
        net.names = {{"host.test", {address("127.0.0.1", port), address("127.0.0.2", port)}}};
        const int open_before = net.open_sockets;
        auto r = co_await as_result(start_server(greet, "host.test", port));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(e && std::string(e->what()).find(address("127.0.0.2", port).str()) != std::string::npos);
        EXPECT_EQ(net.open_sockets, open_before);
    });
}

TEST_P(ServerOfAName, OneThatDoesNotExistSaysSo) {
    run_io([]() -> coro<> {
        auto r = co_await as_result(start_server(greet, "nowhere.test", 0));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find("cannot resolve 'nowhere.test'") == 0);
    });
}

} // namespace
} // namespace rondo
