// threads-processes-coroutines: all do the work, and what it costs each.
#include "gallery/numbers.hpp"

#include <gtest/gtest.h>

namespace gallery::test {
namespace {

TEST(ThreadsProcessesCoroutines, AllWaitAtTheSameTimeAndCoroutinesNeedLeastForIt) {
    const finished run = test::run("threads-processes-coroutines");
    EXPECT_EQ(run.code, 0) << run.text();
    EXPECT_TRUE(run.err.empty());
    enum column { answers, time, memory, switches };
    const auto threads = numbers_after(run, "threads  ");
    const auto processes = numbers_after(run, "processes ");
    const auto coroutines = numbers_after(run, "coroutines ");
    for (const auto& way : {threads, processes, coroutines}) {
        EXPECT_EQ(way[answers], 1000) << run.text();
        EXPECT_GE(way[time], 200) << "ten answers of 20 ms, one after the other";
        EXPECT_LT(way[time], 20'000) << "a hundred jobs, all at a time";
    }
    EXPECT_LT(coroutines[memory], processes[memory]) << run.text();
    EXPECT_LT(threads[memory], processes[memory]) << run.text();
    EXPECT_LT(3 * coroutines[switches], threads[switches]) << run.text();
    EXPECT_LT(3 * coroutines[switches], processes[switches]) << run.text();
}

TEST(ThreadsProcessesCoroutines, TakesNumbers) {
    const finished run = test::run("threads-processes-coroutines", {"--jobs", "3", "--requests", "2"});
    EXPECT_EQ(run.code, 0);
    for (const char* way : {"threads  ", "processes ", "coroutines "}) EXPECT_EQ(numbers_after(run, way)[0], 6);
}

} // namespace
} // namespace gallery::test
