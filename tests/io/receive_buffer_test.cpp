// Where a connection keeps what it has received and nobody has read yet.
#include "io/bytes_access.hpp"
#include "io/receive_buffer.hpp"
#include "loop/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace rondo::detail {
namespace {

/// As a backend does it: a block is taken when there are bytes.
void bring(receive_buffer& to, const receive_room& room, std::string_view text) {
    ASSERT_LE(text.size(), room.size);
    std::byte* const at = room.at ? room.at : try_allocate_buffer(room.size);
    std::memcpy(at, text.data(), text.size());
    to.received(text.size(), at);
}
std::string all_of(receive_buffer& b) { return b.take(b.size()).str(); }

TEST(ReceiveBuffer, WithNothingUnreadItAsksForABlockInsteadOfHoldingOne) {
    receive_buffer b;
    for (const char* text : {"one", "two"}) {
        const receive_room room = b.room(0, true);
        EXPECT_EQ(room.at, nullptr);
        EXPECT_EQ(room.size, receive_buffer::smallest_block);
        bring(b, room, text);
        EXPECT_EQ(all_of(b), text);
    }
}

TEST(ReceiveBuffer, WhatComesInABlockBehindWhatIsUnreadKeepsTheOrder) {
    receive_buffer b;
    bring(b, b.room(0, true), "first ");
    const receive_room ahead = b.room(0, true);
    EXPECT_EQ(ahead.at, nullptr);
    bring(b, ahead, "second ");
    bring(b, b.room(0, false), "third");
    EXPECT_EQ(all_of(b), "first second third");
}

TEST(ReceiveBuffer, WhatIsReadWhileABlockIsOutLeavesNothingBehind) {
    receive_buffer b;
    bring(b, b.room(0, true), "read meanwhile");
    const receive_room ahead = b.room(0, true);
    EXPECT_EQ(all_of(b), "read meanwhile");
    bring(b, ahead, "next");
    EXPECT_EQ(all_of(b), "next");
}

TEST(ReceiveBuffer, ABlockThatBringsNothingIsNone) {
    receive_buffer b;
    static_cast<void>(b.room(0, true));
    b.received(0, nullptr);
    EXPECT_TRUE(b.empty());
    bring(b, b.room(0, true), "later");
    EXPECT_EQ(all_of(b), "later");
}

TEST(ReceiveBuffer, FullBlocksAskForLargerOnesAndSmallReceivesForSmallerOnesAgain) {
    receive_buffer b;
    std::size_t largest = 0;
    for (int i = 0; i < 8; ++i) {
        const receive_room room = b.room(0, true);
        largest = room.size;
        bring(b, room, std::string(room.size, 'x'));
        b.discard(b.size());
    }
    EXPECT_EQ(largest, receive_buffer::largest_guess);
    for (int i = 0; i < 100; ++i) {
        bring(b, b.room(0, true), "small");
        b.discard(b.size());
    }
    EXPECT_EQ(b.room(0, true).size, receive_buffer::smallest_block);
    b.received(0, nullptr);
}

TEST(ReceiveBuffer, AskedForMuchItGivesRoomForThatMuchUpToWhatThePoolKeeps) {
    receive_buffer b;
    EXPECT_EQ(b.room(100'000, true).size, 131'072u);
    b.received(0, nullptr);
    EXPECT_EQ(b.room(std::size_t{1} << 30, true).size, receive_buffer::largest_asked_for);
    b.received(0, nullptr);
}

} // namespace
} // namespace rondo::detail
