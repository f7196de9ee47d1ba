// radecho: one byte each 50 ms, chunk by chunk and all at once, for well-behaved clients and others.
#include "gallery/caller.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace gallery::test {
namespace {

using namespace std::chrono_literals;

rondo::coro<served> radecho() { return served::start("radecho", {}); }

rondo::coro<std::chrono::nanoseconds> time_to_hear(const served& s, std::string text) {
    const auto began = rondo::clock::now();
    auto [reader, writer] = co_await call(s);
    co_await writer.write(text);
    writer.write_eof();
    EXPECT_EQ((co_await reader.read_all()).str(), text);
    co_return rondo::clock::now() - began;
}

TEST(Radecho, TakesFiftyMillisecondsForEachByte) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        const auto [three, twelve] = co_await rondo::gather(time_to_hear(s, "abc"), time_to_hear(s, "abcdefghijkl"));
        EXPECT_GE(three, 3 * 50ms);
        EXPECT_GE(twelve, 12 * 50ms);
        EXPECT_LT(three, twelve) << "clients do not wait for each other";
        co_await s.stop();
    });
}

TEST(Radecho, SpeaksTwoChunksAtOnce) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        auto [reader, writer] = co_await call(s);
        const std::string a(40, 'a');
        co_await writer.write(a);
        co_await reader.read_exactly(1);
        co_await writer.write("b");
        writer.write_eof();
        const std::string heard = (co_await reader.read_all()).str();
        EXPECT_EQ(heard.size(), 40u);
        EXPECT_LT(heard.find('b'), heard.size() - 1) << heard;
        co_await s.stop();
    });
}

TEST(Radecho, ExitClosesInMidWord) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        auto [reader, writer] = co_await call(s);
        co_await writer.write(std::string(1000, 'x')); // 50 s
        co_await reader.read_exactly(2);
        co_await writer.write("\nexit\n");
        EXPECT_LT((co_await reader.read_all()).size(), 900u);
        co_await s.stop();
    });
}

TEST(Radecho, ExitIsALineInWhateverPiecesItComes) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        auto [reader, writer] = co_await call(s);
        for (const char* piece : {"e", "xi"}) {
            co_await writer.write(piece);
            co_await reader.read_exactly(1); // has come, and was a chunk of its own
        }
        co_await writer.write("t\r\n");
        EXPECT_LE((co_await reader.read_all()).size(), 1u);
        co_await s.stop();
    });
}

TEST(Radecho, NoOtherLineIsExit) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        co_await rondo::gather(time_to_hear(s, "exits\n"), time_to_hear(s, "an exit\n"), time_to_hear(s, "exit"));
        co_await s.stop();
    });
}

TEST(Radecho, ManyBytesThatAreNoTextComeBackAsTheyWere) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        co_await time_to_hear(s, std::string("\xff\x00\xfe\r", 4));
        co_await s.stop();
    });
}

TEST(Radecho, AResetInMidWordHurtsNobodyElse) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        {
            auto [reader, writer] = co_await call(s);
            co_await writer.write(std::string(1000, 'x'));
            co_await reader.read_exactly(1);
            writer.transport().abort();
        }
        co_await s.says("somebody hung up");
        co_await time_to_hear(s, "still there");
        co_await s.stop();
    });
}

TEST(Radecho, AFloodIsHeldBack) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        auto [reader, writer] = co_await call(s);
        const std::string much(64 << 20, 'x');
        EXPECT_FALSE(co_await rondo::move_on_after(500ms, writer.write(much))) << "nobody reads that fast";
        co_await time_to_hear(s, "and the others?");
        writer.transport().abort();
        co_await s.stop();
    });
}

TEST(Radecho, EndsWhenToldToInMidWord) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        auto [reader, writer] = co_await call(s);
        co_await writer.write(std::string(1000, 'x'));
        co_await reader.read_exactly(1);
        const finished end = co_await s.stop(SIGINT);
        EXPECT_TRUE(end.printed("closed; 1 in mid-word")) << end.text();
    });
}

TEST(Radecho, SpeaksWithNetcatAndTelnet) {
    in_time([]() -> rondo::coro<> {
        auto s = co_await radecho();
        const std::string port = std::to_string(s.port);
        EXPECT_EQ(co_await typed_into({"nc", "-N", "127.0.0.1", port}, "ho\n"), "ho\n");
        const std::string session =
            co_await hold({"telnet", "127.0.0.1", port}, {{"Escape character", "ho\n"}, {"ho", "exit\n"}});
        EXPECT_NE(session.find("Connection closed by foreign host"), std::string::npos) << session;
        co_await s.stop();
    });
}

} // namespace
} // namespace gallery::test
