// The real binary under real signals, on real files.

#include "broker/journal.hpp"
#include "mocks.hpp"
#include "program.hpp"
#include "store/sqlite.hpp"
#include "temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace mayhem {
namespace {

using test::finished;
using test::in_loop;
using test::program;
using words = std::vector<std::string>;

class Service : public testing::Test {
protected:
    std::string data() const { return place / "data"; }
    std::string json() const { return place / "books.json"; }
    std::filesystem::path journal_file() const { return place.path() / "data" / "requests.journal"; }
    std::filesystem::path database_file() const { return place.path() / "data" / "restarts.db"; }

    words with(words more) const {
        words all = {"--data", data(), "--json", json()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    nlohmann::json books() const { return nlohmann::json::parse(std::ifstream(json())); }
    std::int64_t in_database(const char* sql) const {
        sqlite_database db(database_file(), sqlite_database::mode::look);
        return db.integer(sql);
    }
    std::string everything_in_data() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(data())) {
            std::ostringstream text;
            text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
            const std::string name = entry.path().filename();
            if (name != "lock" && !name.ends_with("-shm")) files[name] = text.str();
        }
        std::string all;
        for (const auto& [name, text] : files) all += name + '\0' + text + '\0';
        return all;
    }
    /// Until the run has settled so many requests.
    rondo::coro<> until_restarted(std::int64_t at_least) {
        co_await test::until([&] {
            try {
                return in_database("SELECT count(*) FROM restarts WHERE state = 'restarted'") >= at_least;
            } catch (const sqlite_error&) {
                return false; // not there yet, or just being created
            }
        });
    }
    static void expect_balanced(const nlohmann::json& b) {
        EXPECT_EQ(b.at("requested").get<int>(), b.at("restarted").get<int>() + b.at("failed").get<int>() +
                                                    b.at("dead_lettered").get<int>() + b.at("returned").get<int>())
            << b.dump(2);
    }
    static void expect_the_whole_shutdown(const finished& f) {
        std::vector<std::string> steps;
        for (const std::string& line : f.err) {
            const std::size_t at = line.find("shutdown ");
            if (at != std::string::npos && line.find("/7: ") != std::string::npos) steps.push_back(line.substr(at, 12));
        }
        EXPECT_THAT(steps, ElementsAre("shutdown 1/7", "shutdown 2/7", "shutdown 3/7", "shutdown 4/7", "shutdown 5/7",
                                       "shutdown 6/7", "shutdown 7/7"));
    }

    test::temporary_directory place;
};

class ServiceSignal : public Service, public testing::WithParamInterface<int> {};

std::string name_of_signal(const testing::TestParamInfo<int>& info) {
    switch (info.param) {
    case SIGINT: return "SIGINT";
    case SIGTERM: return "SIGTERM";
    case SIGHUP: return "SIGHUP";
    default: return "SIGQUIT";
    }
}

/// Everything that was ever published is finished, each once.
void expect_each_recorded_once(const std::filesystem::path& journal, const std::filesystem::path& database) {
    const journal_image image = read_journal(journal);
    sqlite_database db(database, sqlite_database::mode::look);
    const auto published = static_cast<std::int64_t>(image.messages.next_sequence() - 1);
    const std::int64_t finished = db.integer("SELECT count(*) FROM restarts WHERE state != 'started'");
    EXPECT_EQ(image.messages.pending(), 0u);
    EXPECT_EQ(finished + static_cast<std::int64_t>(image.messages.dead()), published);
    EXPECT_EQ(db.integer("SELECT count(DISTINCT sequence) FROM restarts WHERE state != 'started'"), finished);
}

} // namespace

TEST_F(Service, KillsRealProcessesBringsThemBackAndBalances) {
    in_loop([&]() -> rondo::coro<> {
        const finished f = co_await program::run(with({"--for", "1500ms", "--hosts", "3", "--rate", "40"}));
        EXPECT_EQ(f.code, 0) << testing::PrintToString(f.err);
        expect_the_whole_shutdown(f);
        EXPECT_THAT(f.out, Contains(HasSubstr("the books balance")));
    });
    const auto b = books();
    expect_balanced(b);
    EXPECT_GT(b.at("restarted"), 3);
    EXPECT_EQ(b.at("pids_changed"), 3) << b.dump(2);
    EXPECT_EQ(b.at("ended_by"), "--for 1.5 s");
    for (const auto& host : b.at("hosts")) EXPECT_NE(host.at("pid"), host.at("first_pid"));
}

/// As a developer or an unlucky kernel makes it run.
class ServiceEnvironment : public Service, public testing::WithParamInterface<std::pair<std::string, std::string>> {};

