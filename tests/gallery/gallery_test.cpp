// What all programs of the gallery have in common.
#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace gallery::test {

namespace {

const std::filesystem::path root = sources().parent_path();

std::string identifier(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

std::string first_comment_of(const std::string& name) {
    const auto folder = root / "gallery" / name;
    std::ifstream source(is_directory(folder) ? folder / "main.cpp" : root / "gallery" / (name + ".cpp"));
    std::string line;
    std::getline(source, line);
    return line.starts_with("// ") ? line.substr(3) : "no comment in its first line";
}

class EachOf : public testing::TestWithParam<std::string> {};

TEST_P(EachOf, SaysWhatItIsForWhenAskedForHelp) {
    const finished run = test::run(GetParam(), {"--help"});
    EXPECT_EQ(run.code, 0);
    ASSERT_FALSE(run.out.empty());
    EXPECT_EQ(run.out[0], first_comment_of(GetParam())) << "its first comment line is what ./dev run gallery prints";
    EXPECT_TRUE(run.printed("usage: ./dev run gallery/" + GetParam()));
    EXPECT_TRUE(run.err.empty());
}

TEST_P(EachOf, RefusesAnUnknownOptionInOneLine) {
    const finished run = test::run(GetParam(), {"--no-such-option"});
    EXPECT_EQ(run.code, 2);
    EXPECT_TRUE(run.out.empty()) << run.text();
    ASSERT_EQ(run.err.size(), 1u);
    EXPECT_EQ(run.err[0], "gallery/" + GetParam() + ": does not know '--no-such-option'; --help lists its options");
}

TEST_P(EachOf, HasAPageThatTheIndexNames) {
    EXPECT_TRUE(exists(root / "docs/gallery" / (GetParam() + ".md")));
    std::stringstream index;
    index << std::ifstream(root / "docs/gallery/README.md").rdbuf();
    EXPECT_NE(index.str().find("(" + GetParam() + ".md)"), std::string::npos);
}

TEST(Gallery, IsListedWithALineForEachProgram) {
    const finished list = rondo::test::run_program(root / "dev", {"run", "gallery"});
    EXPECT_EQ(list.code, 0);
    EXPECT_EQ(list.out.size(), names().size());
    for (const std::string& name : names())
        EXPECT_TRUE(list.printed("  " + name + " ") && list.printed(" " + first_comment_of(name))) << name;
}

// They are the explanation: nothing of what they explain is taken from elsewhere.
class FromScratch : public testing::TestWithParam<const char*> {};

TEST_P(FromScratch, IncludesNothingOfTheLibrary) {
    std::ifstream source(root / "gallery" / (std::string(GetParam()) + ".cpp"));
    ASSERT_TRUE(source);
    for (std::string line; std::getline(source, line);) EXPECT_EQ(line.find("#include <rondo"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Gallery, FromScratch,
                         testing::Values("frames", "polling-tasks", "countdown", "send-and-throw", "delegation",
                                         "by-hand", "scheduler", "starvation", "busy-sleep"),
                         [](const auto& name) { return identifier(name.param); });

// The taste is shown whole in the README: it takes no options and needs no page.
std::vector<std::string> with_options() {
    auto all = names();
    std::erase(all, "taste");
    return all;
}

INSTANTIATE_TEST_SUITE_P(Gallery, EachOf, testing::ValuesIn(with_options()),
                         [](const auto& name) { return identifier(name.param); });

} // namespace
} // namespace gallery::test
