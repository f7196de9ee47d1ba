#include "base/duration_text.hpp"

#include "base/errors.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace mayhem {

TEST(DurationText, ReadsANumberWithAUnit) {
    EXPECT_EQ(parse_duration("20s"), 20s);
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("2m"), 2min);
    EXPECT_EQ(parse_duration("1.5h"), 90min);
    EXPECT_EQ(parse_duration("0s"), 0s);
    EXPECT_EQ(parse_duration("250us"), 250us);
}

TEST(DurationText, RefusesAnythingElseAndRepeatsIt) {
    for (const char* wrong : {"", "s", "20", "-1s", "20 s", "20x", "1e3s", "nans", "infs", "20sec", "900000000000h"}) {
        try {
            parse_duration(wrong);
            ADD_FAILURE() << wrong;
        } catch (const bad_input& e) {
            EXPECT_NE(std::string(e.what()).find('\'' + std::string(wrong) + '\''), std::string::npos) << e.what();
        }
    }
}

TEST(DurationText, PrintsInTheUnitThatFits) {
    EXPECT_EQ(format_duration(38ms), "38 ms");
    EXPECT_EQ(format_duration(1250ms), "1.25 s");
    EXPECT_EQ(format_duration(125s), "2 m 5 s");
    EXPECT_EQ(format_duration(120s), "2 m");
    EXPECT_EQ(format_duration(750us), "750 us");
    EXPECT_EQ(format_duration(5h + 30min), "5 h 30 m");
    EXPECT_EQ(format_duration(0ns), "0 ns");
}

} // namespace mayhem
