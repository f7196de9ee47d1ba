#include "report/books.hpp"
#include "report/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;

namespace mayhem {
namespace {

books some_books() {
    books b;
    b.broker = {
        .recovered = 10, .published = 100, .acknowledged = 97, .dead_lettered = 3, .redelivered = 12, .pending = 10};
    b.counted.restarted = 95;
    b.counted.failed = 2;
    b.sums = make_balance(b.broker, b.counted);
    b.loop_lag.record(1ms);
    b.ran_for = 20s;
    b.ended_by = "SIGTERM";
    b.driver = "local";
    b.fleet_size = 2;
    b.hosts = {{.name = "web-01", .instance = "200", .first_instance = "100", .restarts = 48},
               {.name = "web-02", .instance = "101", .first_instance = "101", .restarts = 0}};
    b.dead_letters = {{.sequence = 7,
                       .payload = R"({"id":"a"})",
                       .deliveries = 5,
                       .dead = true,
                       .history = {{.delivery = 5, .at = wall_time(1s), .reason = "no"}}},
                      {.sequence = 8, .payload = "\xff\xfe not text", .deliveries = 1, .dead = true}};
    return b;
}

} // namespace

TEST(Books, BalanceWhenEveryRequestHasOneFate) {
    const books b = some_books();
    EXPECT_EQ(b.sums.requested, 110u);
    EXPECT_EQ(b.sums.returned, 10u);
    EXPECT_TRUE(b.sums.holds());
}

TEST(Books, DoNotBalanceWhenOneIsMissing) {
    books b = some_books();
    --b.counted.restarted;
    EXPECT_FALSE(make_balance(b.broker, b.counted).holds());
}

TEST(Books, JsonHasTheAgreedKeys) {
    const auto j = to_json(some_books());
    EXPECT_EQ(j.at("requested"), 110);
    EXPECT_EQ(j.at("restarted"), 95);
    EXPECT_EQ(j.at("failed"), 2);
    EXPECT_EQ(j.at("dead_lettered"), 3);
    EXPECT_EQ(j.at("returned"), 10);
    EXPECT_EQ(j.at("loop_lag_p99_ms"), 1.0);
    EXPECT_EQ(j.at("pids_changed"), 1);
    EXPECT_EQ(j.at("hosts").size(), 2u);
    EXPECT_EQ(j.at("dead_letters").at(0).at("request").at("id"), "a");
    EXPECT_EQ(j.at("dead_letters").at(0).at("history").at(0).at("reason"), "no");
    EXPECT_NO_THROW((void)j.dump()) << "a payload that is no text";
}

TEST(Summary, AccountsForEveryRequest) {
    const std::vector<std::string> lines = final_account(some_books());
    EXPECT_THAT(lines, Contains(HasSubstr("ended by SIGTERM")));
    EXPECT_THAT(lines, Contains(HasSubstr("the books balance")));
    EXPECT_THAT(lines, Contains(HasSubstr("web-01     pid 100 -> 200, restarted 48 times")));
}

TEST(Summary, SaysSoWhenTheBooksDoNotBalance) {
    books b = some_books();
    ++b.sums.requested;
    EXPECT_THAT(final_account(b), Contains(HasSubstr("DO NOT BALANCE")));
}

TEST(Summary, ABlockShowsAHandfulOfHostsHoweverManyThereAre) {
    books b = some_books();
    b.hosts.assign(500, {.name = "web-001", .instance = "1", .first_instance = "1", .restarts = 1});
    EXPECT_LT(live_block(b, {}).size(), 30u);
    EXPECT_THAT(live_block(b, {}), Contains(HasSubstr("and 484 more")));
    EXPECT_LT(final_account(b).size(), 40u);
}

TEST(Summary, APlainLineIsOneLine) {
    const std::string line =
        plain_line(some_books(), {.in_flight = 3, .phase = "shutdown 2/7: let 3 in flight finish"});
    EXPECT_THAT(line, HasSubstr("110 requested"));
    EXPECT_THAT(line, HasSubstr("shutdown 2/7"));
    EXPECT_THAT(line, testing::Not(HasSubstr("\n")));
}

} // namespace mayhem
