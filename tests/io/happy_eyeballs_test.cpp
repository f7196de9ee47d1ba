// Connecting to one of several addresses (RFC 8305), in a network of which everything is known.
#include "io/io_test.hpp"

#include "io/connect_race.hpp"
#include "io/scripted_network.hpp"
#include "loop/backend/backend.hpp"

namespace rondo {
namespace {

using namespace std::chrono_literals;
using attempts = std::vector<test::network_script::attempt>;

class HappyEyeballs : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<test::scripted_network>(kind, net);
    }
    test::network_script net;
};
RONDO_IN_EACH_WORLD(HappyEyeballs);

const address a4("192.0.2.1", 80);
const address b4("192.0.2.2", 80);
const address c4("192.0.2.3", 80);
const address a6("2001:db8::1", 80);
const address b6("2001:db8::2", 80);

/// Which of the addresses was reached.
coro<address> winner_of(std::vector<address> addresses, connect_options options = {}) {
    detail::connect_race race(running_loop(), std::move(addresses), options);
    const detail::connected_socket won = co_await race;
    detail::loop_access::backend(running_loop()).os().close(won.fd);
    co_return won.peer;
}

TEST_P(HappyEyeballs, TheNextAddressIsTriedAfterAQuarterOfASecond) {
    net.outcomes = {{c4.str(), {10ms, 0}}};
    run_io([&]() -> coro<> { EXPECT_EQ(co_await winner_of({a4, b4, c4}), c4); });
    EXPECT_EQ(net.attempts, (attempts{{a4.str(), 0ms}, {b4.str(), 250ms}, {c4.str(), 500ms}}));
    EXPECT_EQ(net.open_sockets, 0); // the attempts that lost are closed
}

TEST_P(HappyEyeballs, OrAsSoonAsOneFails) {
    net.outcomes = {{a4.str(), {30ms, ECONNREFUSED}}, {c4.str(), {10ms, 0}}};
    run_io([&]() -> coro<> { EXPECT_EQ(co_await winner_of({a4, b4, c4}), c4); });
    EXPECT_EQ(net.attempts, (attempts{{a4.str(), 0ms}, {b4.str(), 30ms}, {c4.str(), 280ms}}));
}

TEST_P(HappyEyeballs, AnEarlierAttemptGoesOnAndMayWin) {
    net.outcomes = {{a4.str(), {300ms, 0}}};
    run_io([&]() -> coro<> { EXPECT_EQ(co_await winner_of({a4, b4}), a4); });
    EXPECT_EQ(net.attempts.size(), 2u);
    EXPECT_EQ(net.open_sockets, 0);
}

TEST_P(HappyEyeballs, WithoutADelayThereIsOneAttemptAtATime) {
    net.outcomes = {{a4.str(), {20s, ETIMEDOUT}}, {b4.str(), {1ms, 0}}};
    run_io([&]() -> coro<> { EXPECT_EQ(co_await winner_of({a4, b4}, {.happy_eyeballs_delay = no_timeout}), b4); });
    EXPECT_EQ(net.attempts, (attempts{{a4.str(), 0ms}, {b4.str(), 20s}}));
}

TEST_P(HappyEyeballs, TwoThatConnectAtTheSameMomentLeaveOneSocket) {
    net.outcomes = {{a4.str(), {300ms, 0}}, {b4.str(), {50ms, 0}}};
    run_io([&]() -> coro<> { EXPECT_EQ(co_await winner_of({a4, b4}), a4); });
    EXPECT_EQ(net.open_sockets, 0);
}

TEST_P(HappyEyeballs, TheFamiliesTakeTurns) {
    net.names = {{"host.test", {a6, b6, a4, b4, c4}}};
    run_io([&]() -> coro<> { static_cast<void>(co_await as_result(timeout(5s, open_connection("host.test", 80)))); });
    attempts expected;
    for (const address& a : {a6, a4, b6, b4, c4}) expected.push_back({a.str(), expected.size() * 250ms});
    EXPECT_EQ(net.attempts, expected);
}

TEST_P(HappyEyeballs, WithoutADelayTheResolversOrderStays) {
    net.names = {{"host.test", {a6, b6, a4}}};
    net.outcomes = {{a6.str(), {1s, ECONNREFUSED}}, {b6.str(), {1s, ECONNREFUSED}}, {a4.str(), {1s, ECONNREFUSED}}};
    run_io([&]() -> coro<> {
        const auto refused = co_await as_result(open_connection("host.test", 80, {.happy_eyeballs_delay = no_timeout}));
        EXPECT_FALSE(refused);
    });
    EXPECT_EQ(net.attempts, (attempts{{a6.str(), 0s}, {b6.str(), 1s}, {a4.str(), 2s}}));
}

TEST_P(HappyEyeballs, ANameIsAskedForAsItIsWantedAndADoubleAnswerCountsOnce) {
    net.names = {{"host.test", {a4, a4, b4, a4}}};
    run_io([&]() -> coro<> { static_cast<void>(co_await as_result(timeout(5s, open_connection("host.test", 80)))); });
    EXPECT_EQ(net.attempts, (attempts{{a4.str(), 0ms}, {b4.str(), 250ms}}));
    ASSERT_EQ(net.questions.size(), 1u);
    EXPECT_EQ(net.questions[0].host, "host.test");
    EXPECT_EQ(net.questions[0].service, "80");
    EXPECT_EQ(net.questions[0].type, SOCK_STREAM);
    EXPECT_FALSE(net.questions[0].passive);
}

