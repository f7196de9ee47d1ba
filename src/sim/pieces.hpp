// The buffers of an operation.
#pragma once

#include <rondo/loop/detail/operation.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

#include <sys/socket.h>
#include <sys/uio.h>

namespace rondo::sim::detail {

/// The buffers of an operation, from the byte on that its turn has come to.
class pieces {
public:
    explicit pieces(const rondo::detail::operation& op) noexcept : single_{op.buffer, op.size} {
        const bool several =
            op.kind == rondo::detail::operation_kind::sendmsg || op.kind == rondo::detail::operation_kind::recvmsg;
        all_ = several ? std::span<const ::iovec>(op.message->msg_iov, op.message->msg_iovlen)
                       : std::span<const ::iovec>(&single_, 1);
        for (const ::iovec& piece : all_) size_ += piece.iov_len;
    }
    pieces(const pieces&) = delete;
    pieces& operator=(const pieces&) = delete;
    std::size_t size() const noexcept { return size_; }
    /// move(address, size) for each part of [from, from + n).
    template <class F> void each(std::size_t from, std::size_t n, F move) const {
        for (const ::iovec& piece : all_) {
            const std::size_t skipped = std::min(from, piece.iov_len);
            const std::size_t part = std::min(n, piece.iov_len - skipped);
            if (part > 0) move(static_cast<std::byte*>(piece.iov_base) + skipped, part);
            from -= skipped;
            n -= part;
        }
    }

private:
    ::iovec single_;
    std::span<const ::iovec> all_;
    std::size_t size_ = 0;
};

} // namespace rondo::sim::detail
