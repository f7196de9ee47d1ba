// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of journal records.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mayhem {

namespace detail {
constexpr std::array<std::uint32_t, 256> make_crc32c_table() noexcept {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
        table[byte] = crc;
    }
    return table;
}
inline constexpr std::array<std::uint32_t, 256> crc32c_table = make_crc32c_table();
} // namespace detail

constexpr std::uint32_t crc32c(std::string_view data) noexcept {
    std::uint32_t crc = 0xFFFFFFFFu;
    for (const char c : data) crc = detail::crc32c_table[(crc ^ static_cast<unsigned char>(c)) & 0xFFu] ^ (crc >> 8);
    return ~crc;
}

static_assert(crc32c("123456789") == 0xE3069283u, "the check value of CRC-32C");

} // namespace mayhem
