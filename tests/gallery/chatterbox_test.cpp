// chatterbox: the same conversation with both servers, among people who behave and people who do not.
#include "gallery/caller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace gallery::test {
namespace {

using namespace std::chrono_literals;

/// Somebody who has come in.
class guest {
public:
    explicit guest(rondo::connection to) : line_(std::move(to)) {}

    static rondo::coro<guest> arrive(const served& s, std::string name) {
        guest g(co_await call(s));
        co_await g.hears("Username: ");
        co_await g.says(name + "\n");
        co_await g.hears("User " + name + " arrived.\n");
        co_return g;
    }
    rondo::coro<> says(std::string text) { co_await line_.writer.write(text); }
    /// Everything up to and with this text.
    rondo::coro<std::string> hears(std::string text) { co_return (co_await line_.reader.read_until(text)).str(); }
    rondo::coro<std::string> next_line() { co_return co_await hears("\n"); }
    void ends() { line_.writer.write_eof(); }
    void is_cut_off() { line_.writer.transport().abort(); }

    /// From now on nothing is read, and little is kept for it on the way.
    void is_deaf() {
        const int small = 4096;
        ::setsockopt(line_.writer.transport().fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        line_.writer.transport().pause_reading();
    }
    /// Bytes that have come and were not read.
    std::size_t unread() const {
        int bytes = 0;
        ::ioctl(line_.writer.transport().fd(), FIONREAD, &bytes);
        return static_cast<std::size_t>(bytes);
    }

private:
    rondo::connection line_;
};

class Chatterbox : public testing::TestWithParam<const char*> {
protected:
    /// body(server), within a minute.
    template <class F> void serving(F body) {
        in_time([&]() -> rondo::coro<> {
            served s = co_await served::start("chatterbox", {GetParam(), "--name", "the inn"});
            co_await body(s);
            const finished end = co_await s.stop(SIGINT);
            EXPECT_TRUE(end.printed("closed")) << end.text();
        });
    }
};

INSTANTIATE_TEST_SUITE_P(With, Chatterbox, testing::Values("--protocols", "--streams"),
                         [](const auto& way) { return std::string(way.param).substr(2); });

TEST_P(Chatterbox, WelcomesAndAsksForANameThatIsFree) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest other(co_await call(s));
        EXPECT_EQ(co_await other.next_line(), "Welcome to the inn\n");
        co_await other.hears("Username: ");
        co_await other.says("Ada\n");
        EXPECT_EQ(co_await other.next_line(), "Username Ada not available\n");
        EXPECT_EQ(co_await other.hears("Username: "), "Username: ");
        co_await other.says("\n");
        EXPECT_EQ(co_await other.next_line(), "Username  not available\n");
        co_await other.hears("Username: ");
        co_await other.says("Bob\n");
        EXPECT_EQ(co_await other.next_line(), "User Bob arrived.\n");
        EXPECT_EQ(co_await ada.next_line(), "User Bob arrived.\n");
    });
}

TEST_P(Chatterbox, TellsTheOthersWhatSomebodySaysAndNobodyElse) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest bob = co_await guest::arrive(s, "Bob");
        guest unnamed(co_await call(s)); // is not in, and hears nothing
        co_await ada.hears("User Bob arrived.\n");
        co_await ada.says("hello\n");
        EXPECT_EQ(co_await bob.next_line(), "Ada: hello\n");
        co_await bob.says("NAMES\r\n");
        EXPECT_EQ(co_await bob.next_line(), "Ada, Bob\n");
        co_await bob.says("bye\n");
        bob.ends();
        EXPECT_EQ(co_await ada.next_line(), "Bob: bye\n");
        EXPECT_EQ(co_await ada.next_line(), "User Bob departed.\n");
        unnamed.ends();
        EXPECT_EQ(co_await unnamed.hears("Username: "), "Welcome to the inn\nUsername: ");
        guest again = co_await guest::arrive(s, "Bob");
        EXPECT_EQ(co_await ada.next_line(), "User Bob arrived.\n");
    });
}

