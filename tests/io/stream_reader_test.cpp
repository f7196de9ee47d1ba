// The rules of reading, on a stream in memory: nothing here depends on a backend.
#include <rondo/rondo.hpp>

#include "io/io_test.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using rondo::bytes;
using rondo::coro;
using rondo::stream_reader;
using rondo::test::pass_by;

void run(auto body) { rondo::run(std::move(body)); }

stream_reader reader_with(std::string_view data, bool ended = true, std::size_t limit = rondo::default_limit) {
    stream_reader reader(limit);
    reader.feed_data(data);
    if (ended) reader.feed_eof();
    return reader;
}

template <class E, class T> const E* failure_of(const rondo::result<T>& r) {
    return rondo::detail::exception_cast<E>(r.error());
}

TEST(StreamReader, ReadGivesWhatIsThereUpToN) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("hello");
        EXPECT_EQ(co_await reader.read(2), "he");
        EXPECT_EQ(co_await reader.read(100), "llo");
        EXPECT_TRUE((co_await reader.read(100)).empty());
        EXPECT_TRUE((co_await reader.read(100)).empty());
    });
}

TEST(StreamReader, ReadOfNothingIsEmptyAtOnce) {
    run([]() -> coro<> {
        stream_reader reader;
        EXPECT_TRUE((co_await reader.read(0)).empty());
    });
}

TEST(StreamReader, ReadWaitsForOneByte) {
    run([]() -> coro<> {
        stream_reader reader;
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read(10); });
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        reader.feed_data("x");
        EXPECT_EQ(co_await t, "x");
    });
}

TEST(StreamReader, ReadAllWaitsForTheEnd) {
    run([]() -> coro<> {
        stream_reader reader(4); // not bounded by the limit
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read_all(); });
        reader.feed_data(std::string(100'000, 'a'));
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        reader.feed_data("end");
        reader.feed_eof();
        EXPECT_EQ((co_await t).size(), 100'003u);
        EXPECT_TRUE((co_await reader.read_all()).empty());
    });
}

TEST(StreamReader, ReadIntoFillsTheCallersBuffer) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("hello");
        std::array<std::byte, 3> buffer{};
        EXPECT_EQ(co_await reader.read_into(buffer), 3u);
        EXPECT_EQ(rondo::bytes_view(std::span(buffer)).view(), "hel");
        EXPECT_EQ(co_await reader.read_into(std::span<std::byte>()), 0u);
        EXPECT_EQ(co_await reader.read_into(buffer), 2u);
        EXPECT_EQ(co_await reader.read_into(buffer), 0u);
    });
}

TEST(StreamReader, ReadExactlyGivesExactlyN) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abcdef", false, 2); // not bounded by the limit
        EXPECT_TRUE((co_await reader.read_exactly(0)).empty());
        EXPECT_EQ(co_await reader.read_exactly(4), "abcd");
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read_exactly(5); });
        co_await pass_by(5);
        reader.feed_data("gh");
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        reader.feed_data("ij");
        EXPECT_EQ(co_await t, "efghi");
        EXPECT_EQ(co_await reader.read(10), "j");
    });
}

TEST(StreamReader, ReadExactlyAtTheEndHasThePartInItsError) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abc");
        auto r = co_await rondo::as_result(reader.read_exactly(10));
        const auto* e = failure_of<rondo::incomplete_read_error>(r);
        EXPECT_TRUE(e && e->partial() == "abc" && e->expected() == 10u);
        EXPECT_TRUE(reader.at_eof()); // the part was consumed
    });
}

TEST(StreamReader, ReadUntilIncludesTheSeparator) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("one\r\ntwo\r\n\r\nrest");
        EXPECT_EQ(co_await reader.read_until("\r\n"), "one\r\n");
        EXPECT_EQ(co_await reader.read_until("\r\n\r\n"), "two\r\n\r\n");
        EXPECT_EQ(co_await reader.read(10), "rest");
    });
}

TEST(StreamReader, ReadUntilFindsASeparatorThatComesByteByByte) {
    run([]() -> coro<> {
        stream_reader reader;
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read_until("--abab--"); });
        for (const char c : std::string("x--ab--abab--y")) {
            reader.feed_data(std::string(1, c));
            co_await pass_by(2);
        }
        EXPECT_EQ(co_await t, "x--ab--abab--");
        EXPECT_EQ(co_await reader.read(10), "y");
    });
}

TEST(StreamReader, OfSeveralSeparatorsTheMatchThatEndsFirstWins) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("a--END;b;c");
        EXPECT_EQ(co_await reader.read_until(std::vector<std::string>{";", "--END"}), "a--END");
        EXPECT_EQ(co_await reader.read_until(std::vector<std::string>{"--END", ";"}), ";");
        EXPECT_EQ(co_await reader.read_until(std::vector<std::string>{"c", ";"}), "b;");
    });
}

