// How much fits: a number, or unbounded, which has to be said.
#pragma once

#include <cstddef>

namespace rondo {

struct unbounded_t {};
inline constexpr unbounded_t unbounded{};

/// The capacity of a queue or a channel.
class capacity {
public:
    constexpr capacity(std::size_t n) noexcept : n_(n) {}
    constexpr capacity(unbounded_t) noexcept : n_(static_cast<std::size_t>(-1)) {}

    constexpr bool is_unbounded() const noexcept { return n_ == static_cast<std::size_t>(-1); }
    constexpr std::size_t value() const noexcept { return n_; }

private:
    std::size_t n_;
};

} // namespace rondo