TEST_P(HappyEyeballs, ANumericHostAsksNobody) {
    net.outcomes = {{a4.str(), {1ms, 0}}};
    run_io([&]() -> coro<> {
        const connection c = co_await open_connection("192.0.2.1", 80);
        EXPECT_EQ(c.writer.peer_address(), a4);
    });
    EXPECT_TRUE(net.questions.empty());
}

TEST_P(HappyEyeballs, OneAddressThatFailsGivesItsError) {
    net.outcomes = {{a4.str(), {1ms, EHOSTUNREACH}}};
    run_io([&]() -> coro<> {
        const auto r = co_await as_result(winner_of({a4}));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code().value() == EHOSTUNREACH);
        EXPECT_TRUE(e && std::string(e->what()).find("cannot connect to 192.0.2.1:80") == 0) << e->what();
    });
}

TEST_P(HappyEyeballs, SeveralThatFailDifferentlyAreListedWithTheirReasons) {
    net.outcomes = {{a4.str(), {1ms, ECONNREFUSED}}, {a6.str(), {1ms, ENETUNREACH}}};
    run_io([&]() -> coro<> {
        const auto r = co_await as_result(winner_of({a4, a6}));
        EXPECT_FALSE(r.holds<connection_refused_error>());
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        const std::string what = e ? e->what() : "";
        EXPECT_EQ(what.find("Multiple exceptions: cannot connect to 192.0.2.1:80: Connection refused, "
                            "cannot connect to [2001:db8::1]:80: Network is unreachable"),
                  0u)
            << what;
    });
    EXPECT_EQ(net.open_sockets, 0);
}

TEST_P(HappyEyeballs, SeveralThatFailAlikeGiveAnErrorOfTheirClass) {
    net.outcomes = {{a4.str(), {1ms, ECONNREFUSED}}, {b4.str(), {1ms, ECONNREFUSED}}};
    run_io(
        [&]() -> coro<> { EXPECT_TRUE((co_await as_result(winner_of({a4, b4}))).holds<connection_refused_error>()); });
}

TEST_P(HappyEyeballs, AllErrorsAreAGroupInTheOrderOfTheAddresses) {
    net.outcomes = {{a4.str(), {500ms, ECONNREFUSED}}, {b4.str(), {1ms, ETIMEDOUT}}};
    run_io([&]() -> coro<> {
        const auto r = co_await as_result(winner_of({a4, b4}, {.all_errors = true}));
        const auto* e = detail::exception_cast<exception_group>(r.error());
        EXPECT_TRUE(e && e->size() == 2u && e->contains<connection_refused_error>() && e->contains<timeout_error>());
        const auto one = co_await as_result(winner_of({b4}, {.all_errors = true}));
        EXPECT_TRUE(one.holds<exception_group>()); // asked for is asked for
    });
}

TEST_P(HappyEyeballs, AnAddressOfAnotherFamilyThanTheLocalOneIsNotTried) {
    net.outcomes = {{a4.str(), {1ms, 0}}};
    run_io([&]() -> coro<> {
        EXPECT_EQ(co_await winner_of({a6, a4}, {.local_address = address("127.0.0.1", 0)}), a4);
        const auto none = co_await as_result(winner_of({a6}, {.local_address = address("127.0.0.1", 0)}));
        const auto* e = detail::exception_cast<std::system_error>(none.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_not_available);
    });
    EXPECT_EQ(net.attempts, (attempts{{a4.str(), 0ms}}));
    EXPECT_EQ(net.open_sockets, 0);
}

TEST_P(HappyEyeballs, CancellingClosesEverySocketBeforeItReturns) {
    run_io([&]() -> coro<> {
        auto t = create_task(winner_of({a4, b4, c4}));
        co_await sleep(300ms);
        EXPECT_EQ(net.open_sockets, 2);
        EXPECT_NE(t.record().blocked_on->describe().find("connecting to 192.0.2.1:80, 192.0.2.2:80"),
                  std::string::npos);
        t.cancel();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        EXPECT_EQ(net.open_sockets, 0);
    });
    EXPECT_EQ(net.attempts.size(), 2u);
}

TEST_P(HappyEyeballs, ACancellationThatComesWithTheConnectionClosesIt) {
    net.outcomes = {{a4.str(), {10ms, 0}}};
    run_io([&]() -> coro<> {
        for (int passes = 0; passes < 6; ++passes) {
            auto t = create_task(winner_of({a4}));
            co_await sleep(10ms);
            co_await test::pass_by(passes);
            t.cancel();
            static_cast<void>(co_await as_result(std::move(t)));
            EXPECT_EQ(net.open_sockets, 0) << passes;
        }
    });
}

TEST_P(HappyEyeballs, ATimeoutEndsItLikeACancellation) {
    run_io([&]() -> coro<> {
        EXPECT_TRUE((co_await as_result(timeout(100ms, winner_of({a4, b4})))).holds<timeout_error>());
        EXPECT_EQ(net.open_sockets, 0);
    });
    EXPECT_EQ(net.attempts.size(), 1u);
}

} // namespace
} // namespace rondo
