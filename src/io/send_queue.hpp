// The bytes that wait to be sent, in order: small ones copied together into chunks, large ones where their writers have them.
#pragma once

#include <rondo/io/detail/write_awaiter.hpp>

#include <array>
#include <cstddef>
#include <span>

#include <sys/socket.h>
#include <sys/uio.h>

namespace rondo::detail {

class send_queue {
public:
    send_queue() = default;
    send_queue(const send_queue&) = delete;
    send_queue& operator=(const send_queue&) = delete;
    /// Only chunks may be left.
    ~send_queue();

    bool empty() const noexcept { return head_ == nullptr; }
    std::size_t size() const noexcept { return size_; }
    outgoing* front() const noexcept { return head_; }

    /// Copies the pieces, all or nothing. Throws std::bad_alloc.
    void copy(std::span<const bytes_view> pieces);
    void push(outgoing& borrowed) noexcept;
    /// A borrowed one. O(length).
    void remove(outgoing& borrowed) noexcept;
    /// `n` bytes were sent. Each borrowed one that is finished is taken out and released() is said to its owner.
    void advance(std::size_t n) noexcept;
    /// Takes everything out; owners are told as by advance().
    void clear() noexcept;

    static constexpr std::size_t most_pieces = 16;
    /// The bytes at the front, in at most so many pieces; `last` becomes the last one that is in, even if in part.
    std::size_t gather(std::array<::iovec, most_pieces>& pieces, const outgoing*& last) const noexcept;

private:
    struct chunk;
    chunk* open_chunk() const noexcept;
    void append(outgoing& o) noexcept;
    void pop_front() noexcept;

    outgoing* head_ = nullptr;
    outgoing* tail_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace rondo::detail
