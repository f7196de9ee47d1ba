#include "broker/journal.hpp"

#include "base/errors.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

using testing::HasSubstr;

namespace mayhem {
namespace {

namespace jr = journal_record;

const wall_time some_time{std::chrono::milliseconds(1'700'000'000'123)};

std::string bytes_of(const std::vector<record>& records) {
    std::string bytes;
    for (const record& r : records) append_record(bytes, r);
    return bytes;
}

std::string contents(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void overwrite(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string complaint(const std::filesystem::path& path) {
    try {
        read_journal(path);
    } catch (const bad_input& e) {
        return e.what();
    }
    return "no complaint";
}

// Three messages: one settled, one failed once and out again, one never delivered.
std::vector<record> some_records() {
    return {jr::published{1, some_time, "one"},
            jr::published{2, some_time, "two"},
            jr::delivered{1, 1},
            jr::delivered{2, 1},
            jr::acknowledged{1},
            jr::failed{2, {1, some_time, "host did not come back"}},
            jr::delivered{2, 2},
            jr::published{3, some_time, std::string("\0binary\n", 8)}};
}

class JournalFile : public testing::Test {
protected:
    void write(const std::vector<record>& records) { journal(path, read_journal(path)).append(bytes_of(records)); }

    test::temporary_directory place;
    std::filesystem::path path = place / "requests.journal";
};

} // namespace

TEST_F(JournalFile, ThatDoesNotExistIsEmptyAndIsNotCreatedByReading) {
    const journal_image image = read_journal(path);
    EXPECT_TRUE(image.messages.messages().empty());
    EXPECT_EQ(image.messages.next_sequence(), 1u);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(JournalFile, GivesBackWhatWasAppended) {
    write(some_records());
    const ledger messages = read_journal(path).messages;
    EXPECT_EQ(messages.find(1), nullptr);
    ASSERT_NE(messages.find(2), nullptr);
    EXPECT_TRUE(messages.find(2)->out);
    EXPECT_EQ(messages.find(2)->deliveries, 2u);
    ASSERT_EQ(messages.find(2)->history.size(), 1u);
    EXPECT_EQ(messages.find(2)->history[0].reason, "host did not come back");
    ASSERT_NE(messages.find(3), nullptr);
    EXPECT_EQ(messages.find(3)->payload, std::string("\0binary\n", 8));
    EXPECT_EQ(messages.next_sequence(), 4u);
    EXPECT_EQ(messages.pending(), 2u);
}

TEST_F(JournalFile, TornAtAnyByteKeepsEveryWholeRecordAndIsMended) {
    write(some_records());
    const std::string whole = contents(path);
    std::string last;
    append_record(last, some_records().back());
    for (std::size_t cut = 1; cut < last.size(); ++cut) {
        overwrite(path, whole.substr(0, whole.size() - cut));
        const journal_image image = read_journal(path);
        EXPECT_EQ(image.torn, last.size() - cut);
        EXPECT_EQ(image.messages.find(3), nullptr);
        EXPECT_EQ(image.messages.pending(), 1u);
        EXPECT_EQ(contents(path).size(), whole.size() - cut) << "reading changed the file";

        journal(path, image).append(last);
        EXPECT_EQ(contents(path), whole);
    }
}

TEST_F(JournalFile, EndingInZerosIsTorn) {
    write(some_records());
    const std::string whole = contents(path);
    overwrite(path, whole + std::string(4096, '\0'));
    EXPECT_EQ(read_journal(path).torn, 4096u);
    EXPECT_EQ(read_journal(path).messages.pending(), 2u);
}

TEST_F(JournalFile, EveryChangedByteOfARecordIsFoundAndItsOffsetNamed) {
    write(some_records());
    const std::string whole = contents(path);
    const std::size_t start = whole.size() - bytes_of(some_records()).size();
    std::size_t offset = start;
    for (const record& r : some_records()) {
        const std::size_t size = bytes_of({r}).size();
        for (std::size_t i = offset; i < offset + size; ++i) {
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ 0x10);
            overwrite(path, changed);
            const std::string said = complaint(path);
            EXPECT_THAT(said, HasSubstr(path.string() + " is damaged at offset " + std::to_string(offset) + ":"));
            EXPECT_EQ(contents(path), changed);
        }
        offset += size;
    }
}

TEST_F(JournalFile, OfSomethingElseIsRefused) {
    overwrite(path, "SQLite format 3 and so on and so forth");
    EXPECT_THAT(complaint(path), HasSubstr("is not a mayhem journal"));
    overwrite(path, "MAYHEM-JOURNAL-9 what the future brings");
    EXPECT_THAT(complaint(path), HasSubstr("another version"));
    overwrite(path, "x");
    EXPECT_THAT(complaint(path), HasSubstr("is not a mayhem journal"));
}

TEST_F(JournalFile, TornInItsFirstLineStartsAnew) {
    overwrite(path, "MAYHEM-J");
    write({jr::published{1, some_time, "one"}});
    EXPECT_EQ(read_journal(path).messages.pending(), 1u);
}

TEST_F(JournalFile, WithRecordsThatCannotFollowEachOtherIsDamaged) {
    const std::vector<std::vector<record>> impossible = {
        {jr::acknowledged{1}},
        {jr::delivered{1, 1}},
        {jr::published{1, some_time, ""}, jr::published{1, some_time, ""}},
        {jr::published{1, some_time, ""}, jr::delivered{1, 2}},
        {jr::published{1, some_time, ""}, jr::delivered{1, 1}, jr::delivered{1, 2}},
        {jr::published{1, some_time, ""}, jr::buried{1}, jr::acknowledged{1}},
    };
    for (const auto& records : impossible) {
        overwrite(path, "");
        write(records);
        EXPECT_THAT(complaint(path), HasSubstr("is damaged at offset"));
    }
}

TEST_F(JournalFile, CompactionKeepsExactlyWhatIsNotSettled) {
    journal j(path, read_journal(path), {.compact_above = 4096});
    ledger expected;
    std::uint64_t largest = 0;
    for (std::uint64_t n = 1; n <= 500; ++n) {
        std::vector<record> records = {jr::published{n, some_time, "payload"}, jr::delivered{n, 1}};
        if (n % 100 == 0) records.push_back(jr::failed{n, {1, some_time, "no"}});
        if (n % 200 == 0) records.push_back(jr::buried{n});
        if (n % 100 != 0) records.push_back(jr::acknowledged{n});
        for (const record& r : records) expected.apply(r);
        j.append(bytes_of(records));
        largest = std::max(largest, j.size());
    }
    EXPECT_LT(largest, 8192u);
    const ledger found = read_journal(path).messages;
    EXPECT_EQ(found.messages(), expected.messages());
    EXPECT_EQ(found.next_sequence(), 501u);
    EXPECT_EQ(found.dead(), 2u);
}

TEST_F(JournalFile, NumbersAreNotGivenTwiceAfterEverythingIsSettledAndCompacted) {
    journal j(path, read_journal(path), {.compact_above = 100});
    for (std::uint64_t n = 1; n <= 50; ++n) j.append(bytes_of({jr::published{n, some_time, "x"}, jr::acknowledged{n}}));
    EXPECT_EQ(read_journal(path).messages.next_sequence(), 51u);
}

TEST(Request, SurvivesTheWire) {
    const request r{.id = "a-1", .host = "web \"01\"", .requested_at = some_time};
    EXPECT_EQ(decode_request(encode(r)), r);
}

TEST(Request, MalformedOnesSayWhatIsWrong) {
    for (const char* payload : {"", "{", "[]", "null", "{}", R"({"id":1,"host":"a","requested_at":1})",
                                R"({"id":"","host":"a","requested_at":1})", R"({"id":"x","requested_at":1})",
                                R"({"id":"x","host":"a"})", R"({"id":"x","host":"a","requested_at":"now"})"}) {
        EXPECT_THROW(decode_request(payload), restart_impossible) << payload;
    }
}

} // namespace mayhem