TEST(StreamReader, OfTwoMatchesThatEndTogetherTheShorterCounts) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("xab", true, 2); // "b" begins at 2, which is within the limit
        EXPECT_EQ(co_await reader.read_until(std::vector<std::string>{"ab", "b"}), "xab");
    });
}

TEST(StreamReader, AnEmptySeparatorIsAnError) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abc");
        EXPECT_TRUE((co_await rondo::as_result(reader.read_until(""))).holds<rondo::value_error>());
        EXPECT_TRUE(
            (co_await rondo::as_result(reader.read_until(std::vector<std::string>{}))).holds<rondo::value_error>());
        EXPECT_TRUE((co_await rondo::as_result(reader.read_until(std::vector<std::string>{"a", ""})))
                        .holds<rondo::value_error>());
    });
}

TEST(StreamReader, ReadUntilAtTheEndHasThePartInItsError) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abc");
        auto r = co_await rondo::as_result(reader.read_until(";"));
        const auto* e = failure_of<rondo::incomplete_read_error>(r);
        EXPECT_TRUE(e && e->partial() == "abc" && !e->expected());
        EXPECT_TRUE(reader.at_eof());
    });
}

TEST(StreamReader, ASeparatorPastTheLimitIsFoundButRefused) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abcde;f", true, 4);
        auto r = co_await rondo::as_result(reader.read_until(";"));
        const auto* e = failure_of<rondo::limit_overrun_error>(r);
        EXPECT_TRUE(e && e->consumed() == 5u && std::string(e->what()).find("is found") != std::string::npos);
        EXPECT_EQ(co_await reader.read_exactly(5), "abcde"); // it stayed in the stream
        EXPECT_EQ(co_await reader.read_until(";"), ";");
    });
}

TEST(StreamReader, NoSeparatorWithinTheLimitSaysHowMuchIsCertainlyBeforeIt) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abcdefgh", false, 4);
        auto r = co_await rondo::as_result(reader.read_until("\r\n"));
        const auto* e = failure_of<rondo::limit_overrun_error>(r);
        EXPECT_TRUE(e && e->consumed() == 7u && std::string(e->what()).find("not found") != std::string::npos);
        reader.feed_eof();
        EXPECT_EQ(co_await reader.read(100), "abcdefgh");
    });
}

TEST(StreamReader, TheLimitCountsTheBytesBeforeTheSeparator) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("abcd\n12345\n", true, 4);
        EXPECT_EQ(co_await reader.read_until("\n"), "abcd\n");
        EXPECT_TRUE((co_await rondo::as_result(reader.read_until("\n"))).holds<rondo::limit_overrun_error>());
    });
}

TEST(StreamReader, ReadLineGivesLinesAndThenNothing) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("one\n\nlast");
        std::vector<std::string> lines;
        while (auto line = co_await reader.read_line()) lines.push_back(line->str());
        EXPECT_EQ(lines, (std::vector<std::string>{"one\n", "\n", "last"}));
        EXPECT_EQ(co_await reader.read_line(), std::nullopt);
    });
}

TEST(StreamReader, LinesGivesEachLineUpToTheEnd) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("one\n\nlast");
        std::vector<std::string> lines;
        RONDO_FOR_AWAIT(line, reader.lines()) lines.push_back(line.str());
        EXPECT_EQ(lines, (std::vector<std::string>{"one\n", "\n", "last"}));
    });
}

TEST(StreamReader, AnErrorEndsLinesAndTheNextOnesGoOn) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("ok\ntoolong\nok\n", true, 4);
        auto lines = reader.lines();
        EXPECT_EQ((co_await lines.next())->view(), "ok\n");
        EXPECT_TRUE((co_await rondo::as_result(lines.next())).holds<rondo::value_error>());
        EXPECT_EQ(co_await lines.next(), std::nullopt);
        auto rest = reader.lines();
        EXPECT_EQ((co_await rest.next())->view(), "ok\n");
        EXPECT_EQ(co_await rest.next(), std::nullopt);
    });
}

TEST(StreamReader, ALineOverTheLimitIsDiscarded) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("toolong\nok\n", true, 4);
        EXPECT_TRUE((co_await rondo::as_result(reader.read_line())).holds<rondo::value_error>());
        EXPECT_EQ((co_await reader.read_line())->view(), "ok\n");
    });
}

TEST(StreamReader, WhatHasComeOfALineOverTheLimitIsDiscarded) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("toolong", false, 4);
        EXPECT_TRUE((co_await rondo::as_result(reader.read_line())).holds<rondo::value_error>());
        reader.feed_data("ok\n");
        EXPECT_EQ((co_await reader.read_line())->view(), "ok\n");
    });
}

