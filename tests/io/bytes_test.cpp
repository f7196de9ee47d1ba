#include <rondo/io/bytes.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using rondo::bytes;
using rondo::bytes_view;

TEST(BytesView, SeesTextVectorsAndSpansAsTheyAre) {
    const std::string text = "abc";
    const std::vector<char> characters = {'x', 'y'};
    const std::array<std::uint16_t, 2> numbers = {0x4141, 0x4242};
    EXPECT_EQ(bytes_view("abc").view(), "abc");
    EXPECT_EQ(bytes_view(text).data(), reinterpret_cast<const std::byte*>(text.data()));
    EXPECT_EQ(bytes_view(characters).view(), "xy");
    EXPECT_EQ(bytes_view(std::span(numbers)).view(), "AABB");
    EXPECT_TRUE(bytes_view().empty());
}

TEST(BytesView, KeepsZeroBytes) {
    const std::string text("a\0b", 3);
    EXPECT_EQ(bytes_view(text).size(), 3u);
}

TEST(Bytes, OwnsACopy) {
    std::string text = "hello";
    const bytes b{bytes_view(text)};
    text[0] = 'j';
    EXPECT_EQ(b, "hello");
    EXPECT_EQ(b.str(), "hello");
    EXPECT_EQ(b, std::string_view("hello"));
    EXPECT_FALSE(b == "hell");
}

TEST(Bytes, CopiesAndMovesAsAValue) {
    bytes a{bytes_view("one")};
    bytes b = a;
    b += "two";
    EXPECT_EQ(a, "one");
    EXPECT_EQ(b, "onetwo");
    bytes c = std::move(b);
    EXPECT_EQ(c, "onetwo");
    EXPECT_TRUE(b.empty()); // NOLINT(bugprone-use-after-move): a moved-from bytes is empty
    b = c;
    EXPECT_EQ(b, c);
    a = std::move(c);
    EXPECT_EQ(a, "onetwo");
}

TEST(Bytes, GrowsByAppending) {
    bytes b;
    std::string expected;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece = std::to_string(i);
        b += piece;
        expected += piece;
    }
    EXPECT_EQ(b, expected);
}

TEST(Bytes, CanBeAppendedToThemselves) {
    bytes b{bytes_view("ab")};
    for (int i = 0; i < 10; ++i) b += b;
    EXPECT_EQ(b.size(), 2048u);
    EXPECT_EQ(b.view().substr(2046), "ab");
}

TEST(Bytes, CanBeFilled) {
    EXPECT_EQ(bytes(3, 'x'), "xxx");
    EXPECT_TRUE(bytes(0, 'x').empty());
    EXPECT_EQ(bytes(1'000'000, 'y').size(), 1'000'000u);
}

} // namespace
