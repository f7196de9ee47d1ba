#include "hosts/local_fleet.hpp"

#include "base/errors.hpp"
#include "hosts/health_probe.hpp"
#include "hosts/simulated_fleet.hpp"
#include "mocks.hpp"
#include "program.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mayhem {
namespace {

using test::in_loop;

} // namespace

TEST(LocalFleet, ARestartIsANewProcessThatIsHealthy) {
    in_loop([]() -> rondo::coro<> {
        local_fleet fleet(test::program::path, {"web-01", "web-02"});
        co_await fleet.start();
        const auto before = fleet.hosts();
        const restart_report report = co_await fleet.restart("web-01");
        const auto after = fleet.hosts();
        EXPECT_EQ(report.before, before.at(0).instance);
        EXPECT_EQ(report.after, after.at(0).instance);
        EXPECT_NE(report.before, report.after);
        EXPECT_FALSE(test::is_alive(std::stoi(report.before)));
        EXPECT_TRUE(test::is_alive(std::stoi(report.after)));
        EXPECT_EQ(after.at(0).restarts, 1u);
        EXPECT_EQ(after.at(1).instance, before.at(1).instance);
        co_await fleet.close();
        EXPECT_FALSE(test::is_alive(std::stoi(report.after)));
        EXPECT_EQ(fleet.hosts().at(0).instance, "");
    });
}

TEST(LocalFleet, RestartsOfOneHostTakeTurns) {
    in_loop([]() -> rondo::coro<> {
        local_fleet fleet(test::program::path, {"web-01"});
        co_await fleet.start();
        const auto [a, b, c] =
            co_await rondo::gather(fleet.restart("web-01"), fleet.restart("web-01"), fleet.restart("web-01"));
        EXPECT_EQ(a.after, b.before);
        EXPECT_EQ(b.after, c.before);
        EXPECT_EQ(fleet.hosts().at(0).instance, c.after);
        co_await fleet.close();
    });
}

TEST(LocalFleet, ACancelledRestartThatWaitsForItsTurnTouchesNothing) {
    in_loop([]() -> rondo::coro<> {
        local_fleet fleet(test::program::path, {"web-01"});
        co_await fleet.start();
        auto first = rondo::create_task(fleet.restart("web-01"));
        auto second = rondo::create_task(fleet.restart("web-01"));
        co_await rondo::yield();
        second.cancel();
        EXPECT_TRUE((co_await rondo::as_result(std::as_const(second))).cancelled());
        co_await first;
        EXPECT_EQ(fleet.hosts().at(0).restarts, 1u);
        co_await fleet.close();
    });
}

TEST(LocalFleet, ACancelledRestartThatHasKilledTheHostBringsItBack) {
    in_loop([]() -> rondo::coro<> {
        local_fleet fleet(test::program::path, {"web-01"});
        co_await fleet.start();
        const std::string before = fleet.hosts().at(0).instance;
        restart_report report;
        auto restart = rondo::create_task([&]() -> rondo::coro<> { report = co_await fleet.restart("web-01"); });
        // Between the end of the old process and the start of the new one lies at least one pass.
        while (!fleet.hosts().at(0).instance.empty()) co_await rondo::yield();
        EXPECT_FALSE(test::is_alive(std::stoi(before)));
        restart.cancel();
        EXPECT_TRUE((co_await rondo::as_result(restart)).cancelled()); // after it had its report
        EXPECT_EQ(report.before, before);
        EXPECT_EQ(fleet.hosts().at(0).instance, report.after);
        EXPECT_TRUE(test::is_alive(std::stoi(report.after)));
        EXPECT_EQ(fleet.hosts().at(0).restarts, 1u);
        co_await fleet.close();
    });
}

TEST(LocalFleet, CancelledAtAnyMomentARestartLeavesAHostThatRuns) {
    in_loop([]() -> rondo::coro<> {
        local_fleet fleet(test::program::path, {"web-01"});
        co_await fleet.start();
        for (int passes = 0; passes < 12; ++passes) {
            const host_status before = fleet.hosts().at(0);
            bool restarted = false;
            auto restart = rondo::create_task([&]() -> rondo::coro<> {
                co_await fleet.restart("web-01");
                restarted = true;
            });
            for (int i = 0; i < passes; ++i) co_await rondo::yield();
            restart.cancel();
            (void)co_await rondo::as_result(restart);
            const host_status after = fleet.hosts().at(0);
            EXPECT_TRUE(test::is_alive(std::stoi(after.instance))) << passes;
            EXPECT_EQ(after.restarts, before.restarts + (restarted ? 1 : 0)) << passes;
            EXPECT_EQ(after.instance == before.instance, !restarted) << passes;
        }
        co_await fleet.close();
    });
}

TEST(LocalFleet, AProgramThatIsNoHostDoesNotComeUp) {
    in_loop([]() -> rondo::coro<> {
        for (const char* program : {"/bin/false", "/nonexistent"}) {
            local_fleet fleet(program, {"web-01"});
            const auto started = co_await rondo::as_result(fleet.start());
            EXPECT_TRUE(started.holds<rondo::exception_group>()) << program;
            co_await fleet.close();
        }
    });
}

TEST(LocalFleet, KnowsItsHosts) {
    in_loop([]() -> rondo::coro<> {
        local_fleet fleet(test::program::path, {});
        EXPECT_TRUE((co_await rondo::as_result(fleet.restart("web-99"))).holds<restart_impossible>());
        simulated_fleet simulated({"web-01"}, {}, 1);
        EXPECT_TRUE((co_await rondo::as_result(simulated.restart("web-99"))).holds<restart_impossible>());
    });
}

TEST(HealthProbe, BelievesOnlyAHealthyAnswer) {
    in_loop([]() -> rondo::coro<> {
        std::string answer;
        rondo::server server = co_await rondo::start_server(
            [&](rondo::stream_reader reader, rondo::stream_writer writer) -> rondo::coro<> {
                co_await reader.read_until("\r\n\r\n");
                co_await writer.write(answer);
                co_await writer.aclose();
            },
            "127.0.0.1", 0);
        for (const char* wrong : {"", "rubbish", "HTTP/1.0 503 Busy\r\n\r\n{\"status\":\"healthy\"}",
                                  "HTTP/1.0 200 OK\r\n\r\nnot json", "HTTP/1.0 200 OK\r\n\r\n{\"status\":\"ill\"}"}) {
            answer = wrong;
            EXPECT_TRUE((co_await rondo::as_result(probe_health(server.port()))).holds<restart_failed>()) << wrong;
        }
        answer = "HTTP/1.0 200 OK\r\n\r\n{\"status\":\"healthy\",\"host\":\"web-01\",\"pid\":7}";
        const health h = co_await probe_health(server.port());
        EXPECT_EQ(h.host, "web-01");
        EXPECT_EQ(h.pid, 7);
        server.close();
    });
}

} // namespace mayhem
