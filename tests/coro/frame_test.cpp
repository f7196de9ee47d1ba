// Where frames live: the free lists, and the header at frame + 16.
#include <rondo/coro/coro.hpp>
#include <rondo/coro/frame.hpp>

#include "support/operator_new.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace rondo::detail {
namespace {

TEST(FrameLists, ABlockThatWasFreedIsTheNextOneOfItsSize) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    void* a = allocate_block(100);
    free_block(a, 100);
    void* b = allocate_block(97); // the same class of 16 bytes
    EXPECT_EQ(a, b);
    free_block(b, 97);
    void* c = allocate_block(96);
    EXPECT_NE(a, c);
    free_block(c, 96);
}

TEST(FrameLists, InTheSteadyStateNothingIsAskedOfTheHeap) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    const auto round = [] {
        std::vector<void*> blocks;
        blocks.reserve(256);
        for (std::size_t size = 8; size <= 2048; size += 8) blocks.push_back(allocate_block(size));
        for (std::size_t i = blocks.size(); i-- > 0;) free_block(blocks[i], (i + 1) * 8);
    };
    round();
    const std::size_t refills = block_refills();
    const std::size_t before = test::operator_new_calls();
    for (int i = 0; i < 10; ++i) round();
    EXPECT_EQ(block_refills(), refills);
    EXPECT_EQ(test::operator_new_calls(), before + 10); // the vectors of this test
}

TEST(FrameLists, BlocksAreAlignedDoNotOverlapAndHoldTheirSize) {
    std::vector<std::pair<unsigned char*, std::size_t>> blocks;
    for (std::size_t size = 1; size < 5000; size = size * 3 / 2 + 1) {
        for (int i = 0; i < 3; ++i) {
            auto* block = static_cast<unsigned char*>(allocate_block(size));
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0U);
            std::memset(block, static_cast<int>(blocks.size()), size);
            blocks.emplace_back(block, size);
        }
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(blocks[i].first[0], static_cast<unsigned char>(i));
        EXPECT_EQ(blocks[i].first[blocks[i].second - 1], static_cast<unsigned char>(i));
        free_block(blocks[i].first, blocks[i].second);
    }
}

TEST(FrameLists, WhatIsLargerThanTwoKiBComesFromTheHeapEachTime) {
    const std::size_t before = block_refills();
    for (int i = 0; i < 3; ++i) free_block(allocate_block(4096), 4096);
    EXPECT_EQ(block_refills(), before + 3);
}

TEST(FrameLists, ABlockMayBeFreedInAnotherThread) {
    constexpr std::size_t many = 1000;
    std::vector<void*> blocks(many);
    std::thread([&] {
        for (void*& block : blocks) block = allocate_block(64);
    }).join();
    for (void* block : blocks) {
        std::memset(block, 1, 64);
        free_block(block, 64);
    }
    std::set<void*> again;
    for (std::size_t i = 0; i < many; ++i) again.insert(allocate_block(64));
    EXPECT_EQ(again.size(), many);
    for (void* block : again) free_block(block, 64);
}

TEST(FrameLists, WhatAThreadLeavesBehindIsUsedByTheNext) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    void* left = nullptr;
    constexpr std::size_t odd_size = 1904; // of a class that nothing else here uses
    std::thread([&] {
        left = allocate_block(odd_size);
        free_block(left, odd_size);
    }).join();
    void* found = nullptr;
    std::thread([&] {
        found = allocate_block(odd_size);
        free_block(found, odd_size);
    }).join();
    EXPECT_EQ(found, left);
}

TEST(FrameHeader, LiesAtFramePlusSixteen) {
    coro<int> c = []() -> coro<int> { co_return 1; }();
    auto frame = coro_access::release(c);
    EXPECT_EQ(static_cast<void*>(&header_of(frame)), static_cast<void*>(&frame.promise()));
    EXPECT_EQ(reinterpret_cast<std::byte*>(&frame.promise()) - static_cast<std::byte*>(frame.address()), 16);
    EXPECT_EQ(header_of(frame).task, nullptr);
    frame.destroy();
}

TEST(FrameHeader, AnOverAlignedLocalIsAligned) {
    struct alignas(64) wide {
        char bytes[64]{};
    };
    coro<bool> c = []() -> coro<bool> {
        wide local;
        co_return reinterpret_cast<std::uintptr_t>(&local) % 64 == 0;
    }();
    resumable end;
    end.resume = [](resumable*) noexcept {};
    auto frame = coro_access::release(c);
    frame.promise().continuation = end.handle();
    frame.resume();
    EXPECT_TRUE(frame.promise().outcome().value());
    frame.destroy();
}

} // namespace
} // namespace rondo::detail
