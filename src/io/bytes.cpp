#include <rondo/io/bytes.hpp>

#include "loop/buffer_pool.hpp"

#include <algorithm>

namespace rondo {

bytes::bytes(std::size_t count, char fill) {
    if (count == 0) return;
    capacity_ = count;
    block_ = detail::allocate_buffer(capacity_);
    size_ = count;
    std::memset(block_, fill, count);
}

void bytes::free_block() noexcept { detail::free_buffer(block_, capacity_); }

bytes& bytes::operator+=(bytes_view more) {
    if (more.empty()) return *this;
    if (capacity_ - begin_ - size_ < more.size()) {
        std::size_t capacity = std::max(size_ + more.size(), size_ * 2);
        std::byte* block = detail::allocate_buffer(capacity);
        if (size_ > 0) std::memcpy(block, data(), size_);
        std::memcpy(block + size_, more.data(),
                    more.size()); // before the old block goes, which `more` may be a part of
        if (block_) free_block();
        block_ = block;
        capacity_ = capacity;
        begin_ = 0;
    } else {
        std::memcpy(data() + size_, more.data(), more.size());
    }
    size_ += more.size();
    return *this;
}

} // namespace rondo
