// mayhem-steps: what each step adds.
#include "gallery/caller.hpp"
#include "gallery/numbers.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace gallery::test {
namespace {

finished step(const std::string& name) {
    const finished run = test::run("mayhem-steps", {"--step", name, "--virtual-time"});
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.err.empty()) << run.err.front();
    EXPECT_EQ(run.out.at(0), name);
    return run;
}

/// When the first line with this text was printed, in seconds.
double when(const finished& run, const std::string& text, std::size_t from = 0) {
    const std::size_t line = run.find(text, from);
    if (line == run.out.size()) {
        ADD_FAILURE() << "'" << text << "' was not printed:\n" << run.text();
        return -1;
    }
    return numbers_in(run.out[line]).at(0);
}

int count(const finished& run, const std::string& text) {
    int lines = 0;
    for (std::size_t at = run.find(text); at < run.out.size(); at = run.find(text, at + 1)) ++lines;
    return lines;
}

TEST(MayhemSteps, SequentialTakesTheSum) {
    const finished run = step("sequential");
    EXPECT_EQ(when(run, "done"), 3.0) << "five requests of 100 + 300 + 200 ms";
    EXPECT_LT(when(run, "request 5 published"), when(run, "host-1 restarted"));
    EXPECT_LT(run.find("host-1 saved"), run.find("host-2 restarted"));
}

TEST(MayhemSteps, ConcurrentTakesTheLongest) {
    const finished run = step("concurrent");
    EXPECT_EQ(when(run, "0.80 s  done"), 0.8) << "the fifth comes after 500 ms and takes 300";
    EXPECT_LT(when(run, "host-1 saved"), when(run, "host-1 restarted"));
    EXPECT_LT(when(run, "host-1 done"), when(run, "request 5 published"));
}

TEST(MayhemSteps, ExtendedEndsWithTheWorkAndNotWithItsNextTick) {
    const finished run = step("extended");
    for (const std::string host : {"host-1", "host-2", "host-3"}) {
        EXPECT_EQ(count(run, host + " lease extended"), 2) << "after 120 and 240 ms, the work takes 300";
        EXPECT_LT(run.find(host + " lease extended"), run.find(host + " acknowledged"));
    }
    EXPECT_EQ(when(run, "s  done"), 0.6);
}

TEST(MayhemSteps, ShutDownAccountsForEveryRequest) {
    const finished run = step("shut-down");
    const std::size_t told = run.find("signal 15");
    EXPECT_LT(told, run.find("the rest is cancelled")) << run.text();
    const auto books = numbers_in(run.out.at(run.find("requests taken = ")));
    ASSERT_EQ(books.size(), 4u); // the time first
    EXPECT_EQ(books[1], books[2] + books[3]);
    EXPECT_EQ(count(run, "acknowledged") - 1, books[2]);
    EXPECT_EQ(count(run, "given back") - 1, books[3]);
    EXPECT_GE(books[3], 1) << "a restart takes longer than the grace";
}

TEST(MayhemSteps, ShutDownListensToCtrlC) {
    in_time([]() -> rondo::coro<> {
        auto p = co_await test::start("mayhem-steps", {"--step", "shut-down"});
        co_await p->until_printed("host-1 saved");
        p->send_signal(SIGINT);
        const finished end = co_await p->finish();
        EXPECT_EQ(end.code, 0);
        EXPECT_TRUE(end.printed("signal 2: no more requests are taken") || end.printed("signal 15")) << end.text();
    });
}

TEST(MayhemSteps, HandlingErrorsKeepsTheTroubleOfOneRequestFromTheOthers) {
    const finished run = step("handling-errors");
    for (const char* host : {"host-1", "host-5"}) EXPECT_EQ(count(run, std::string(host) + " acknowledged"), 1);
    for (const char* host : {"host-2", "host-4"}) {
        EXPECT_EQ(count(run, std::string(host) + " saved"), 1) << "is not left alone by its failed sibling";
        EXPECT_EQ(count(run, std::string(host) + " given up: it does not answer"), 1);
    }
    EXPECT_TRUE(run.printed("host-3 failed in a way that nobody expected: a bug")) << run.text();
    EXPECT_EQ(count(run, "acknowledged"), 2);
}

TEST(MayhemSteps, ThreadedPullsInAThreadAndTheLoopGoesOn) {
    const finished run = step("threaded");
    EXPECT_EQ(count(run, "pulled by a thread"), 5);
    EXPECT_EQ(count(run, "acknowledged"), 5);
    EXPECT_LT(run.find("host-1 acknowledged"), run.find("host-5 pulled")) << "they are handled meanwhile";
    EXPECT_LT(numbers_after(run, "never away for longer than ")[0], 100) << "a pull blocks for 100 ms";
}

TEST(MayhemSteps, TestedFindsTheRequestThatIsLost) {
    const finished run = step("tested");
    EXPECT_TRUE(run.printed("acknowledge when all is done: right after 1000 schedules")) << run.text();
    EXPECT_TRUE(run.printed("acknowledge once the host is restarted: wrong after")) << run.text();
    EXPECT_TRUE(run.printed("acknowledged and not saved: lost")) << run.text();
    EXPECT_TRUE(run.printed("the database fails")) << "the one deviation that is left when it is shrunk\n"
                                                   << run.text();
    EXPECT_TRUE(run.printed("RONDO_SIM_REPLAY=")) << run.text();
}

TEST(MayhemSteps, DebuggedNamesTheRequestThatIsStuckAndWhereItWaits) {
    const finished run = step("debugged");
    const std::size_t question = run.find("still there:");
    const std::size_t stuck = run.find("Task(name='request 2'", question);
    const std::size_t place = run.find("debugged.cpp", question);
    ASSERT_LT(place, run.out.size()) << run.text();
    EXPECT_LT(stuck, place);
    EXPECT_NE(run.out[place].find("health_page"), std::string::npos) << run.out[place];
    EXPECT_EQ(run.find("Task(name='request 1'"), run.out.size()) << run.text();
    EXPECT_EQ(when(run, "done"), 1.0) << "and it can be ended";
}

TEST(MayhemSteps, ProfiledNamesThePartThatKeepsTheLoopBusy) {
    // A program that others crowd out looks busy: it may try again.
    bool told = false;
    for (int attempt = 0; attempt < 5 && !told; ++attempt) {
        const finished run = step("profiled");
        const auto restart = numbers_after(run, "restart  ");
        const auto save = numbers_after(run, "save  ");
        const auto from_thread = numbers_after(run, "save, from a thread");
        EXPECT_EQ(restart[0], 6) << "three, of two steps each";
        EXPECT_EQ(save[0], 6);
        EXPECT_EQ(from_thread[0], 9) << "and one more, back from the thread";
        told = save[1] > 3 * from_thread[1];
    }
    EXPECT_TRUE(told);
}

TEST(MayhemSteps, AllRunOneAfterTheOtherAndAnUnknownOneIsRefused) {
    const finished run = test::run("mayhem-steps", {"--virtual-time"});
    EXPECT_EQ(run.code, 0);
    std::size_t at = 0;
    for (const char* name : {"sequential", "concurrent", "extended", "shut-down", "handling-errors", "threaded",
                             "tested", "debugged", "profiled"}) {
        const std::size_t next = run.find(name, at);
        EXPECT_LT(next, run.out.size()) << name;
        at = next;
    }
    const finished refused = test::run("mayhem-steps", {"--step", "finished"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_EQ(refused.err.size(), 1u);
}

} // namespace
} // namespace gallery::test