TEST_P(ServiceEnvironment, RestartsHostsAndBalances) {
    const auto& [name, value] = GetParam();
    in_loop([&]() -> rondo::coro<> {
        const finished f =
            co_await program::run(with({"--for", "1500ms", "--hosts", "3", "--rate", "40"}), {{name, value}});
        EXPECT_EQ(f.code, 0) << testing::PrintToString(f.err);
        expect_the_whole_shutdown(f);
        for (const std::string& line : f.err) {
            const bool is_ours = line.find("Z info  ") != std::string::npos;
            const bool about_a_busy_machine = line.find("rondo: Executing <") != std::string::npos;
            EXPECT_TRUE(is_ours || about_a_busy_machine) << line;
        }
    });
    const auto b = books();
    expect_balanced(b);
    EXPECT_GT(b.at("restarted"), 3);
    if (value == "epoll") {
        EXPECT_EQ(b.at("backend"), "epoll");
    }
}

TEST_P(ServiceEnvironment, TakesAThousandRequestsASecond) {
    const auto& [name, value] = GetParam();
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--driver", "simulated", "--rate", "1000", "--grace", "100ms"}),
                                         {{name, value}});
        co_await until_restarted(500);
        p->send_signal(SIGTERM);
        const finished f = co_await p->finish();
        EXPECT_EQ(f.code, 0) << testing::PrintToString(f.err);
        expect_the_whole_shutdown(f);
    });
    expect_balanced(books());
}

INSTANTIATE_TEST_SUITE_P(With, ServiceEnvironment,
                         testing::Values(std::pair("RONDO_DEBUG", "1"), std::pair("RONDO_BACKEND", "epoll")),
                         [](const auto& info) { return info.param.first; });

TEST_P(ServiceSignal, UnderLoadEndsWellAndWhatWasReturnedComesAgain) {
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--driver", "simulated", "--rate", "2000", "--grace", "100ms"}));
        co_await until_restarted(500);
        p->send_signal(GetParam());
        const finished f = co_await p->finish();
        EXPECT_EQ(f.code, 0) << testing::PrintToString(f.err);
        expect_the_whole_shutdown(f);
        const auto first = books();
        expect_balanced(first);
        EXPECT_EQ(first.at("recovered"), 0);

        auto again = co_await program::start(with({"--driver", "simulated", "--rate", "0"}));
        co_await test::until([&] { return read_journal(journal_file()).messages.pending() == 0; });
        again->send_signal(SIGTERM);
        EXPECT_EQ((co_await again->finish()).code, 0);
        const auto second = books();
        expect_balanced(second);
        EXPECT_EQ(second.at("recovered"), first.at("returned"));
        EXPECT_EQ(second.at("requested"), first.at("returned"));
        EXPECT_EQ(second.at("returned"), 0);
    });
    expect_each_recorded_once(journal_file(), database_file());
}

INSTANTIATE_TEST_SUITE_P(Each, ServiceSignal, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT), name_of_signal);

TEST_F(Service, ASecondSignalEndsTheGracePeriodAndSkipsNoStep) {
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--driver", "simulated", "--rate", "500", "--grace", "1h"}));
        co_await until_restarted(100);
        // While somebody else writes to the database nothing can be finished.
        auto other_writer = std::make_unique<sqlite_database>(database_file(), sqlite_database::mode::write);
        other_writer->execute("BEGIN IMMEDIATE");
        co_await p->until_logged("is not written down yet");
        p->send_signal(SIGTERM);
        co_await p->until_logged("shutdown 2/7");
        p->send_signal(SIGTERM);
        const finished f = co_await p->finish();
        EXPECT_EQ(f.code, 0) << testing::PrintToString(f.err);
        expect_the_whole_shutdown(f);
        EXPECT_GT(books().at("returned"), 0);
    });
    expect_balanced(books());
}

TEST_F(Service, KilledUnderLoadLosesNothingAndRecordsNothingTwice) {
    in_loop([&]() -> rondo::coro<> {
        for (int round = 1; round <= 3; ++round) {
            auto p = co_await program::start(with({"--driver", "simulated", "--rate", "3000"}));
            co_await until_restarted(round * 400);
            p->send_signal(SIGKILL);
            EXPECT_EQ((co_await p->finish()).code, -SIGKILL);
        }
        auto p = co_await program::start(with({"--driver", "simulated", "--rate", "0"}));
        co_await test::until([&] { return read_journal(journal_file()).messages.pending() == 0; });
        p->send_signal(SIGTERM);
        EXPECT_EQ((co_await p->finish()).code, 0);
    });
    expect_balanced(books());
    expect_each_recorded_once(journal_file(), database_file());
}

TEST_F(Service, KilledTakesItsHostsWithIt) {
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--hosts", "4", "--rate", "20"}));
        co_await until_restarted(3);
        std::vector<int> hosts;
        co_await test::until([&] { // some may be down just now
            hosts = test::children_of(p->pid());
            return hosts.size() >= 3;
        });
        p->send_signal(SIGKILL);
        co_await p->finish();
        co_await test::until([&] { return std::none_of(hosts.begin(), hosts.end(), test::is_alive); });
    });
}

TEST_F(Service, ADeadHostOfItsOwnAccordIsStartedAgainByTheNextRestart) {
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--hosts", "1", "--rate", "5"}));
        co_await until_restarted(1);
        for (const int host : test::children_of(p->pid())) ::kill(host, SIGKILL);
        const std::int64_t now = in_database("SELECT count(*) FROM restarts WHERE state = 'restarted'");
        co_await until_restarted(now + 2);
        p->send_signal(SIGINT);
        EXPECT_EQ((co_await p->finish()).code, 0);
    });
    expect_balanced(books());
}