TEST_P(Chatterbox, PutsLinesAndCharactersTogetherFromWhateverPieces) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest bob = co_await guest::arrive(s, "Bob");
        const std::string line = "h\u00e9, 1 \u20ac \U0001F388";
        for (const char byte : line + "\n") {
            co_await ada.says(std::string(1, byte));
            co_await ada.says(""); // TCP_NODELAY is set: each goes out by itself
            co_await rondo::sleep(1ms);
        }
        EXPECT_EQ(co_await bob.next_line(), "Ada: " + line + "\n");
        co_await ada.says("one\ntwo\nthr");
        co_await ada.says("ee\n");
        for (const char* text : {"one", "two", "three"})
            EXPECT_EQ(co_await bob.next_line(), std::string("Ada: ") + text + "\n");
    });
}

TEST_P(Chatterbox, PassesOnNeitherBrokenCharactersNorControls) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest bob = co_await guest::arrive(s, "Bob");
        const std::vector<std::pair<std::string, std::string>> lines = {
            {"a\xff", "a\uFFFD"},
            {"\xe2\x82", "\uFFFD\uFFFD"},                     // the euro without its end
            {"\xc0\xaf", "\uFFFD\uFFFD"},                     // longer than need be
            {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},           // half of a pair
            {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}, // beyond the last
            {"\x1b[2Jgone\x07\xc2\x9b", "[2Jgone"},
        };
        for (const auto& [said, heard] : lines) {
            co_await ada.says(said + "\n");
            EXPECT_EQ(co_await bob.next_line(), "Ada: " + heard + "\n");
        }
    });
}

TEST_P(Chatterbox, WhoSaysHalfALineAndNothingMoreHoldsNobodyUp) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest silent(co_await call(s));
        guest bob = co_await guest::arrive(s, "Bob");
        co_await bob.says("well, the th");
        guest cy = co_await guest::arrive(s, "Cy");
        co_await cy.says("hello\n");
        co_await ada.hears("Cy: hello\n");
        bob.ends(); // it was a line, then
        EXPECT_EQ(co_await ada.next_line(), "Bob: well, the th\n");
        EXPECT_EQ(co_await ada.next_line(), "User Bob departed.\n");
    });
}

TEST_P(Chatterbox, AResetInMidLineIsADeparture) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest bob = co_await guest::arrive(s, "Bob");
        co_await ada.hears("User Bob arrived.\n");
        co_await bob.says("hello\nand th");
        EXPECT_EQ(co_await ada.next_line(), "Bob: hello\n");
        bob.is_cut_off();
        EXPECT_EQ(co_await ada.next_line(), "User Bob departed.\n");
    });
}

TEST_P(Chatterbox, ALineThatIsTooLongIsRefusedAndTheNextIsHeard) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest bob = co_await guest::arrive(s, "Bob");
        co_await bob.says(std::string(5000, 'x') + "\n");
        EXPECT_THAT(co_await bob.next_line(), testing::HasSubstr("no longer than"));
        co_await bob.says("sorry\n");
        co_await ada.hears("User Bob arrived.\n");
        EXPECT_EQ(co_await ada.next_line(), "Bob: sorry\n");
    });
}

TEST_P(Chatterbox, WhoSendsALineWithoutEndIsSentAway) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest bob = co_await guest::arrive(s, "Bob");
        co_await ada.hears("User Bob arrived.\n");
        const std::string endless(16 << 20, 'x');
        EXPECT_FALSE(co_await rondo::as_result(bob.says(endless)));
        EXPECT_EQ(co_await ada.next_line(), "User Bob departed.\n");
    });
}

