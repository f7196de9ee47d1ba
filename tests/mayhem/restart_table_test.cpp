#include "store/restart_table.hpp"

#include "base/errors.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

using testing::HasSubstr;

namespace mayhem {
namespace {

using kind = write_answer::kind;

wall_time at(int ms) { return wall_time(std::chrono::milliseconds(1'700'000'000'000 + ms)); }

restart_record row(const char* id, delivery_tag by, restart_state state) {
    return {.what = {.id = id, .host = "web-01", .requested_at = at(0)},
            .by = by,
            .state = state,
            .started_at = at(5),
            .finished_at = state == restart_state::started ? wall_time() : at(40),
            .instance_before = "100",
            .instance_after = "200",
            .detail = ""};
}

std::string contents(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

std::string complaint(const std::filesystem::path& path) {
    try {
        check_restart_table(path);
    } catch (const bad_input& e) {
        return e.what();
    }
    return "no complaint";
}

class RestartTable : public testing::Test {
protected:
    write_answer write(restart_table& table, restart_record r) {
        std::vector<restart_write> writes{{.row = std::move(r)}};
        table.write(writes);
        return writes.front().answer;
    }

    write_answer claim(restart_table& table, const char* id, delivery_tag by) {
        std::vector<restart_write> claims{{.row = row(id, by, restart_state::started), .only_claim = true}};
        table.write(claims);
        return claims.front().answer;
    }

    test::temporary_directory place;
    std::filesystem::path path = place / "restarts.db";
};

} // namespace

TEST_F(RestartTable, ARequestIsRecordedOnceHoweverOftenItIsWritten) {
    restart_table table(path);
    EXPECT_EQ(write(table, row("a", {1, 1}, restart_state::started)).what, kind::granted);
    EXPECT_EQ(write(table, row("a", {1, 1}, restart_state::started)).what, kind::granted);
    EXPECT_EQ(write(table, row("a", {1, 1}, restart_state::restarted)).what, kind::granted);
    EXPECT_EQ(write(table, row("a", {1, 1}, restart_state::restarted)).what, kind::granted);
    sqlite_database db(path, sqlite_database::mode::look);
    EXPECT_EQ(db.integer("SELECT count(*) FROM restarts"), 1);
    EXPECT_EQ(db.text("SELECT state FROM restarts"), "restarted");
}

TEST_F(RestartTable, AFinishedRequestTellsALaterDeliveryHowItEnded) {
    restart_table table(path);
    write(table, row("a", {1, 1}, restart_state::restarted));
    const write_answer answer = write(table, row("a", {1, 2}, restart_state::started));
    EXPECT_EQ(answer.what, kind::finished);
    EXPECT_EQ(answer.row, row("a", {1, 1}, restart_state::restarted));
}

TEST_F(RestartTable, AnEarlierDeliveryIsFencedOffByALaterOne) {
    restart_table table(path);
    EXPECT_EQ(write(table, row("a", {1, 2}, restart_state::started)).what, kind::granted);
    EXPECT_EQ(write(table, row("a", {1, 1}, restart_state::restarted)).what, kind::fenced);
    EXPECT_EQ(write(table, row("a", {1, 2}, restart_state::restarted)).what, kind::granted);
    EXPECT_EQ(write(table, row("b", {7, 1}, restart_state::started)).what, kind::granted);
    EXPECT_EQ(write(table, row("b", {6, 9}, restart_state::restarted)).what, kind::fenced);
}

TEST_F(RestartTable, AClaimIsGrantedUntilTheRequestIsFinishedAndLeavesNoTrace) {
    restart_table table(path);
    EXPECT_EQ(claim(table, "a", {1, 1}).what, kind::granted);
    EXPECT_EQ(claim(table, "a", {2, 1}).what, kind::granted);
    EXPECT_EQ(sqlite_database(path, sqlite_database::mode::look).integer("SELECT count(*) FROM restarts"), 0);
    write(table, row("a", {2, 1}, restart_state::started));
    EXPECT_EQ(claim(table, "a", {2, 1}).what, kind::granted);
    EXPECT_EQ(claim(table, "a", {3, 1}).what, kind::granted) << "whoever was at work is not any more";
    EXPECT_EQ(claim(table, "a", {1, 5}).what, kind::fenced);
    write(table, row("a", {2, 1}, restart_state::restarted));
    const write_answer answer = claim(table, "a", {3, 1});
    EXPECT_EQ(answer.what, kind::finished);
    EXPECT_EQ(answer.row, row("a", {2, 1}, restart_state::restarted));
}

TEST_F(RestartTable, KeepsItsRowsWhenOpenedAgain) {
    write(*std::make_unique<restart_table>(path), row("a", {1, 1}, restart_state::failed));
    EXPECT_EQ(complaint(path), "no complaint");
    restart_table again(path);
    EXPECT_EQ(write(again, row("a", {1, 2}, restart_state::started)).what, kind::finished);
}

TEST_F(RestartTable, NoFileAndAnEmptyFileAreFine) {
    EXPECT_EQ(complaint(path), "no complaint");
    EXPECT_FALSE(std::filesystem::exists(path));
    std::ofstream(path) << "";
    EXPECT_EQ(complaint(path), "no complaint");
    restart_table table(path);
}

TEST_F(RestartTable, OfSomethingElseIsRefusedAndLeftAlone) {
    std::ofstream(path) << "these are my holiday notes, and not a database";
    const std::string before = contents(path);
    EXPECT_THAT(complaint(path), HasSubstr(path.string()));
    EXPECT_EQ(contents(path), before);

    std::filesystem::remove(path);
    sqlite_database(path, sqlite_database::mode::write).execute("CREATE TABLE songs (title TEXT)");
    EXPECT_THAT(complaint(path), HasSubstr("another program"));

    std::filesystem::remove(path);
    { restart_table table(path); }
    sqlite_database(path, sqlite_database::mode::write).execute("PRAGMA user_version = 99");
    EXPECT_THAT(complaint(path), HasSubstr("another version"));
}

TEST_F(RestartTable, DamageIsFoundAndNamedBeforeAnythingIsWritten) {
    {
        restart_table table(path);
        std::vector<restart_write> writes;
        for (unsigned n = 0; n < 2000; ++n) {
            writes.push_back(
                {.row = row(("request-" + std::to_string(n)).c_str(), {n + 1, 1}, restart_state::restarted)});
        }
        table.write(writes);
    }
    std::string bytes = contents(path);
    ASSERT_GT(bytes.size(), 5u * 4096);
    for (std::size_t i = 3 * 4096; i < 3 * 4096 + 64; ++i) bytes[i] = 'x';
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_THAT(complaint(path), HasSubstr(path.string()));
    EXPECT_EQ(contents(path), bytes);
}

} // namespace mayhem