TEST_F(Service, ADataDirectoryBelongsToOne) {
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--driver", "simulated"}));
        co_await p->until_logged("the fleet is up");
        const finished second = co_await program::run({"--driver", "simulated", "--data", data()});
        EXPECT_EQ(second.code, 2);
        EXPECT_THAT(second.err,
                    ElementsAre(HasSubstr("in use by another mayhem (process " + std::to_string(p->pid()) + ")")));
        p->send_signal(SIGTERM);
        EXPECT_EQ((co_await p->finish()).code, 0);
    });
}

TEST_F(Service, WrongInputIsOneLineThatNamesItAndCodeTwo) {
    std::ofstream(place / "a-file") << "not a directory";
    const std::string below_a_file = place.path() / "a-file" / "data";
    const std::vector<std::pair<words, std::string>> wrong = {
        {{"--nonsense"}, "--nonsense"},
        {{"--rate", "fast"}, "--rate: 'fast'"},
        {{"--for", "20"}, "--for: '20'"},
        {{"--driver", "docker"}, "--driver: 'docker'"},
        {{"--data", below_a_file}, below_a_file},
        {{"--data", "/proc/mayhem"}, "/proc/mayhem"},
        {{"--json", "/nonexistent/books.json", "--data", data()}, "/nonexistent/books.json"},
    };
    in_loop([&]() -> rondo::coro<> {
        for (const auto& [arguments, name] : wrong) {
            const finished f = co_await program::run(arguments);
            EXPECT_EQ(f.code, 2) << name;
            EXPECT_THAT(f.err, ElementsAre(HasSubstr(name)));
            EXPECT_TRUE(f.out.empty());
        }
    });
}

TEST_F(Service, DamagedFilesAreNamedAndLeftAsTheyAre) {
    in_loop([&]() -> rondo::coro<> {
        auto p = co_await program::start(with({"--driver", "simulated", "--rate", "2000"}));
        co_await until_restarted(500);
        p->send_signal(SIGTERM);
        EXPECT_EQ((co_await p->finish()).code, 0);

        for (const auto& [file, where] : {std::pair(journal_file(), 5000L), std::pair(database_file(), 8192L + 100)}) {
            const std::filesystem::path kept = file.string() + ".kept";
            std::filesystem::copy_file(file, kept);
            {
                std::fstream f(file, std::ios::binary | std::ios::in | std::ios::out);
                f.seekp(where);
                f << std::string(200, '\x5a');
            }
            const std::string before = everything_in_data();
            const finished f = co_await program::run({"--driver", "simulated", "--data", data(), "--for", "1s"});
            EXPECT_EQ(f.code, 2);
            EXPECT_THAT(f.err, ElementsAre(HasSubstr(file.string())));
            EXPECT_EQ(everything_in_data(), before);
            std::filesystem::rename(kept, file);
        }
        EXPECT_EQ(
            (co_await program::run({"--driver", "simulated", "--data", data(), "--rate", "0", "--for", "1ms"})).code,
            0);
    });
}

TEST_F(Service, HelpAndVersionEndWell) {
    in_loop([&]() -> rondo::coro<> {
        const finished help = co_await program::run({"--help"});
        EXPECT_EQ(help.code, 0);
        EXPECT_THAT(help.out, Contains(HasSubstr("--for")));
        const finished version = co_await program::run({"--version"});
        EXPECT_EQ(version.code, 0);
        EXPECT_THAT(version.out, ElementsAre(HasSubstr("mayhem ")));
    });
}

TEST_F(Service, FiveThousandRequestsASecondLeaveTheLoopResponsive) {
#if defined(NDEBUG)
    constexpr double longest_lag_ms = 5;
    constexpr int fewest_published = 24'000;
#else
    constexpr double longest_lag_ms = 1000; // unoptimised and sanitized builds are for other faults
    constexpr int fewest_published = 0;
#endif
    constexpr std::chrono::nanoseconds calm = 5s / 20; // of time without a processor: the rest is the loop's own doing
    bool judged = false;
    for (int tries = 0; tries < 3 && !judged; ++tries) {
        in_loop([&]() -> rondo::coro<> {
            auto p = co_await program::start(with({"--for", "5s", "--driver", "simulated", "--rate", "5000"}));
            co_await p->until_logged("shutdown 1/7");
            judged = test::waited_for_a_processor(p->pid()) < calm;
            const finished f = co_await p->finish();
            EXPECT_EQ(f.code, 0) << testing::PrintToString(f.err);
        });
        const auto b = books();
        expect_balanced(b);
        if (!judged) continue;
        EXPECT_LT(b.at("loop_lag_p99_ms"), longest_lag_ms);
        EXPECT_GT(b.at("published"), fewest_published);
    }
    if (!judged) GTEST_SKIP() << "this machine had other work for its processors each time";
}

} // namespace mayhem
