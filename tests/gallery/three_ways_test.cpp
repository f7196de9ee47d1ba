#include "gallery/parts.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace {

using gallery::test::finished;
using gallery::test::lines;
using gallery::test::part;

TEST(ThreeWays, GeneratorsFibersAndCoroutinesSayTheSame) {
    const finished run = gallery::test::run("three-ways", {"--laps", "3"});
    EXPECT_EQ(run.code, 0);
    const lines said = part(run, "Generators");
    ASSERT_EQ(said.size(), 18u);
    EXPECT_EQ((lines{said.begin(), said.begin() + 6}),
              (lines{"  Ann begins lap 1", "  Bob begins lap 1", "  Eve begins lap 1", "  Ann ends lap 1",
                     "  Ann begins lap 2", "  Bob ends lap 1"}));
    EXPECT_EQ(part(run, "Fibers"), said);
    EXPECT_EQ(part(run, "Coroutines"), said);
    EXPECT_TRUE(run.printed("The same: yes"));
}

TEST(ThreeWays, TellsWhoSwitchesWhere) {
    const finished run = gallery::test::run("three-ways");
    std::ifstream source(gallery::test::sources() / "three-ways.cpp");
    lines text{""};
    for (std::string line; std::getline(source, line);) text.push_back(line);

    lines switching; // the lines of the source that the list names
    for (std::size_t i = run.find("lap(), line "); i < run.out.size(); i = run.find("lap(), line ", i + 1)) {
        EXPECT_NE(run.out[i].find("6 times"), std::string::npos) << "three runners, two laps each";
        const std::size_t number = std::stoul(run.out[i].substr(run.out[i].find("line ") + 5));
        switching.push_back(number < text.size() ? text[number] : "");
    }
    EXPECT_EQ(switching, (lines{"    co_yield here();", "    give_way(out);", "    co_await give_way(out);"}));
}

} // namespace
