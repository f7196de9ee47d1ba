// The bytes that have come in and were not read yet, and the room where the next ones go.
#pragma once

#include <rondo/io/bytes.hpp>

#include "io/stream_consumer.hpp"

#include <cstddef>
#include <span>

namespace rondo::detail {

/// One block: [begin, end) is unread, what follows is room; no block while nothing is unread. prepare() pins the room: the kernel
/// may be writing there, so the block neither moves nor changes hands until commit().
class receive_buffer {
public:
    receive_buffer() = default;
    receive_buffer(const receive_buffer&) = delete;
    receive_buffer& operator=(const receive_buffer&) = delete;
    ~receive_buffer() { drop_block(); }

    std::size_t size() const noexcept { return end_ - begin_; }
    bool empty() const noexcept { return begin_ == end_; }
    bytes_view unread() const noexcept { return {block_ + begin_, size()}; }
    bool pinned() const noexcept { return pinned_; }

    /// Where the next bytes go, at least one. `block_will_do`: a block that comes with them is as good as room behind what is
    /// unread, which would have to be held until then. Throws std::bad_alloc.
    receive_room room(std::size_t wanted, bool block_will_do);
    /// `n` bytes came there. Throws std::bad_alloc: those of a block found no room behind what is unread, and are lost.
    void received(std::size_t n, std::byte* at);

    /// Room for the next bytes, at least one; `wanted` says how many more are certain to be needed. Throws std::bad_alloc.
    std::span<std::byte> prepare(std::size_t wanted);
    /// `n` bytes were written into the room.
    void commit(std::size_t n) noexcept;
    void append(bytes_view more);

    /// The first n bytes, taken out. Large ones are not copied: the block goes with them.
    bytes take(std::size_t n);
    void copy_out(std::byte* to, std::size_t n) noexcept;
    void discard(std::size_t n) noexcept;
    /// Gives back all memory that is not pinned.
    void release() noexcept;

    static constexpr std::size_t smallest_block = 4096; // one page
    static constexpr std::size_t largest_guess = 65536; // more at once is not faster: it leaves the processor's caches
    static constexpr std::size_t largest_asked_for = std::size_t{256} * 1024; // the largest that the pool keeps

private:
    void make_room(std::size_t wanted);
    void move_to(std::size_t capacity);
    void adapt(std::size_t received, std::size_t room) noexcept;
    void drop_block() noexcept;

    std::byte* block_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t guess_ = smallest_block; // how much may come at once, from what came before
    std::size_t asked_for_ = 0;          // the size of a block that is to come
    unsigned small_receives_ = 0;
    bool pinned_ = false;
};

} // namespace rondo::detail
