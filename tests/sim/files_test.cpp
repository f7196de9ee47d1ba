// The files of a simulated world against what Linux does, and what is left of them without power.
#include <rondo/sim/files.hpp>

#include <rondo/io/async_file.hpp>
#include <rondo/io/read_file.hpp>
#include <rondo/io/write_file.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/as_result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>

namespace {

using rondo::coro;
using rondo::sim::fault_classes;
using testing::AnyOf;
using testing::ElementsAre;

rondo::sim::simulated_files files() { return rondo::sim::world().files(); }

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// In the plain world, by operations and by threads.
void either_way(const rondo::sim::body_factory& body) {
    for (const auto way : {rondo::sim::file_access::operations, rondo::sim::file_access::threads}) {
        const auto outcome = rondo::sim::run({.strategy = rondo::sim::strategy::fifo(), .files = way}, body);
        EXPECT_FALSE(outcome.failure) << outcome.failure->str();
    }
}

coro<int> error_of(coro<> act) {
    const rondo::result<void> done = co_await rondo::as_result(std::move(act));
    if (done) co_return 0;
    try {
        done.value();
    } catch (const std::system_error& e) {
        co_return e.code().value();
    }
    co_return -1;
}

coro<> open_and_close(std::string path, std::string mode) {
    auto file = co_await rondo::open_file(path, mode);
    co_await file.aclose();
}

RONDO_SIM_TEST(SimulatedFiles, GiveBackWhatWasWritten, {.schedules = 300}) {
    auto file = co_await rondo::open_file("data/log", "w+");
    co_await file.write("one two three");
    co_await file.write_at(4, "TWO");
    EXPECT_EQ(file.size(), 13U);
    EXPECT_EQ((co_await file.read_at(0, 100)).view(), "one TWO three");
    file.seek(8);
    EXPECT_EQ((co_await file.read_all()).view(), "three");
    co_await file.truncate(3);
    co_await file.sync();
    co_await file.aclose();
    EXPECT_EQ((co_await rondo::read_file("/data/log")).view(), "one");
}

RONDO_SIM_TEST(SimulatedFiles, AppendWhateverThePosition, {.schedules = 100}) {
    files().put("/log", "a");
    auto file = co_await rondo::open_file("/log", "a");
    co_await file.write("b");
    file.seek(0);
    co_await file.write("c");
    EXPECT_EQ(files().contents("/log"), "abc");
}

TEST(SimulatedFiles, RefuseWhatLinuxRefuses) {
    either_way([]() -> coro<> {
        files().put("/etc/motd", "hello");
        EXPECT_EQ(co_await error_of(open_and_close("/etc/nothing", "r")), ENOENT);
        EXPECT_EQ(co_await error_of(open_and_close("/etc", "r")), EISDIR);
        EXPECT_EQ(co_await error_of(open_and_close("/etc/motd", "x")), EEXIST);
        EXPECT_EQ(co_await error_of(open_and_close("/etc/motd/", "r")), ENOTDIR);
        auto file = co_await rondo::open_file("/etc/motd");
        EXPECT_EQ(co_await error_of(file.write("no")), EBADF);
        EXPECT_EQ(files().rename("/etc/nothing", "/x"), -ENOENT);
        EXPECT_EQ(files().remove("/etc/nothing"), -ENOENT);
        EXPECT_EQ(files().rename("/etc/motd", "/etc"), -EISDIR);
        EXPECT_EQ(files().open("", O_RDONLY), -ENOENT);
        EXPECT_EQ(files().close(7), -EBADF);
    });
}

TEST(SimulatedFiles, ThatWereRemovedLiveWhileTheyAreOpen) {
    either_way([]() -> coro<> {
        files().put("/a", "text");
        auto file = co_await rondo::open_file("/a");
        EXPECT_EQ(files().remove("/a"), 0);
        EXPECT_EQ((co_await file.read_all()).view(), "text");
        EXPECT_TRUE(files().names().empty());
    });
}

TEST(SimulatedFiles, GoByOperationsOrByThreads) {
    std::set<std::string> ways;
    const auto result = rondo::sim::explore({.schedules = 50, .coverage = true},
                                            []() -> coro<> { co_await rondo::write_file("/a", "text"); });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    for (const auto& count : result.labels) {
        if (count.what.text() == "whether files are for threads" && count.deviated > 0) ways.insert("threads");
        if (count.what.text() == "how long the disk takes") ways.insert("operations");
    }
    EXPECT_THAT(ways, ElementsAre("operations", "threads"));
}

RONDO_SIM_TEST(SimulatedPower, LeavesWhatWasSynced, {.schedules = 300}) {
    auto file = co_await rondo::open_file("/data/log", "w");
    co_await file.write("first");
    co_await file.sync();
    files().sync_directory("/data");
    co_await file.write("second");
    rondo::sim::world().lose_power();
    const auto left = files().contents("/data/log");
    EXPECT_TRUE(left && left->starts_with("first")) << left.value_or("nothing");
    EXPECT_EQ(co_await error_of(file.write("after")), EIO);
    EXPECT_EQ(files().contents("/data/log"), left);
}

/// What may be left of two writes that nobody synced: every state that a disk can be in.
TEST(SimulatedPower, MayTakeOrTearOrReorderWhatWasNot) {
    std::set<std::string> left;
    const auto result =
        rondo::sim::explore({.schedules = 3000, .strategy = rondo::sim::strategy::random()}, [&]() -> coro<> {
            files().put("/log", "");
            const int fd = files().open("/log", O_WRONLY);
            files().write_at(fd, bytes_of("ab"), 0);
            files().write_at(fd, bytes_of("cd"), 2);
            rondo::sim::world().lose_power();
            left.insert(files().contents("/log").value_or("gone"));
            files().close(fd);
            co_return;
        });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    using namespace std::string_literals;
    for (const std::string& state : {""s, "a"s, "ab"s, "abc"s, "abcd"s, "\0\0cd"s, "a\0cd"s})
        EXPECT_TRUE(left.contains(state)) << state;
    EXPECT_FALSE(left.contains("gone"));
}

TEST(SimulatedPower, TakesBackNamesOfADirectoryThatWasNotSynced) {
    std::set<std::string> left;
    const auto result = rondo::sim::explore({.schedules = 300}, [&]() -> coro<> {
        files().put("/d/old", "o");
        const int fd = files().open("/d/new", O_WRONLY | O_CREAT);
        files().write(fd, bytes_of("n"));
        files().sync(fd);
        files().close(fd);
        files().rename("/d/new", "/d/old");
        if (rondo::sim::perhaps("the directory is synced")) {
            files().sync_directory("/d");
            rondo::sim::world().lose_power();
            EXPECT_EQ(files().contents("/d/old"), "n");
        } else {
            rondo::sim::world().lose_power();
            EXPECT_THAT(files().contents("/d/old"), AnyOf("o", "n"));
            left.insert(*files().contents("/d/old"));
        }
        co_return;
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_THAT(left, ElementsAre("n", "o"));
}

/// fsync(2): after an error nobody knows what is on the disk, and the next one may say that all is well.
TEST(SimulatedPower, AfterAFailedSyncALaterOneMayLie) {
    bool lied = false;
    bool dropped = false;
    const auto result = rondo::sim::explore({.schedules = 2000, .faults = fault_classes::all()}, [&]() -> coro<> {
        files().put("/log", "");
        const int fd = files().open("/log", O_WRONLY);
        if (fd < 0) co_return;
        if (files().write(fd, bytes_of("x")) == 1 && files().sync(fd) < 0) {
            dropped = dropped || files().contents("/log") == "";
            if (files().sync(fd) == 0) {
                rondo::sim::world().lose_power();
                lied = lied || files().contents("/log") == "";
            }
        }
        files().close(fd);
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_TRUE(lied);
    EXPECT_TRUE(dropped);
}

/// write_file() promises it: the old contents or the new ones, and with sync the new ones for good.
RONDO_SIM_TEST(WriteFile, ReplacesWholeOrNotAtAllWhateverFails, {.schedules = 1000, .faults = fault_classes::all()}) {
    files().put("/etc/state", "old");
    const int failed =
        co_await error_of(rondo::write_file("/etc/state", "the new one", {.replace = true, .sync = true}));
    if (failed == 0) {
        EXPECT_EQ(files().contents("/etc/state"), "the new one");
    } else {
        EXPECT_THAT(files().contents("/etc/state"), AnyOf("old", "the new one")) << failed;
    }
    rondo::sim::world().lose_power();
    if (failed == 0) {
        EXPECT_EQ(files().contents("/etc/state"), "the new one");
    } else {
        EXPECT_THAT(files().contents("/etc/state"), AnyOf("old", "the new one")) << failed;
    }
}

TEST(SimulatedFiles, ThatAreNotClosedAreALeak) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        files().open("/a", O_WRONLY | O_CREAT);
        co_return;
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, rondo::sim::failure_kind::leak);
    EXPECT_THAT(outcome.failure->message, testing::HasSubstr("the file /a"));
}

} // namespace
