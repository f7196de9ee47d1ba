#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using gallery::test::finished;
using lines = std::vector<std::string>;

lines half(const finished& run, const std::string& title) {
    lines found;
    for (std::size_t i = run.find(title) + 1; i < run.out.size() && !run.out[i].empty(); ++i)
        found.push_back(run.out[i]);
    return found;
}

TEST(ByHand, ItYieldsZeroThenFiveAndEnds) {
    const finished run = gallery::test::run("by-hand");
    EXPECT_EQ(run.code, 0);
    EXPECT_EQ(half(run, "The coroutine"),
              (lines{"  step 1:", "    the coroutine: I begin", "    it yields 0: leave me alone for 0 s",
                     "  (0 s pass)", "  step 2:", "    the coroutine: I have slept",
                     "    it yields 5: leave me alone for 5 s", "  (5 s pass)",
                     "  step 3:", "    the coroutine: I have slept", "    the coroutine: I end", "    it ended"}));
}

TEST(ByHand, TheStateMachineDoesTheSame) {
    const finished run = gallery::test::run("by-hand");
    EXPECT_EQ(half(run, "The same, written by hand"), half(run, "The coroutine"));
}

TEST(ByHand, OnATerminalAPersonIsItsEventLoop) {
    const finished run = gallery::test::run_on_terminal("by-hand");
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.printed("You are its event loop: count to 5 and press Enter."));
    EXPECT_TRUE(run.printed("it ended")) << "the end of the input counts as Enter";
}

} // namespace