TEST(StreamReader, ASecondReaderIsToldBothMethods) {
    run([]() -> coro<> {
        stream_reader reader;
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read_until(";"); });
        co_await pass_by(5);
        auto r = co_await rondo::as_result(reader.read_exactly(3));
        const auto* e = failure_of<rondo::runtime_error>(r);
        EXPECT_TRUE(e && std::string(e->what()).find("read_exactly()") != std::string::npos &&
                    std::string(e->what()).find("read_until()") != std::string::npos);
        reader.feed_data("x;");
        EXPECT_EQ(co_await t, "x;"); // the first one is not disturbed
    });
}

TEST(StreamReader, AnExceptionWakesTheReaderAndFailsEveryLaterRead) {
    run([]() -> coro<> {
        stream_reader reader;
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read(1); });
        co_await pass_by(5);
        reader.set_exception(std::make_exception_ptr(std::domain_error("x")));
        EXPECT_TRUE((co_await rondo::as_result(std::move(t))).holds<std::domain_error>());
        reader.feed_data("data");
        EXPECT_TRUE((co_await rondo::as_result(reader.read(1))).holds<std::domain_error>());
        EXPECT_TRUE((co_await rondo::as_result(reader.read_line())).holds<std::domain_error>());
        EXPECT_TRUE(reader.exception() != nullptr);
    });
}

TEST(StreamReader, IsAtTheEndWhenEverythingWasRead) {
    run([]() -> coro<> {
        stream_reader reader = reader_with("ab");
        EXPECT_FALSE(reader.at_eof());
        co_await reader.read(2);
        EXPECT_TRUE(reader.at_eof());
        co_return;
    });
}

TEST(StreamReader, RefusesMisuse) {
    run([]() -> coro<> {
        EXPECT_THROW(stream_reader(0), rondo::value_error);
        stream_reader reader = reader_with("x");
        EXPECT_THROW(reader.feed_data("more"), rondo::runtime_error);
        stream_reader other = std::move(reader);
        EXPECT_TRUE((co_await rondo::as_result(reader.read(1)))
                        .holds<rondo::runtime_error>()); // NOLINT(bugprone-use-after-move)
        EXPECT_EQ(co_await other.read(1), "x");
    });
}

TEST(StreamReader, ACancelledReadTakesNothing) {
    run([]() -> coro<> {
        stream_reader reader;
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read_exactly(4); });
        co_await pass_by(5);
        reader.feed_data("ab");
        co_await pass_by(5);
        t.cancel();
        EXPECT_TRUE((co_await rondo::as_result(std::move(t))).cancelled());
        reader.feed_data("cd");
        EXPECT_EQ(co_await reader.read_exactly(4), "abcd");
    });
}

TEST(StreamReader, ACancellationThatComesWithTheBytesTakesNothing) {
    run([]() -> coro<> {
        stream_reader reader;
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read(4); });
        co_await pass_by(5);
        reader.feed_data("ab"); // the task is ready with it
        t.cancel();
        EXPECT_TRUE((co_await rondo::as_result(std::move(t))).cancelled());
        EXPECT_EQ(co_await reader.read(4), "ab");
    });
}

TEST(StreamReader, ReadsThatNeedNotWaitLeaveTheirTaskABudget) {
    run([]() -> coro<> {
        stream_reader reader = reader_with(std::string(1000, 'x'));
        int others = 0;
        auto t = rondo::create_task([&]() -> coro<> {
            for (;;) {
                ++others;
                co_await rondo::yield();
            }
        });
        for (int i = 0; i < 1000; ++i) co_await reader.read(1);
        EXPECT_GE(others, 5);
        t.cancel();
        static_cast<void>(co_await rondo::as_result(std::move(t)));
    });
}

TEST(StreamReader, KeepsBigAndSmallPiecesApart) {
    run([]() -> coro<> {
        stream_reader reader;
        std::string all;
        for (int i = 0; i < 200; ++i) {
            const std::string piece(static_cast<std::size_t>(1 + i * 97 % 9000), static_cast<char>('a' + i % 26));
            reader.feed_data(piece);
            all += piece;
        }
        reader.feed_eof();
        std::string got;
        for (std::size_t n = 1; !reader.at_eof(); n = n * 7 % 20'011 + 1) got += (co_await reader.read(n)).view();
        EXPECT_EQ(got, all);
    });
}

TEST(StreamReader, SaysWhatItWaitsFor) {
    run([]() -> coro<> {
        stream_reader reader;
        reader.feed_data("ab");
        auto t = rondo::create_task([&]() -> coro<bytes> { co_return co_await reader.read_exactly(4); });
        co_await pass_by(5);
        EXPECT_EQ(t.record().blocked_on->describe(), "read_exactly(4) on a stream in memory, 2 bytes are there");
        reader.feed_eof();
        static_cast<void>(co_await rondo::as_result(std::move(t)));
    });
}

} // namespace
