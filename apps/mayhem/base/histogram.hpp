// Durations counted in buckets: constant memory, quantiles within 1/16 of the value.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace mayhem {

/// Log-linear buckets: sixteen for each power of two of nanoseconds. Recording costs a few instructions.
class histogram {
public:
    using duration = std::chrono::nanoseconds;

    void record(duration d) noexcept {
        const auto ns = static_cast<std::uint64_t>(std::max<duration::rep>(d.count(), 0));
        ++buckets_[bucket_of(ns)];
        ++count_;
        max_ = std::max(max_, duration(static_cast<duration::rep>(ns)));
    }

    /// The upper edge of the bucket that holds the quantile, q in [0, 1]; zero when nothing was recorded.
    duration quantile(double q) const noexcept {
        if (count_ == 0) return duration::zero();
        const auto rank =
            std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen >= rank) return std::min(upper_edge(i), max_);
        }
        return max_;
    }

    duration max() const noexcept { return max_; }
    std::uint64_t count() const noexcept { return count_; }

private:
    static constexpr unsigned sub_bits = 4;
    static constexpr std::size_t per_power = 1u << sub_bits;

    static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
        if (ns < per_power) return static_cast<std::size_t>(ns);
        const auto shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - sub_bits;
        return per_power * (shift + 1) + static_cast<std::size_t>((ns >> shift) & (per_power - 1));
    }
    static constexpr duration upper_edge(std::size_t bucket) noexcept {
        if (bucket < per_power) return duration(static_cast<duration::rep>(bucket));
        const std::size_t shift = bucket / per_power - 1;
        const std::uint64_t low = (std::uint64_t{per_power} + bucket % per_power) << shift;
        return duration(static_cast<duration::rep>(low + (std::uint64_t{1} << shift) - 1));
    }

    // Values are below 2^63: the highest bucket is that of 2^63 - 1.
    std::array<std::uint64_t, per_power * (63 - sub_bits + 1)> buckets_{};
    std::uint64_t count_ = 0;
    duration max_{};
};

} // namespace mayhem
