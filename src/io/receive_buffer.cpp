#include "io/receive_buffer.hpp"

#include "io/bytes_access.hpp"
#include "loop/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

namespace rondo::detail {

namespace {

constexpr std::size_t copied_at_most = 1023;    // up to here a copy costs less than another block
constexpr std::size_t worthwhile_share = 4;     // of a block: less would keep much memory for few bytes
constexpr unsigned small_before_shrinking = 16; // receives

} // namespace

void receive_buffer::drop_block() noexcept {
    if (block_) free_buffer(block_, capacity_);
    block_ = nullptr;
    capacity_ = begin_ = end_ = 0;
}

void receive_buffer::move_to(std::size_t capacity) {
    const std::size_t unread_bytes = size();
    std::byte* block = allocate_buffer(capacity);
    if (unread_bytes > 0) std::memcpy(block, block_ + begin_, unread_bytes);
    drop_block();
    block_ = block;
    capacity_ = capacity;
    end_ = unread_bytes;
}

void receive_buffer::make_room(std::size_t wanted) {
    if (empty()) begin_ = end_ = 0;
    const std::size_t room = capacity_ - end_;
    const std::size_t enough = std::max<std::size_t>(wanted, 1);
    if (room >= enough && room >= capacity_ / 4 && (!empty() || capacity_ >= guess_)) return;
    if (empty()) {
        const std::size_t capacity = std::max(guess_, enough);
        if (capacity_ < capacity) move_to(capacity);
    } else if (capacity_ - size() >= std::max(enough, capacity_ / 2)) {
        std::memmove(block_, block_ + begin_, size());
        end_ -= begin_;
        begin_ = 0;
    } else {
        move_to(std::max({capacity_ * 2, size() + enough, guess_}));
    }
}

receive_room receive_buffer::room(std::size_t wanted, bool block_will_do) {
    if (!block_will_do) {
        const std::span<std::byte> prepared = prepare(wanted);
        return {prepared.data(), prepared.size()};
    }
    asked_for_ = std::max(guess_, std::min(std::bit_ceil(wanted), largest_asked_for));
    return {nullptr, asked_for_};
}

void receive_buffer::received(std::size_t n, std::byte* at) {
    if (pinned_) {
        commit(n);
        return;
    }
    if (n == 0) return;
    adapt(n, asked_for_);
    if (empty()) {
        block_ = at;
        capacity_ = asked_for_;
        begin_ = 0;
        end_ = n;
        return;
    }
    struct given_back {
        ~given_back() { free_buffer(block, size); }
        std::byte* block;
        std::size_t size;
    } const after{at, asked_for_};
    append({at, n});
}

std::span<std::byte> receive_buffer::prepare(std::size_t wanted) {
    assert(!pinned_);
    make_room(wanted);
    pinned_ = true;
    return {block_ + end_, capacity_ - end_};
}

void receive_buffer::commit(std::size_t n) noexcept {
    assert(pinned_ && n <= capacity_ - end_);
    pinned_ = false;
    if (n > 0) adapt(n, capacity_ - end_);
    end_ += n;
    if (empty()) drop_block();
}

/// Follows what comes: a full room asks for twice as much, many small receives in a large block for half.
void receive_buffer::adapt(std::size_t received, std::size_t room) noexcept {
    if (received == room) {
        guess_ = std::min(std::bit_ceil(std::max(guess_, room)) * 2, largest_guess);
        small_receives_ = 0;
    } else if (guess_ > smallest_block && received < guess_ / 4) {
        if (++small_receives_ < small_before_shrinking) return;
        guess_ /= 2;
        small_receives_ = 0;
    } else {
        small_receives_ = 0;
    }
}

void receive_buffer::append(bytes_view more) {
    if (more.empty()) return;
    const std::span<std::byte> room = prepare(more.size());
    std::memcpy(room.data(), more.data(), more.size());
    pinned_ = false;
    end_ += more.size();
}

bytes receive_buffer::take(std::size_t n) {
    assert(n <= size());
    const std::size_t rest = size() - n;
    const bool worth_it = n > copied_at_most && n >= capacity_ / worthwhile_share && rest <= n / 2;
    if (pinned_ || !worth_it) {
        bytes copy = bytes_access::make(n);
        copy_out(copy.data(), n);
        return copy;
    }
    std::byte* rest_block = nullptr;
    std::size_t rest_capacity = 0;
    if (rest > 0) {
        rest_capacity = std::max(rest, guess_);
        rest_block = allocate_buffer(rest_capacity);
        std::memcpy(rest_block, block_ + begin_ + n, rest);
    }
    bytes whole = bytes_access::adopt(block_, capacity_, begin_, n);
    block_ = rest_block;
    capacity_ = rest_capacity;
    begin_ = 0;
    end_ = rest;
    return whole;
}

void receive_buffer::copy_out(std::byte* to, std::size_t n) noexcept {
    assert(n <= size());
    if (n > 0) std::memcpy(to, block_ + begin_, n);
    discard(n);
}

void receive_buffer::discard(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_ && !pinned_) drop_block();
}

void receive_buffer::release() noexcept {
    if (!pinned_) {
        begin_ = end_ = 0;
        drop_block();
    } else {
        begin_ = end_;
    }
}

} // namespace rondo::detail
