// Numbers for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gallery {

/// 2,830,808
inline std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
}

} // namespace gallery
