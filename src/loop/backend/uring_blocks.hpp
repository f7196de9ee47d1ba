// Blocks that the kernel may fill: memory is chosen when bytes have come, so that who waits holds none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <liburing.h>

namespace rondo::detail {

/// A ring of blocks of the buffer pool, registered with an io_uring (Linux 5.19). The kernel takes the oldest for each receive that
/// selects one. What it has filled is the receiver's; another takes its place in refill().
///
/// How many lie there follows what is used between two refills: a receive that found none doubles it, and it is halved when
/// for long a quarter would have done. So few blocks serve few active connections, out of the processor's caches, and
/// thousands that come at once miss only a few times.
class uring_blocks {
public:
    static constexpr std::size_t block_bytes = 4096;
    static constexpr unsigned group = 1;

    /// By the thread whose ring it is. usable() tells whether the kernel has taken it.
    explicit uring_blocks(int ring) noexcept;
    /// After the io_uring is gone.
    ~uring_blocks();
    uring_blocks(const uring_blocks&) = delete;
    uring_blocks& operator=(const uring_blocks&) = delete;

    bool usable() const noexcept { return ring_ != nullptr; }
    /// The one that the kernel has filled; the caller's.
    std::byte* take(unsigned id) noexcept;
    /// A receive found none.
    void ran_dry() noexcept;
    void refill() noexcept;

    static constexpr std::size_t fewest = 32;
    static constexpr std::size_t most = 1024; // 4 MiB

private:
    io_uring_buf_ring* ring_ = nullptr;
    std::size_t wanted_ = fewest; // to lie there after a refill
    std::size_t there_ = 0;
    std::size_t most_used_ = 0; // between two refills, of those that are counted in refills_
    unsigned refills_ = 0;
    std::size_t free_count_ = 0;
    std::array<std::uint16_t, most> free_; // numbers without a block
    std::array<std::byte*, most> blocks_{};
};

} // namespace rondo::detail