TEST_P(Chatterbox, WhoNeverReadsIsSentAwayAtLastAndMeanwhileTheOthersHearEverything) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        guest deaf = co_await guest::arrive(s, "Deaf");
        deaf.is_deaf();
        guest bob = co_await guest::arrive(s, "Bob");
        co_await ada.hears("User Bob arrived.\n");
        const std::string line(1000, 'x');
        bool gone = false;
        for (int i = 0; i < 20'000 && !gone; ++i) { // 20 MB, more than any kernel keeps
            co_await bob.says(line + "\n");
            std::string heard = co_await ada.next_line();
            if (heard == "User Deaf departed.\n") {
                gone = true;
                heard = co_await ada.next_line();
            }
            EXPECT_EQ(heard, "Bob: " + line + "\n");
        }
        EXPECT_TRUE(gone);
    });
}

TEST_P(Chatterbox, SpeaksWithNetcatAndTelnet) {
    serving([](served& s) -> rondo::coro<> {
        guest ada = co_await guest::arrive(s, "Ada");
        const std::string port = std::to_string(s.port);
        EXPECT_EQ(co_await typed_into({"nc", "-N", "127.0.0.1", port}, "Bob\nhello\n"),
                  "Welcome to the inn\nUsername: User Bob arrived.\n");
        EXPECT_EQ(co_await ada.hears("User Bob departed.\n"), "User Bob arrived.\nBob: hello\nUser Bob departed.\n");
        const auto telnet = rondo::create_task(
            hold, std::vector<std::string>{"telnet", "127.0.0.1", port},
            std::vector<exchange>{{"Username: ", "Cy\n"}, {"arrived.\n", "hello\n"}, {"Ada: bye\n", ""}});
        co_await ada.hears("Cy: hello\n");
        co_await ada.says("bye\n");
        EXPECT_THAT(co_await telnet, testing::HasSubstr("Connected to 127.0.0.1"));
    });
}

/// As many descriptors as the system allows.
void allow_many_descriptors() {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_GE(limit.rlim_cur, 1100u) << "this test needs a descriptor for each client";
}

TEST_P(Chatterbox, ServesAThousandOfWhomTenNeverReadAndTheOthersNoticeNothing) {
    allow_many_descriptors();
    serving([](served& s) -> rondo::coro<> {
        constexpr std::size_t lines = 100;
        const std::string line(980, 'x');
        std::vector<guest> guests;
        const auto arrive = [&](std::size_t i) -> rondo::coro<> {
            guest g(co_await call(s));
            co_await g.hears("Username: ");
            co_await g.says("guest " + std::to_string(i) + "\n");
            guests.push_back(std::move(g));
        };
        co_await rondo::map_concurrent(std::views::iota(std::size_t(0), std::size_t(1000)), arrive, 100);
        // Everybody knows of everybody: who came last is the last that all hear of.
        const auto hears = [&](std::size_t i, std::string text) -> rondo::coro<> { co_await guests[i].hears(text); };
        const auto all_hear = [&](std::size_t first, std::string text) -> rondo::coro<> {
            std::vector<rondo::coro<>> hearing;
            for (std::size_t i = first; i < guests.size(); ++i) hearing.push_back(hears(i, text));
            co_await rondo::gather(std::move(hearing));
        };
        /// How long it takes until guest `first` and those after have heard what one of them has to say.
        const auto speech = [&](std::size_t first, std::string end) -> rondo::coro<std::chrono::nanoseconds> {
            const auto began = rondo::clock::now();
            const auto hearing = rondo::create_task(all_hear, first + 1, end);
            for (std::size_t i = 0; i < lines; ++i) co_await guests[first].says(line + "\n");
            co_await guests[first].says(end);
            co_await hearing;
            co_return rondo::clock::now() - began;
        };
        const auto before = co_await speech(0, "all can hear me\n");
        for (std::size_t i = 0; i < 10; ++i) guests[i].is_deaf();
        const auto after = co_await speech(10, "can you still hear me?\n");
        EXPECT_LT(after, 3 * before);
        for (std::size_t i = 0; i < 10; ++i)
            EXPECT_LT(guests[i].unread(), lines * line.size()) << "not all of it could even be sent";
        RecordProperty("before_ms", static_cast<int>(before / 1ms));
        RecordProperty("after_ms", static_cast<int>(after / 1ms));
    });
}

} // namespace
} // namespace gallery::test
