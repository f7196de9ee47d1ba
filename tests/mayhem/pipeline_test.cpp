#include "base/errors.hpp"
#include "broker/embedded_broker.hpp"
#include "mocks.hpp"
#include "pipeline/consumer.hpp"
#include "pipeline/publisher.hpp"
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

TEST(Consumer, HasNoMoreInFlightThanTheLimitAndGoesOnWhenOneIsDone) {
    const test::temporary_directory place;
    in_loop([&]() -> rondo::coro<> {
        embedded_broker broker(place / "requests.journal", {}, {});
        sqlite_store store;
        co_await store.open(place / "restarts.db");
        NiceMock<test::mock_driver> driver;
        rondo::semaphore may_end(0);
        std::size_t begun = 0;
        EXPECT_CALL(driver, restart).WillRepeatedly(test::does([&](std::string) -> rondo::coro<restart_report> {
            ++begun;
            co_await may_end.acquire();
            co_return restart_report{};
        }));
        in_flight table;
        tally counted;
        screen out({.summary_fd = -1, .log_fd = -1});
        mayhem::log log(out);
        handler h(
            {.broker = broker, .store = store, .driver = driver, .in_flight = table, .tally = counted, .log = log}, {});
        consumer c(broker, h, table, 10);

        std::vector<std::string> payloads;
        for (int i = 0; i < 100; ++i)
            payloads.push_back(encode({.id = std::to_string(i), .host = "a", .requested_at = wall_time(1s)}));
        co_await broker.publish(payloads);

        co_await rondo::task_group::run([&](rondo::task_group& handlers) -> rondo::coro<> {
            auto pulling = rondo::create_task(c.run(handlers));
            co_await test::until([&] { return begun == 10; });
            for (int i = 0; i < 20; ++i) co_await rondo::yield();
            EXPECT_EQ(broker.statistics().out, 10u);
            may_end.release();
            co_await test::until([&] { return begun == 11; });
            for (int i = 0; i < 100; ++i) may_end.release();
            co_await test::until([&] { return counted.restarted == 100; });
            pulling.cancel();
            co_await rondo::wait({pulling});
        });
        EXPECT_EQ(table.most(), 10u);
        EXPECT_EQ(broker.statistics().pending, 0u);
        co_await broker.close();
        co_await store.close();
    });
    sqlite_database db(place / "restarts.db", sqlite_database::mode::look);
    EXPECT_EQ(db.integer("SELECT count(*) FROM restarts WHERE state = 'restarted'"), 100);
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
            EXPECT_EQ(a.what, write_answer::kind::written);
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
