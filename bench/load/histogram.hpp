// Durations, each kept within 1.6 %: 64 slots for each power of two.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class histogram {
public:
    void add(std::uint64_t nanoseconds) noexcept {
        ++slots_[slot_of(nanoseconds)];
        ++count_;
    }
    void clear() noexcept { *this = histogram(); }

    /// In microseconds; 0 when empty.
    double percentile(double share) const noexcept {
        const auto wanted = static_cast<std::uint64_t>(static_cast<double>(count_) * share);
        std::uint64_t seen = 0;
        for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
            seen += slots_[slot];
            if (seen > wanted) return value_of(slot) / 1000.0;
        }
        return 0;
    }

private:
    static std::size_t slot_of(std::uint64_t v) noexcept {
        if (v < 64) return v;
        const auto exponent = static_cast<unsigned>(63 - std::countl_zero(v));
        return (exponent - 5) * 64 + ((v >> (exponent - 6)) & 63);
    }
    static double value_of(std::size_t slot) noexcept {
        if (slot < 64) return static_cast<double>(slot);
        const std::size_t exponent = slot / 64 + 5;
        return static_cast<double>((1ull << exponent) + ((slot & 63ull) << (exponent - 6)));
    }

    std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(64 * 60);
    std::uint64_t count_ = 0;
};

} // namespace load
