// One direction of a connection, or a pipe: bytes that were sent, of which some have arrived.
#pragma once

#include <rondo/loop/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace rondo::sim::detail {

/// The window counts what is under way and what has arrived and was not read: a reader that does not read holds the writer
/// back.
class conduit {
public:
    void set_window(std::size_t bytes) noexcept { window_ = bytes; }
    std::size_t room() const noexcept { return stored() < window_ ? window_ - stored() : 0; }
    std::size_t readable() const noexcept { return arrived_; }
    bool end_arrived() const noexcept { return end_arrived_; }
    /// Everything was read, and no more will come.
    bool at_end() const noexcept { return end_arrived_ && arrived_ == 0; }

    void send(const std::byte* data, std::size_t n) { bytes_.insert(bytes_.end(), data, data + n); }
    void arrive(std::size_t n) noexcept { arrived_ = std::min(arrived_ + n, stored()); }
    void end() noexcept { end_arrived_ = true; }
    void read(std::byte* to, std::size_t n, bool peek) noexcept {
        std::memcpy(to, bytes_.data() + read_, n);
        if (peek) return;
        read_ += n;
        arrived_ -= n;
        if (read_ < bytes_.size() && read_ < 65536) return;
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(read_));
        read_ = 0;
    }
    /// What is under way is lost; what has arrived can still be read.
    void lose_what_is_under_way() noexcept { bytes_.resize(read_ + arrived_); }
    void lose_everything() noexcept {
        bytes_.clear();
        read_ = arrived_ = 0;
    }

    time_point last_arrival = time_point::min(); // bytes do not overtake each other

private:
    std::size_t stored() const noexcept { return bytes_.size() - read_; }

    std::vector<std::byte> bytes_; // from read_ on: arrived, then under way
    std::size_t read_ = 0;
    std::size_t arrived_ = 0;
    std::size_t window_ = 65536;
    bool end_arrived_ = false;
};

} // namespace rondo::sim::detail
