// What all programs of the gallery have in common.
#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace gallery::test {

std::string path_of(std::string_view name) { return std::string(GALLERY_BIN "/gallery-").append(name); }

std::vector<std::string> names() {
    std::vector<std::string> all;
    std::istringstream list(GALLERY_NAMES);
    for (std::string name; std::getline(list, name, ',');) all.push_back(name.substr(name.find('-') + 1));
    return all;
}

namespace {

const std::filesystem::path root = GALLERY_ROOT;

std::string first_comment_of(const std::string& name) {
    const auto folder = root / "gallery" / name;
    std::ifstream source(is_directory(folder) ? folder / "main.cpp" : root / "gallery" / (name + ".cpp"));
    std::string line;
    std::getline(source, line);
    return line.starts_with("// ") ? line.substr(3) : "no comment in its first line";
}

class Gallery : public testing::TestWithParam<std::string> {};

TEST_P(Gallery, SaysWhatItIsForWhenAskedForHelp) {
    const finished run = test::run(GetParam(), {"--help"});
    EXPECT_EQ(run.code, 0);
    ASSERT_FALSE(run.out.empty());
    EXPECT_EQ(run.out[0], first_comment_of(GetParam())) << "its first comment line is what ./dev run gallery prints";
    EXPECT_TRUE(run.printed("usage: ./dev run gallery/" + GetParam()));
    EXPECT_TRUE(run.err.empty());
}

TEST_P(Gallery, RefusesAnUnknownOptionInOneLine) {
    const finished run = test::run(GetParam(), {"--no-such-option"});
    EXPECT_EQ(run.code, 2);
    EXPECT_TRUE(run.out.empty()) << run.text();
    ASSERT_EQ(run.err.size(), 1u);
    EXPECT_EQ(run.err[0], "gallery/" + GetParam() + ": does not know '--no-such-option'; --help lists its options");
}

TEST_P(Gallery, HasAPageThatTheIndexNames) {
    EXPECT_TRUE(exists(root / "docs/gallery" / (GetParam() + ".md")));
    std::stringstream index;
    index << std::ifstream(root / "docs/gallery/README.md").rdbuf();
    EXPECT_NE(index.str().find("(" + GetParam() + ".md)"), std::string::npos);
}

// The taste is shown whole in the README: it takes no options and needs no page.
std::vector<std::string> with_options() {
    auto all = names();
    std::erase(all, "taste");
    return all;
}

INSTANTIATE_TEST_SUITE_P(Each, Gallery, testing::ValuesIn(with_options()), [](const auto& name) {
    std::string text = name.param;
    for (char& c : text)
        if (c == '-') c = '_';
    return text;
});

} // namespace
} // namespace gallery::test
