#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using gallery::test::finished;

const finished& polled() {
    static const finished run = gallery::test::run("polling-tasks", {"--virtual-time"});
    return run;
}

// The seconds in the line after `title` that begins with `words`.
double seconds_after(const std::string& title, const std::string& words) {
    const finished& run = polled();
    const std::size_t line = run.find(words, run.find(title));
    if (line == run.out.size()) return -1;
    return std::stod(run.out[line].substr(run.out[line].find(words) + words.size()));
}

TEST(PollingTasks, ResultsAreInTheOrderOfTheTasks) {
    const auto& out = polled().out;
    ASSERT_GE(out.size(), 5u);
    EXPECT_EQ(out[1], "  slept 1.0 s");
    EXPECT_EQ(out[2], "  fib(90) = 2880067194370816120");
    EXPECT_EQ(out[3], "  slept 0.5 s");
    EXPECT_EQ(out[4], "  fib(5) = 5");
}

TEST(PollingTasks, TogetherTheyTakeTheLongestTimeAndNotTheSum) {
    for (const std::string many : {"10 sleepers", "1000 sleepers"}) {
        const double sum = seconds_after(many, "they would take ");
        const double longest = seconds_after(many, "the longest takes ");
        EXPECT_GE(longest, 1.0) << many;
        EXPECT_LE(longest, 3.0) << many;
        EXPECT_GT(sum, 2 * longest) << many;
        EXPECT_NEAR(seconds_after(many, "together: "), longest, 0.11) << many;
    }
    EXPECT_GT(seconds_after("1000 sleepers", "they would take "), 1000);
}

TEST(PollingTasks, EveryOneIsAskedAgainAndAgain) {
    const std::string words = "and they were asked ";
    const finished& run = polled();
    const std::size_t ten = run.find(words, run.find("10 sleepers"));
    ASSERT_NE(ten, run.out.size());
    std::string number = run.out[ten].substr(run.out[ten].find(words) + words.size());
    std::erase(number, ',');
    // a millisecond between two questions, and each sleeps one second at least
    EXPECT_GT(std::stoull(number), 10'000u);
}

} // namespace
