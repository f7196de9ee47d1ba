#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using gallery::test::finished;

std::string region(const std::filesystem::path& path, const std::string& name) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string all = text.str();
    const std::size_t begin = all.find("// region " + name + "\n");
    if (begin == std::string::npos) return "no region " + name + " in " + path.string();
    return all.substr(begin, all.find("// endregion", begin) - begin);
}

class Transformation : public testing::TestWithParam<std::string> {};

TEST_P(Transformation, WhatTheProgramDoesStaysToTheLetter) {
    const auto gallery = gallery::test::sources();
    EXPECT_EQ(region(gallery / "transformation" / (GetParam() + ".cpp"), "program"),
              region(gallery / (GetParam() + ".cpp"), "program"));
}

TEST_P(Transformation, TheMachineryShrinks) {
    const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
    const auto gallery = gallery::test::sources();
    EXPECT_LT(2 * lines(region(gallery / "transformation" / (GetParam() + ".cpp"), "machinery")),
              lines(region(gallery / (GetParam() + ".cpp"), "machinery")));
}

INSTANTIATE_TEST_SUITE_P(Of, Transformation, testing::Values("scheduler", "starvation", "busy-sleep"),
                         [](const auto& name) {
                             std::string text = name.param;
                             std::replace(text.begin(), text.end(), '-', '_');
                             return text;
                         });

TEST(TransformationOf, TheSchedulerPrintsTheSameLineByLine) {
    EXPECT_EQ(gallery::test::run("transformation", {"scheduler"}).out, gallery::test::run("scheduler").out);
}

TEST(TransformationOf, TheMetronomesBeatTheSame) {
    const finished run = gallery::test::run("transformation", {"busy-sleep", "--unit", "0.1"});
    const std::vector<std::string> beats = {"  tick 1",     "      tock 1", "  tick 2",
                                            "      tock 2", "  tick 3",     "      tock 3"};
    for (const std::string way : {"Asking for the time:", "With a timer:"}) {
        const std::size_t first = run.find(way) + 1;
        ASSERT_LE(first + beats.size(), run.out.size());
        const auto begin = run.out.begin() + static_cast<std::ptrdiff_t>(first);
        EXPECT_EQ(beats, (std::vector<std::string>{begin, begin + 6})) << way;
    }
}

TEST(TransformationOf, TheStarvingProgramIsCuredInTheSameWay) {
    double before = 0, after = 0;
    for (int attempt = 0; attempt < 3 && before <= 2 * after; ++attempt) {
        const finished run =
            gallery::test::run("transformation", {"starvation", "--digits", "16", "--interval", "0.005"});
        ASSERT_EQ(run.code, 0);
        std::sscanf(run.out.back().c_str(), "largest gap: %lf s before, %lf s after", &before, &after);
        ASSERT_GE(after, 0.005);
    }
    EXPECT_GT(before, 2 * after);
}

TEST(TransformationOf, OneOfThemExplainsItsOwnOptions) {
    const finished run = gallery::test::run("transformation", {"starvation", "--help"});
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.printed("usage: ./dev run gallery/transformation starvation [options]"));
    EXPECT_TRUE(run.printed("--interval S"));
}

} // namespace
