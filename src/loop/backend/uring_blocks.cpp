#include "loop/backend/uring_blocks.hpp"

#include "loop/buffer_pool.hpp"

#include <algorithm>
#include <utility>

#include <sys/mman.h>

namespace rondo::detail {

namespace {

constexpr std::size_t ring_bytes = uring_blocks::most * sizeof(io_uring_buf);
constexpr unsigned refills_before_shrinking = 1024;
constexpr int mask = static_cast<int>(uring_blocks::most) - 1;

} // namespace

uring_blocks::uring_blocks(int ring) noexcept {
    void* memory = ::mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
    registration.ring_entries = most;
    registration.bgid = group;
    if (io_uring_register(static_cast<unsigned>(ring), IORING_REGISTER_PBUF_RING, &registration, 1) < 0) {
        ::munmap(memory, ring_bytes);
        return;
    }
    ring_ = static_cast<io_uring_buf_ring*>(memory);
    io_uring_buf_ring_init(ring_);
    for (std::size_t i = most; i-- > 0;) free_[free_count_++] = static_cast<std::uint16_t>(i);
    refill();
}

uring_blocks::~uring_blocks() {
    for (std::byte* block : blocks_) {
        if (block) free_buffer(block, block_bytes);
    }
    if (ring_) ::munmap(ring_, ring_bytes);
}

std::byte* uring_blocks::take(unsigned id) noexcept {
    free_[free_count_++] = static_cast<std::uint16_t>(id);
    --there_;
    return std::exchange(blocks_[id], nullptr);
}

void uring_blocks::ran_dry() noexcept {
    if (there_ > 0) return; // noticed, by another one
    wanted_ = std::min(wanted_ * 2, most);
    refill();
}

void uring_blocks::refill() noexcept {
    most_used_ = std::max(most_used_, wanted_ - std::min(wanted_, there_));
    if (++refills_ == refills_before_shrinking) {
        if (most_used_ * 4 < wanted_ && wanted_ > fewest) wanted_ /= 2;
        refills_ = 0;
        most_used_ = 0;
    }
    int added = 0;
    while (there_ < wanted_) {
        std::byte* const block = try_allocate_buffer(block_bytes);
        if (!block) break; // who finds none allocates, and hears of it
        const std::uint16_t id = free_[--free_count_];
        blocks_[id] = block;
        io_uring_buf_ring_add(ring_, block, block_bytes, id, mask, added++);
        ++there_;
    }
    if (added > 0) io_uring_buf_ring_advance(ring_, added);
}

} // namespace rondo::detail
