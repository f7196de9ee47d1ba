#include "gallery/gallery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace {

using gallery::test::finished;

// The number after `words` in the first line from `from` on that has them.
std::uint64_t number_after(const finished& run, const std::string& words, std::size_t from = 0) {
    const std::size_t line = run.find(words, from);
    if (line == run.out.size()) return 0;
    return std::stoull(run.out[line].substr(run.out[line].find(words) + words.size()), nullptr, 0);
}

TEST(Frames, FunctionsUseTheSamePieceOfTheStackInTurn) {
    const finished run = gallery::test::run("frames");
    EXPECT_EQ(run.code, 0);
    const auto main = number_after(run, "main runs in its frame at ");
    const auto four = number_after(run, "square(4) runs in its frame at ");
    EXPECT_LT(four, main) << "the stack grows downwards";
    EXPECT_LT(main - four, 64u * 1024);
    EXPECT_EQ(number_after(run, "square(5) runs in its frame at "), four);
    EXPECT_TRUE(run.printed("square(4) = 16"));
}

TEST(Frames, CallingACoroutineRunsNothingOfIt) {
    const finished run = gallery::test::run("frames");
    const std::size_t called = run.find("it is called ...");
    EXPECT_EQ(run.find("nothing of its body ran"), called + 1);
    EXPECT_GT(run.find("the body runs"), called + 1);
    EXPECT_NE(run.find("square(4) = 16, and it is done"), run.out.size());
}

TEST(Frames, WhatACoroutineKeepsIsInItsFrameOnTheHeap) {
    const finished run = gallery::test::run("frames");
    const auto bytes = number_after(run, "There is a frame of ");
    const auto frame = number_after(run, " bytes at ");
    for (const char* name : {"with x at ", "and result at "}) {
        EXPECT_GE(number_after(run, name), frame) << name;
        EXPECT_LT(number_after(run, name), frame + bytes) << name;
    }
    const auto stack = number_after(run, "the body runs on the stack at ");
    EXPECT_GT(stack > frame ? stack - frame : frame - stack, 1024u * 1024) << "the frame is nowhere near the stack";
    EXPECT_TRUE(run.printed("result is still 16"));
    EXPECT_GT(number_after(run, "both sides: a frame of "), 1000u);
}

TEST(Frames, OnlyTheResumePointChangesBetweenTwoSuspensions) {
    const finished run = gallery::test::run("frames");
    const std::size_t line = run.find("of the frame:");
    ASSERT_NE(line, run.out.size());
    EXPECT_THAT(run.out[line], testing::EndsWith("1 became 2: the resume point"));
    EXPECT_EQ(run.find("of the frame:", line + 1), run.out.size());
}

} // namespace
