#include "base/errors.hpp"
#include "broker/embedded_broker.hpp"
#include "mocks.hpp"
#include "pipeline/consumer.hpp"
#include "pipeline/publisher.hpp"
#include "report/screen.hpp"
#include "store/sqlite_store.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace std::chrono_literals;
using testing::_;
using testing::NiceMock;

namespace mayhem {
namespace {

using test::in_loop;

/// The hosts that were asked for and the ids, of the first `count` requests.
std::pair<std::vector<std::string>, std::set<std::string>> published(std::uint64_t seed, std::size_t count) {
    std::vector<std::string> hosts;
    std::set<std::string> ids;
    in_loop([&]() -> rondo::coro<> {
        NiceMock<test::mock_broker> broker;
        EXPECT_CALL(broker, publish).WillRepeatedly(test::does([&](std::vector<std::string> payloads) -> rondo::coro<> {
            for (const std::string& p : payloads) {
                const request r = decode_request(p);
                hosts.push_back(r.host);
                ids.insert(r.id);
            }
            co_return;
        }));
        publisher p(broker, {"a", "b", "c", "d", "e"}, 2000, seed, unique_ids());
        auto running = rondo::create_task(p.run());
        co_await test::until([&] { return hosts.size() >= count; });
        running.cancel();
        co_await rondo::wait({running});
    });
    EXPECT_EQ(ids.size(), hosts.size());
    hosts.resize(count);
    return {hosts, ids};
}

} // namespace

TEST(Publisher, ChoosesTheSameHostsForTheSameSeedAndNeverTheSameIds) {
    const auto [hosts, ids] = published(7, 50);
    const auto [hosts_again, other_ids] = published(7, 50);
    const auto [other_hosts, more_ids] = published(8, 50);
    EXPECT_EQ(hosts, hosts_again);
    EXPECT_NE(hosts, other_hosts);
    for (const std::string& id : ids) EXPECT_FALSE(other_ids.contains(id));
}

TEST(Publisher, AtRateZeroPublishesNothing) {
    in_loop([&]() -> rondo::coro<> {
        NiceMock<test::mock_broker> broker;
        EXPECT_CALL(broker, publish).Times(0);
        publisher p(broker, {"a"}, 0, 1, unique_ids());
        co_await p.run();
    });
}

TEST(Publisher, WaitsForABrokerThatIsFarBehind) {
    in_loop([&]() -> rondo::coro<> {
        NiceMock<test::mock_broker> broker;
        rondo::event go;
        std::size_t calls = 0;
        EXPECT_CALL(broker, publish).WillRepeatedly(test::does([&](std::vector<std::string>) -> rondo::coro<> {
            ++calls;
            co_await go.wait();
        }));
        publisher p(broker, {"a"}, 5'000, 1, unique_ids());
        auto running = rondo::create_task(p.run());
        co_await test::until([&] { return calls == 64; });
        for (int i = 0; i < 20; ++i) co_await rondo::sleep(2ms);
        EXPECT_EQ(calls, 64u);
        go.set();
        co_await test::until([&] { return calls > 64; });
        running.cancel();
        co_await rondo::wait({running});
    });
}

TEST(Publisher, FailsWhenTheBrokerDoes) {
    in_loop([&]() -> rondo::coro<> {
        NiceMock<test::mock_broker> broker;
        EXPECT_CALL(broker, publish).WillRepeatedly([](std::vector<std::string>) -> rondo::coro<> {
            co_await rondo::yield();
            throw std::runtime_error("broken");
        });
        publisher p(broker, {"a"}, 1000, 1, unique_ids());
        EXPECT_FALSE((co_await rondo::as_result(p.run())).has_value());
    });
}

class Pipeline : public testing::Test {
protected:
    struct parts {
        explicit parts(const test::temporary_directory& place) : broker(place / "requests.journal", {}, {}) {}
        embedded_broker broker;
        sqlite_store store;
        NiceMock<test::mock_driver> driver;
        in_flight table;
        tally counted;
        screen out{{.summary_fd = -1, .log_fd = -1}};
        mayhem::log log{out};
        handler h{
            {.broker = broker, .store = store, .driver = driver, .in_flight = table, .tally = counted, .log = log}, {}};
    };
    /// Runs body(parts) beside a consumer, then closes.
    template <class F> void with_consumer(std::size_t in_flight_limit, F body) {
        in_loop([&]() -> rondo::coro<> {
            parts p(place);
            co_await p.store.open(place / "restarts.db");
            consumer c(p.broker, p.h, p.table, in_flight_limit);
            co_await rondo::task_group::run([&](rondo::task_group& handlers) -> rondo::coro<> {
                auto pulling = rondo::create_task(c.run(handlers));
                co_await body(p);
                pulling.cancel();
                co_await rondo::wait({pulling});
            });
            EXPECT_EQ(p.broker.statistics().pending, 0u);
            co_await p.broker.close();
            co_await p.store.close();
        });
    }
    std::int64_t in_database(const char* sql) const {
        return sqlite_database(place / "restarts.db", sqlite_database::mode::look).integer(sql);
    }
    static std::string request_with(std::string id) {
        return encode({.id = std::move(id), .host = "a", .requested_at = wall_time(1s)});
    }

    const test::temporary_directory place;
};

TEST_F(Pipeline, HasNoMoreInFlightThanTheLimitAndGoesOnWhenOneIsDone) {
    with_consumer(10, [](parts& p) -> rondo::coro<> {
        rondo::semaphore may_end(0);
        std::size_t begun = 0;
        EXPECT_CALL(p.driver, restart).WillRepeatedly(test::does([&](std::string) -> rondo::coro<restart_report> {
            ++begun;
            co_await may_end.acquire();
            co_return restart_report{};
        }));
        std::vector<std::string> payloads;
        for (int i = 0; i < 100; ++i) payloads.push_back(request_with(std::to_string(i)));
        co_await p.broker.publish(payloads);

        co_await test::until([&] { return begun == 10; });
        for (int i = 0; i < 20; ++i) co_await rondo::yield();
        EXPECT_EQ(p.broker.statistics().out, 10u);
        may_end.release();
        co_await test::until([&] { return begun == 11; });
        for (int i = 0; i < 100; ++i) may_end.release();
        co_await test::until([&] { return p.counted.restarted == 100; });
        EXPECT_EQ(p.table.most(), 10u);
    });
    EXPECT_EQ(in_database("SELECT count(*) FROM restarts WHERE state = 'restarted'"), 100);
}

TEST_F(Pipeline, OneRequestInSeveralMessagesRestartsItsHostOnce) {
    with_consumer(10, [](parts& p) -> rondo::coro<> {
        rondo::event may_end;
        EXPECT_CALL(p.driver, restart).WillOnce(test::does([&](std::string) -> rondo::coro<restart_report> {
            co_await may_end.wait();
            co_return restart_report{.before = "100", .after = "200"};
        }));
        // One while the first is in hand, one when that is finished and settled.
        co_await p.broker.publish({request_with("same"), request_with("same")});
        co_await test::until([&] { return p.broker.statistics().out == 1; });
        may_end.set();
        co_await test::until([&] { return p.counted.restarted >= 1; });
        co_await p.broker.publish({request_with("same")});
        co_await test::until([&] { return p.counted.restarted == 3; });
        EXPECT_EQ(p.counted.already_recorded, 2u);
        EXPECT_EQ(p.broker.statistics().acknowledged, 3u);
    });
    EXPECT_EQ(in_database("SELECT count(*) FROM restarts"), 1);
    EXPECT_EQ(in_database("SELECT sequence FROM restarts"), 1);
}

TEST(SqliteStore, WritesGroupsAndLetsGoOfTheFile) {
    const test::temporary_directory place;
    in_loop([&]() -> rondo::coro<> {
        sqlite_store store;
        co_await store.open(place / "restarts.db");
        std::vector<rondo::coro<write_answer>> writes;
        for (unsigned i = 0; i < 50; ++i) {
            writes.push_back(store.write(
                {.what = {.id = std::to_string(i), .host = "a"}, .by = {i + 1, 1}, .state = restart_state::restarted}));
        }
        for (const write_answer& a : co_await rondo::gather(std::move(writes)))
            EXPECT_EQ(a.what, write_answer::kind::granted);
        co_await store.close();
    });
    EXPECT_NO_THROW(check_restart_table(place / "restarts.db"));
    EXPECT_FALSE(std::filesystem::exists(place / "restarts.db-wal")) << "the connection is closed";
}

TEST(SqliteStore, SaysSoWhenItCannotBeOpened) {
    in_loop([&]() -> rondo::coro<> {
        sqlite_store store;
        EXPECT_TRUE((co_await rondo::as_result(store.open("/nonexistent/restarts.db"))).holds<sqlite_error>());
        co_await store.close();
    });
}

} // namespace mayhem
